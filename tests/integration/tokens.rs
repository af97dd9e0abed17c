//! User tokens that are not accepted: each is told what is wrong with it, and nobody behind the service is asked.

use azure_emulator::{MintUserToken, how_to};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, App, data_connection, request};

const AUXILIARY: &str = "x-ms-authorization-auxiliary";

/// A way to make a token wrong, and a word of what its sender is told.
type Fault = (&'static str, fn(&mut MintUserToken), &'static str);

/// What all tokens are told whose signature is not verified: anybody may have written them.
const UNVERIFIED: &str = "can't be verified";

fn claim(token: &mut MintUserToken, name: &str, value: impl Into<Value>) {
    token.overrides.extra_claims.insert(name.to_owned(), value.into());
}

fn without(token: &mut MintUserToken, name: &str) {
    token.overrides.removed_claims.push(name.to_owned());
}

fn issuer_of_version_1(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// Every way in which a token can be wrong but for its scope.
const FAULTS: &[Fault] = &[
    (
        "no signature",
        |token| token.overrides.algorithm_none = true,
        UNVERIFIED,
    ),
    (
        "a key that nobody publishes",
        |token| token.overrides.unpublished_key = true,
        UNVERIFIED,
    ),
    (
        "another key's name",
        |token| token.overrides.kid = Some("no-such-key".to_owned()),
        UNVERIFIED,
    ),
    (
        "the key of personal accounts",
        |token| token.overrides.consumer_key = true,
        "signing key",
    ),
    (
        "another audience",
        |token| token.overrides.audience = Some(how_to::OTHER_API.to_owned()),
        "aud",
    ),
    (
        "ARM's audience",
        |token| token.overrides.audience = Some("https://management.azure.com".to_owned()),
        "aud",
    ),
    (
        "an audience in other case",
        |token| {
            token.overrides.audience = Some(how_to::TENANT_BRIDGE_URI.to_uppercase());
        },
        "aud",
    ),
    (
        "a foreign issuer",
        |token| token.overrides.issuer = Some("https://localhost/x/v2.0".to_owned()),
        "iss",
    ),
    (
        "version 1's issuer in version 2",
        |token| {
            token.overrides.issuer = Some(issuer_of_version_1(&token.tenant));
        },
        "iss",
    ),
    (
        "version 2's issuer in version 1",
        |token| claim(token, "ver", "1.0"),
        "iss",
    ),
    ("no version", |token| without(token, "ver"), "ver"),
    ("an unknown version", |token| claim(token, "ver", "3.0"), "ver"),
    (
        "the other tenant's id",
        |token| {
            let other = if token.tenant == how_to::DOMAIN1 {
                how_to::DOMAIN2
            } else {
                how_to::DOMAIN1
            };
            claim(token, "tid", other);
        },
        "iss",
    ),
    (
        "two tenants",
        |token| claim(token, "TID", how_to::DOMAIN2),
        UNVERIFIED,
    ),
    (
        "a tenant whose users are not served",
        |token| claim(token, "tid", how_to::DOMAIN3),
        UNVERIFIED,
    ),
    ("no tenant", |token| without(token, "tid"), UNVERIFIED),
    (
        "a tenant that is no GUID",
        |token| claim(token, "tid", "common"),
        UNVERIFIED,
    ),
    ("no user", |token| without(token, "oid"), "oid"),
    (
        "expired",
        |token| token.overrides.expiry_offset = Some(TimeDelta::seconds(-90)),
        "exp",
    ),
    ("no expiry", |token| without(token, "exp"), "exp"),
    (
        "not yet valid",
        |token| token.overrides.not_before_offset = Some(TimeDelta::seconds(90)),
        "nbf",
    ),
    (
        "a beginning that is no date",
        |token| claim(token, "nbf", "now"),
        "nbf",
    ),
    (
        "an app's own",
        |token| {
            token.overrides.app_only = true;
            claim(token, "roles", json!(["Connections.Read.All"]));
        },
        "app's own",
    ),
    (
        "an app's own by its type",
        |token| claim(token, "idtyp", "app"),
        "app's own",
    ),
    ("an ID token", |token| token.overrides.id_token = true, "ID token"),
    ("no scope", |token| without(token, "scp"), "scp"),
    ("an empty scope", |token| claim(token, "scp", " "), "scp"),
    (
        "another calling app",
        |token| token.client_app = how_to::OTHER_PORTAL.to_owned(),
        how_to::OTHER_PORTAL,
    ),
    ("no calling app", |token| without(token, "azp"), "azp"),
];

/// The answer tells in which header which token is wrong, and holds no part of it.
#[track_caller]
fn is_refused(answer: &Answer, header: &str, word: &str, token: &str) {
    answer.is_problem(401, "invalidToken");
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer error=\"invalid_token\"")
    );
    assert_eq!(answer.text("/errors/0/pointer"), header);
    let detail = answer.text("/errors/0/detail");
    assert!(detail.contains(word), "{word}: {detail}");
    assert!(answer.text("/detail").contains(header));
    let body = answer.body.to_string();
    let mut parts = token.split('.').filter(|part| part.len() > 8);
    assert!(parts.all(|part| !body.contains(part)), "{body}");
}

#[tokio::test]
async fn a_wrong_token_is_refused_with_what_is_wrong_with_it_in_either_header() {
    let app = App::start().await;
    for (name, change, word) in FAULTS {
        let token = app.odd_token("acc1@domain1.com", how_to::DOMAIN1, change);
        let portal = app.portal().with_token(&token);
        let answer = portal.create(&request("telemetry")).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.body);
        is_refused(&answer, "Authorization", word, &token);
        is_refused(
            &portal.get("/v1/connections").await,
            "Authorization",
            word,
            &token,
        );
        let token = app.odd_token("acc2@domain2.com", how_to::DOMAIN2, change);
        let portal = app.signed_in("acc1@domain1.com").with_auxiliary(&token);
        is_refused(
            &portal.create(&request("telemetry")).await,
            AUXILIARY,
            word,
            &token,
        );
    }
    assert_eq!((app.calls_at_arm(), app.exchanges().len()), (0, 0));
    app.assert_untouched(0).await;
    app.finish().await;
}

#[tokio::test]
async fn a_token_that_was_changed_on_the_way_is_refused() {
    let app = App::start().await;
    let token = app.token("acc1@domain1.com", how_to::DOMAIN1);
    let other = app.token("acc4@domain1.com", how_to::DOMAIN1);
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (parts(&token), parts(&other));
    for (changed, word) in [
        (format!("{}.{}.{}", ours[0], theirs[1], ours[2]), UNVERIFIED),
        (format!("{}.{}.", ours[0], ours[1]), UNVERIFIED),
        (format!("{}.{}", ours[0], ours[1]), UNVERIFIED),
        (format!("{token}.{}", ours[2]), UNVERIFIED),
        ("a.b.c".to_owned(), UNVERIFIED),
        ("garbage".to_owned(), UNVERIFIED),
    ] {
        let answer = app
            .portal()
            .with_token(&changed)
            .create(&request("telemetry"))
            .await;
        is_refused(&answer, "Authorization", word, &changed);
    }
    assert_eq!((app.calls_at_arm(), app.exchanges().len()), (0, 0));
    app.assert_untouched(0).await;
    app.finish().await;
}

#[tokio::test]
async fn an_authorization_that_is_no_bearer_token_is_as_good_as_none() {
    let app = App::start().await;
    let token = app.token("acc1@domain1.com", how_to::DOMAIN1);
    for header in [
        "Basic YWNjMTpwYXNz".to_owned(),
        "Bearer".to_owned(),
        token.clone(),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token} {token}"),
    ] {
        let call = app.portal().call(reqwest::Method::GET, "/v1/connections");
        let answer = app.portal().send(call.header("authorization", header)).await;
        answer.is_problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    app.finish().await;
}

#[tokio::test]
async fn a_token_without_the_scope_of_the_call_is_refused_by_the_scopes_name() {
    let app = App::start().await;
    let with_scope = |scope: &'static str| {
        let token = app.odd_token("acc1@domain1.com", how_to::DOMAIN1, |token| {
            claim(token, "scp", scope);
        });
        app.portal().with_token(&token)
    };
    let id = "01900000-0000-7000-8000-000000000001";
    let reads = [
        "/v1/connections".to_owned(),
        format!("/v1/connections/{id}"),
        format!("/v1/connections/{id}/events"),
        format!("/v1/operations/{id}"),
    ];
    let lacks = |answer: Answer, scope: &str| {
        answer.is_problem(403, "insufficientScope");
        assert_eq!(
            answer.header("www-authenticate"),
            Some(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"").as_str())
        );
        assert!(answer.text("/detail").ends_with(scope), "{}", answer.body);
    };
    for path in &reads {
        lacks(
            with_scope("connections.read openid").get(path).await,
            "Connections.Read",
        );
        assert_ne!(with_scope("Connections.Read").get(path).await.status, 403);
    }
    for scope in ["Connections.Read", "Connections.ReadWriteAll"] {
        lacks(
            with_scope(scope).create(&request("telemetry")).await,
            "Connections.ReadWrite",
        );
        lacks(with_scope(scope).remove(id).await, "Connections.ReadWrite");
    }
    assert_eq!((app.calls_at_arm(), app.exchanges().len()), (0, 0));
    app.assert_untouched(2).await;
    app.finish().await;
}

/// What the auxiliary header may not hold is refused before anything is exchanged.
#[tokio::test]
async fn auxiliary_tokens_that_do_not_fit_together_are_refused() {
    let app = App::with(|config| {
        let other = how_to::OTHER_PORTAL.parse().expect("a GUID");
        config.entra.calling_apps.push(other);
    })
    .await;
    let second = || app.token("acc2@domain2.com", how_to::DOMAIN2);
    let of_other_app = app.odd_token("acc2@domain2.com", how_to::DOMAIN2, |token| {
        token.client_app = how_to::OTHER_PORTAL.to_owned();
    });
    let first = app.token("acc1@domain1.com", how_to::DOMAIN1);
    let many = |count: usize| vec![format!("Bearer {}", second()); count].join(", ");
    for (header, word) in [
        (many(4), "at most 3"),
        (many(9), "at most three"),
        (many(2), how_to::DOMAIN2),
        (format!("Bearer {first}"), how_to::DOMAIN1),
        (format!("Bearer {of_other_app}"), how_to::OTHER_PORTAL),
        (format!("EncryptedBearer {}", second()), "Bearer <token>"),
        (second(), "Bearer <token>"),
        (format!("Bearer {}, Basic abc", second()), "Bearer <token>"),
    ] {
        let portal = app.signed_in("acc1@domain1.com");
        let call = portal.call(reqwest::Method::POST, "/v1/connections");
        let answer = portal
            .send(call.header(AUXILIARY, header).json(&request("telemetry")))
            .await;
        answer.is_problem(400, "auxiliaryTokens");
        assert_eq!(answer.text("/errors/0/pointer"), AUXILIARY);
        assert!(answer.text("/detail").contains(word), "{word}: {}", answer.body);
    }
    assert_eq!((app.calls_at_arm(), app.exchanges().len()), (0, 0));
    app.assert_untouched(0).await;
    app.finish().await;
}

#[tokio::test]
async fn a_token_of_a_tenant_that_the_request_does_not_concern_is_never_exchanged() {
    let app = App::start().await;
    let mut local = request("telemetry");
    local["source"]["eventHub"]["resourceId"] = how_to::LOCAL_HUB.into();
    let answer = app.how_to_portal().create(&local).await;
    answer.is_problem(400, "auxiliaryTokens");
    assert_eq!(answer.text("/errors/0/pointer"), AUXILIARY);
    assert!(answer.text("/detail").contains(how_to::DOMAIN2));
    assert!(app.exchanges().is_empty());
    app.assert_untouched(1).await;
    // Without it, the same request needs no token of another tenant and sends none.
    let answer = app.how_to_portal().without_auxiliary().create(&local).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let put = app.writes().remove(0);
    assert!(!put.request_headers.contains_key(AUXILIARY));
    assert!(app.exchanges().iter().all(|tenant| tenant == how_to::DOMAIN1));
    app.finish().await;
}

#[tokio::test]
async fn an_empty_auxiliary_header_and_the_separators_that_clients_send_are_taken() {
    let app = App::start().await;
    let portal = app.signed_in("acc3@domain1.com");
    let call = portal.call(reqwest::Method::POST, "/v1/connections");
    let answer = portal
        .send(call.header(AUXILIARY, "").json(&request("telemetry")))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let second = app.token("acc2@domain2.com", how_to::DOMAIN2);
    let portal = app.signed_in("acc1@domain1.com");
    let call = portal.call(reqwest::Method::POST, "/v1/connections");
    let mut other = request("other");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let header = format!("; bearer {second};");
    let call = call.header(AUXILIARY, header).header("prefer", "wait=20");
    let answer = portal.send(call.json(&other)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(app.at_arm("other").is_some(), "{}", data_connection("other"));
    app.finish().await;
}

/// Anyone who writes a token without being able to sign it learns nothing of whom this service serves.
#[tokio::test]
async fn all_tokens_whose_signature_is_not_verified_are_told_the_same() {
    let app = App::start().await;
    let mut told = std::collections::BTreeSet::new();
    for tenant in [how_to::DOMAIN1, how_to::DOMAIN2, how_to::DOMAIN3, "common", ""] {
        for algorithm_none in [true, false] {
            let token = app.odd_token("acc1@domain1.com", how_to::DOMAIN1, |token| {
                claim(token, "tid", tenant);
                token.overrides.algorithm_none = algorithm_none;
                token.overrides.kid = Some("no-such-key".to_owned());
            });
            let answer = app.portal().with_token(&token).get("/v1/connections").await;
            answer.is_problem(401, "invalidToken");
            let mut body = answer.body.clone();
            body["requestId"] = Value::Null;
            told.insert(body.to_string());
        }
    }
    assert_eq!(told.len(), 1, "{told:?}");
    app.finish().await;
}
