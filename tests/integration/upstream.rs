//! Entra and ARM out of reach, throttling, refusing or answering wrongly while a create is checked: nothing is sent that
//! changes ARM, and an outage is never told as the caller's fault.

use std::time::Duration;

use azure_emulator::{Effect, Fault, FaultAnswer, FaultBody, MintUserToken, TokenOverrides, how_to};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, App, request};

const CLAIMS: &str = r#"{"access_token":{"acrs":{"essential":true,"values":["p1"]}}}"#;

fn token_endpoint(tenant: &str) -> String {
    format!("/{tenant}/oauth2/v2.0/token")
}

fn text(status: u16, headers: &[(&str, &str)], text: &str) -> Effect {
    let headers = headers
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    Effect::Answer(FaultAnswer {
        status,
        headers: headers.collect(),
        body: FaultBody::Text(text.to_owned()),
    })
}

/// Can't be told now, and when to ask again.
#[track_caller]
fn is_unavailable(answer: &Answer, seconds: &str) {
    answer.is_problem(503, "upstreamUnavailable");
    assert_eq!(answer.header("retry-after"), Some(seconds), "{}", answer.body);
    assert_eq!(answer.body["retryable"], true);
    assert!(answer.header("www-authenticate").is_none());
}

/// Exactly one challenge that asks a user of this tenant to sign in with the claims.
#[track_caller]
fn is_claims_challenge(answer: &Answer, tenant: &str) {
    answer.is_problem(401, "claimsChallenge");
    assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
    let challenge = answer.header("www-authenticate").expect("a challenge");
    let parameters = challenge.strip_prefix("Bearer ").expect("a bearer challenge");
    let read = |name: &str| {
        let mut found = parameters.split(", ").filter_map(|parameter| {
            let value = parameter.strip_prefix(name)?.strip_prefix('=')?;
            value.strip_prefix('"')?.strip_suffix('"')
        });
        let value = found.next().expect(name);
        assert_eq!(found.next(), None, "{name} twice");
        value
    };
    assert_eq!(read("error"), "insufficient_claims");
    assert_eq!(read("realm"), tenant);
    let claims = STANDARD.decode(read("claims")).expect("Base64");
    assert_eq!(String::from_utf8(claims).as_deref(), Ok(CLAIMS));
    assert!(answer.text("/detail").contains(tenant));
}

#[tokio::test]
async fn keys_that_are_out_of_reach_are_an_outage_and_say_nothing_of_the_token() {
    for effect in [
        Effect::status(503, &[]),
        Effect::ResetBeforeEffect,
        text(200, &[], "<html>"),
        Effect::json(200, json!({ "keys": [] })),
    ] {
        let app = App::start().await;
        let keys = format!("/{}/discovery/v2.0/keys", how_to::DOMAIN2);
        app.emulator.inject(Fault::entra(&keys, effect).always());
        // Only the auxiliary token's tenant is concerned.
        is_unavailable(&app.how_to_portal().create(&request("telemetry")).await, "5");
        let alone = app.signed_in("acc1@domain1.com").get("/v1/connections").await;
        assert_eq!(alone.status, 200, "{}", alone.body);
        let second = app.token("acc2@domain2.com", how_to::DOMAIN2);
        let answer = app.portal().with_token(&second).get("/v1/connections").await;
        is_unavailable(&answer, "5");
        assert_eq!((app.calls_at_arm(), app.exchanges().len()), (0, 0));
        app.assert_untouched(0).await;
        app.finish().await;
    }
}

#[tokio::test]
async fn an_entra_that_can_not_exchange_now_is_an_outage_with_a_time_to_come_back() {
    let app = App::start().await;
    let loops = json!({
        "error": "invalid_grant", "error_codes": [50196],
        "error_description": "AADSTS50196: The server terminated an operation because it encountered a client request loop."
    });
    for (effect, seconds) in [
        (Effect::status(500, &[]), "5"),
        (Effect::status(503, &[("retry-after", "7")]), "7"),
        (text(429, &[("retry-after", "17")], "Too Many Requests"), "17"),
        (
            Effect::json(400, json!({ "error": "temporarily_unavailable" })),
            "5",
        ),
        (Effect::json(400, loops), "300"),
        (Effect::ResetBeforeEffect, "5"),
    ] {
        let endpoint = token_endpoint(how_to::DOMAIN2);
        app.emulator.inject(Fault::entra(&endpoint, effect).always());
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        is_unavailable(&answer, seconds);
        assert_eq!(answer.text("/upstream/service"), "entra");
        assert!(answer.text("/detail").contains(how_to::DOMAIN2));
        app.emulator.clear_faults();
    }
    app.assert_untouched(0).await;
    // Nothing of it is remembered.
    assert_eq!(
        app.how_to_portal().create(&request("telemetry")).await.status,
        201
    );
    app.finish().await;
}

#[tokio::test]
async fn what_only_the_operator_can_mend_is_told_as_no_fault_of_the_caller() {
    let app = App::start().await;
    let secret = json!({
        "error": "invalid_client", "error_codes": [7_000_215],
        "error_description": "AADSTS7000215: Invalid client secret provided. Private words.",
        "trace_id": "11111111-2222-4333-8444-555555555555"
    });
    for effect in [
        Effect::json(401, secret),
        Effect::json(400, json!({ "error": "invalid_scope", "error_codes": [70011] })),
        text(200, &[], "<html>a proxy</html>"),
        text(404, &[], "<html>a proxy</html>"),
        Effect::status(302, &[("location", "https://localhost/elsewhere")]),
    ] {
        app.emulator
            .inject(Fault::entra(&token_endpoint(how_to::DOMAIN1), effect));
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        answer.is_problem(502, "upstreamRefused");
        assert!(answer.header("www-authenticate").is_none());
        assert!(answer.text("/detail").contains(how_to::DOMAIN1));
        let body = answer.body.to_string();
        assert!(!body.contains("Private") && !body.contains("proxy"), "{body}");
    }
    app.assert_untouched(5).await;
    app.finish().await;
}

#[tokio::test]
async fn a_claims_challenge_of_entras_reaches_the_caller_and_the_next_sign_in_answers_it() {
    let app = App::start().await;
    let challenge = json!({
        "error": "interaction_required", "suberror": "basic_action", "error_codes": [50076], "claims": CLAIMS
    });
    for tenant in [how_to::DOMAIN1, how_to::DOMAIN2] {
        let effect = Effect::json(400, challenge.clone());
        app.emulator.inject(Fault::entra(&token_endpoint(tenant), effect));
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        is_claims_challenge(&answer, tenant);
        assert_eq!(answer.text("/upstream/code"), "AADSTS50076");
    }
    app.assert_untouched(2).await;
    assert_eq!(
        app.how_to_portal().create(&request("telemetry")).await.status,
        201
    );
    app.finish().await;
}

/// A token of ARM's own kind, but for whom.
fn arm_token(app: &App, user: &str, tenant: &str, api: &str, overrides: TokenOverrides) -> String {
    let request = MintUserToken {
        user: user.to_owned(),
        tenant: tenant.to_owned(),
        client_app: "tenant-bridge".to_owned(),
        api: api.to_owned(),
        overrides,
        ..MintUserToken::default()
    };
    app.emulator.mint_user_token(&request).expect("a token")
}

#[tokio::test]
async fn a_token_that_is_not_the_one_asked_for_is_dropped_and_sent_to_nobody() {
    const ARM: &str = "azure-resource-manager";
    let app = App::start().await;
    let plain = TokenOverrides::default;
    let second = "acc2@domain2.com";
    let app_only = TokenOverrides {
        app_only: true,
        ..plain()
    };
    let expired = TokenOverrides {
        expiry_offset: Some(TimeDelta::seconds(-1)),
        ..plain()
    };
    let wrong = [
        (
            "Bearer",
            arm_token(&app, "acc1@domain1.com", how_to::DOMAIN1, ARM, plain()),
        ),
        (
            "Bearer",
            arm_token(&app, second, how_to::DOMAIN2, "other-api", plain()),
        ),
        (
            "Bearer",
            arm_token(&app, "acc8@domain2.com", how_to::DOMAIN2, ARM, plain()),
        ),
        ("Bearer", arm_token(&app, second, how_to::DOMAIN2, ARM, app_only)),
        ("Bearer", arm_token(&app, second, how_to::DOMAIN2, ARM, expired)),
        ("pop", arm_token(&app, second, how_to::DOMAIN2, ARM, plain())),
        ("Bearer", "opaque".to_owned()),
    ];
    for (kind, token) in &wrong {
        let body = json!({ "token_type": kind, "expires_in": 3599, "access_token": token });
        let effect = Effect::json(200, body);
        app.emulator
            .inject(Fault::entra(&token_endpoint(how_to::DOMAIN2), effect));
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        answer.is_problem(502, "upstreamRefused");
        assert!(answer.text("/detail").contains(how_to::DOMAIN2));
        assert!(!answer.body.to_string().contains(token.as_str()));
    }
    for entry in app.emulator.journal().entries() {
        let mut headers = entry.request_headers.values();
        assert!(
            headers.all(|value| wrong.iter().all(|(_, token)| !value.contains(token.as_str()))),
            "{entry:?}"
        );
    }
    app.assert_untouched(7).await;
    app.finish().await;
}

#[tokio::test]
async fn a_claims_challenge_of_arms_reaches_the_caller_for_the_tenant_whose_token_it_is_about() {
    let app = App::start().await;
    let claims = STANDARD.encode(CLAIMS);
    let standard = format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{claims}\""
    );
    let older = format!(
        "Bearer authorization_uri=\"https://login.windows.net/\", error=\"invalid_token\", error_description=\"User session has been revoked\", claims=\"{claims}\""
    );
    for (path, tenant) in [
        ("ns-domain2/providers/Microsoft.Authorization", how_to::DOMAIN2),
        (
            "databases/telemetry/providers/Microsoft.Authorization",
            how_to::DOMAIN1,
        ),
        ("/clusters/adx1?", how_to::DOMAIN1),
        ("/eventhubs/hub1?", how_to::DOMAIN2),
    ] {
        for challenge in [&standard, &older] {
            let effect = Effect::status(401, &[("www-authenticate", challenge.as_str())]);
            app.emulator.inject(Fault::arm(path, effect));
            let answer = app.how_to_portal().create(&request("telemetry")).await;
            is_claims_challenge(&answer, tenant);
            assert_eq!(answer.body["upstream"]["service"], "arm");
        }
    }
    app.assert_untouched(8).await;
    assert_eq!(
        app.how_to_portal().create(&request("telemetry")).await.status,
        201
    );
    app.finish().await;
}

#[tokio::test]
async fn an_arm_that_can_not_be_read_now_is_an_outage_whichever_read_it_is() {
    // Nothing is remembered of the subscriptions, so that each request asks for their tenants too.
    let app = App::with(|config| config.arm.tenant_cache = Duration::ZERO).await;
    let mut body = request("telemetry");
    body["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let throttled =
        json!({ "error": { "code": "TooManyRequests", "message": "The request is being throttled." } });
    let effects = || {
        [
            (
                Effect::Answer(FaultAnswer {
                    status: 429,
                    headers: vec![("retry-after".to_owned(), "11".to_owned())],
                    body: FaultBody::Json(throttled.clone()),
                }),
                "11",
            ),
            (Effect::status(503, &[]), "5"),
            (Effect::status(500, &[("retry-after", "3")]), "3"),
            (Effect::ResetBeforeEffect, "5"),
        ]
    };
    let discovery = [how_to::SUBSCRIPTION1, how_to::SUBSCRIPTION2];
    let discovery = discovery.map(|subscription| format!("/subscriptions/{subscription}?"));
    let reads = [
        "/clusters/adx1?",
        "databases/telemetry/providers/Microsoft.Authorization/permissions",
        "/databases/telemetry?",
        "/dataConnections/telemetry?",
        "ns-domain2/providers/Microsoft.Authorization/permissions",
        "/eventhubs/hub1?",
        "/consumergroups/cg1?",
    ];
    for path in discovery.iter().map(String::as_str).chain(reads) {
        for (effect, seconds) in effects() {
            app.emulator.inject(Fault::arm(path, effect).always());
            let answer = app.how_to_portal().create(&body).await;
            is_unavailable(&answer, seconds);
            assert_eq!(answer.text("/upstream/service"), "arm", "{path}");
            app.emulator.clear_faults();
        }
    }
    app.assert_untouched(0).await;
    assert_eq!(app.how_to_portal().create(&body).await.status, 201);
    app.finish().await;
}

#[tokio::test]
async fn an_arm_that_answers_nonsense_is_told_as_such_and_no_other_host_is_asked() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    for (path, effect) in [
        ("/clusters/adx1?", Effect::json(200, json!({ "name": "adx1" }))),
        ("/clusters/adx1?", text(200, &[], "<html>a proxy</html>")),
        (
            "databases/telemetry/providers/Microsoft.Authorization/permissions",
            Effect::json(
                200,
                json!({ "value": [], "nextLink": "https://localhost:1/next" }),
            ),
        ),
        (
            "/clusters/adx1?",
            Effect::status(307, &[("location", "https://localhost:1/clusters/adx1")]),
        ),
    ] {
        app.emulator.inject(Fault::arm(path, effect));
        let answer = portal.create(&request("telemetry")).await;
        answer.is_problem(502, "upstreamRefused");
        assert!(!answer.body.to_string().contains("localhost"), "{}", answer.body);
    }
    app.assert_untouched(4).await;
    app.finish().await;
}

#[tokio::test]
async fn a_namespace_that_arm_does_not_know_is_told_as_missing_and_not_as_a_missing_role() {
    let app = App::start().await;
    let unknown = json!({ "error": { "code": "ResourceNotFound", "message": "It was not found." } });
    let not_found = || Effect::json(404, unknown.clone());
    for (paths, pointer) in [
        (
            [
                "/clusters/adx1?",
                "databases/telemetry/providers/Microsoft.Authorization",
            ],
            "/target/database",
        ),
        (
            ["/eventhubs/hub1?", "ns-domain2/providers/Microsoft.Authorization"],
            "/source/eventHub/resourceId",
        ),
    ] {
        for path in paths {
            app.emulator.inject(Fault::arm(path, not_found()));
        }
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        answer.is_problem(422, "referenceNotFound");
        assert_eq!(answer.text("/errors/0/pointer"), pointer);
        assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(1));
        assert_eq!(answer.body["missing"], Value::Null);
    }
    app.assert_untouched(2).await;
    app.finish().await;
}

/// ARM tells that a subscription has moved by refusing the token of the tenant it was in.
#[tokio::test]
async fn a_subscription_that_moved_to_another_tenant_is_noticed_at_the_next_request() {
    let app = App::start().await;
    let first = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(first.status, 201, "{}", first.body);
    app.emulator.edit(|world| {
        for subscription in &mut world.resources.subscriptions {
            if subscription.id == how_to::SUBSCRIPTION2 {
                subscription.tenant_id = how_to::DOMAIN3.to_owned();
            }
        }
    });
    let mut other = request("other");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let answer = app.how_to_portal().create(&other).await;
    answer.is_problem(403, "tenantNotAllowed");
    assert!(answer.text("/detail").contains(how_to::DOMAIN3));
    assert_eq!((app.writes().len(), app.refusals().await), (1, 1));
    app.finish().await;
}
