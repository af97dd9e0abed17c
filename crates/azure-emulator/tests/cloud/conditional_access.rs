//! Conditional Access, from the refused exchange to the sign-in that satisfies it.

use std::time::Duration;

use azure_emulator::TokenOverrides;
use azure_emulator::directory::{PolicySpec, Requirement};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::browser::{authorize_path, claims, owned};
use crate::refusals::refusal;
use crate::support::{ARM_SCOPE, Cloud, Reply, start};

const ACC1: &str = "acc1@domain1.com";
const ACC3: &str = "acc3@domain1.com";
const ACC4: &str = "acc4@domain1.com";

fn spec(requires: Requirement) -> PolicySpec {
    PolicySpec {
        tenant: "domain1.com".to_owned(),
        name: "Management".to_owned(),
        resources: vec!["azure-resource-manager".to_owned()],
        requires: Some(requires),
        ..PolicySpec::default()
    }
}

fn add(cloud: &Cloud, spec: &PolicySpec) -> String {
    cloud.emulator.edit(|world| world.add_policy(spec)).unwrap()
}

/// The user's token for the service's API, by way of the sign-in page.
async fn sign_in(
    cloud: &Cloud,
    user: &str,
    tenant: &str,
    changes: &[(&str, &str)],
    how: &[(&str, &str)],
) -> Reply {
    let mut answers = vec![("account", user)];
    answers.extend(how);
    let shown = cloud.authorize(tenant, changes, &answers).await;
    let reply = cloud.redeem(tenant, &shown.parameter("code"), &[]).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    reply
}

fn token<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.body[name].as_str().unwrap()
}

#[tokio::test]
async fn the_claims_of_a_refused_exchange_lead_to_a_sign_in_that_satisfies_the_policy() {
    for (requires, code, how) in [
        (Requirement::Mfa, 50076, ("method", "mfa")),
        (Requirement::External, 50158, ("method", "external")),
        (Requirement::CompliantDevice, 53000, ("device", "compliant")),
    ] {
        let cloud = start().await;
        let policy = add(&cloud, &spec(requires));
        // The policy is about ARM, so the sign-in to the API alone asks for nothing.
        let weak = sign_in(&cloud, ACC1, "domain1.com", &[], &[("method", "pwd")]).await;
        let refused = cloud.exchange("domain1.com", token(&weak, "access_token")).await;
        assert_eq!(refusal(&refused).2, code);
        let asked = token(&refused, "claims");
        assert_eq!(
            serde_json::from_str::<Value>(asked).unwrap()["access_token"]["capolids"]["values"],
            json!([policy])
        );
        let changes = [("claims", asked)];
        let again = [("account", ACC1), ("method", "pwd")];
        let shown = cloud.authorize("domain1.com", &changes, &again).await;
        assert_eq!(shown.shown_code(), code, "the same sign-in is not enough");
        let strong = sign_in(&cloud, ACC1, "domain1.com", &changes, &[how]).await;
        let exchanged = cloud
            .exchange("domain1.com", token(&strong, "access_token"))
            .await;
        assert_eq!(exchanged.status, StatusCode::OK, "{}", exchanged.body);
        let arm = claims(&exchanged.body["access_token"]);
        let shows = match requires {
            Requirement::Mfa => arm["amr"] == json!(["pwd", "mfa"]),
            Requirement::External => arm["amr"] == json!(["pwd", "external"]),
            _ => arm["deviceid"].is_string(),
        };
        assert!(shows, "{arm}");
    }
}

#[tokio::test]
async fn a_policy_is_applied_at_sign_in_at_refresh_and_at_exchange() {
    let cloud = start().await;
    let everything = PolicySpec {
        resources: Vec::new(),
        ..spec(Requirement::Mfa)
    };
    let weak = sign_in(&cloud, ACC1, "domain1.com", &[], &[]).await;
    let code = cloud.code(ACC1, "domain1.com", &[]).await;
    add(&cloud, &everything);
    let refresh = cloud
        .refresh("domain1.com", token(&weak, "refresh_token"), &[])
        .await;
    let exchange = cloud.exchange("domain1.com", token(&weak, "access_token")).await;
    let redeemed = cloud.redeem("domain1.com", &code, &[]).await;
    for refused in [refresh, exchange, redeemed] {
        assert_eq!(
            refusal(&refused),
            (400, "invalid_grant", 50076, Some("basic_action"))
        );
    }
    let answers = [("account", ACC1), ("method", "pwd")];
    let shown = cloud.authorize("domain1.com", &[], &answers).await;
    assert_eq!(shown.shown_code(), 50076);
    let strong = sign_in(&cloud, ACC1, "domain1.com", &[], &[("method", "mfa")]).await;
    let refreshed = cloud
        .refresh("domain1.com", token(&strong, "refresh_token"), &[])
        .await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.body);
    // A session without a second factor can't go on silently, and the app is told what to ask for.
    cloud
        .emulator
        .edit(|world| world.remove_policy("Management"))
        .unwrap();
    let session = cloud
        .authorize("domain1.com", &[], &answers)
        .await
        .cookie
        .unwrap();
    let policy = add(&cloud, &everything);
    let silent = authorize_path("domain1.com", &[("prompt", "none")]);
    let silent = cloud.visit(&silent, None, Some(&session)).await;
    assert_eq!(silent.error(), ("interaction_required".to_owned(), 50076));
    assert!(silent.parameter("claims").contains(&policy));
}

#[tokio::test]
async fn a_minted_token_says_for_itself_how_its_user_signed_in() {
    let cloud = start().await;
    add(&cloud, &spec(Requirement::Mfa));
    for (claims, status) in [
        (json!({}), 400),
        (json!({ "amr": ["pwd"] }), 400),
        (json!({ "acrs": [] }), 400),
        (json!({ "amr": ["pwd", "mfa"] }), 200),
        (json!({ "acrs": ["p1"] }), 200),
    ] {
        let overrides = TokenOverrides {
            extra_claims: claims.as_object().unwrap().clone(),
            ..TokenOverrides::default()
        };
        let token = cloud.mint_wrong(ACC1, "domain1.com", overrides);
        let reply = cloud.exchange("domain1.com", &token).await;
        assert_eq!(reply.status.as_u16(), status, "{claims}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_policy_means_only_whom_and_what_it_names() {
    type Change = fn(&mut PolicySpec);
    let rows: [(Change, [bool; 3]); 9] = [
        (|_| {}, [true, true, true]),
        (|policy| policy.users.push(ACC1.to_owned()), [true, false, false]),
        (
            |policy| policy.groups.push("operators".to_owned()),
            [false, false, true],
        ),
        (
            |policy| {
                policy.users.push(ACC3.to_owned());
                policy.groups.push("operators".to_owned());
            },
            [false, true, true],
        ),
        (|policy| policy.guests = true, [false, false, false]),
        (
            |policy| policy.resources = vec!["other-api".to_owned()],
            [false, false, false],
        ),
        (
            |policy| policy.apps.push("tenant-bridge".to_owned()),
            [true, true, true],
        ),
        (
            |policy| policy.apps.push("portal".to_owned()),
            [false, false, false],
        ),
        (
            |policy| policy.tenant = "domain2.com".to_owned(),
            [false, false, false],
        ),
    ];
    let cloud = start().await;
    cloud
        .emulator
        .edit(|world| world.add_group("domain1.com", "operators", &[ACC4]))
        .unwrap();
    for (change, expected) in rows {
        let mut policy = spec(Requirement::Block);
        change(&mut policy);
        let id = add(&cloud, &policy);
        for (user, blocked) in [ACC1, ACC3, ACC4].into_iter().zip(expected) {
            let reply = cloud
                .exchange("domain1.com", &cloud.mint(user, "domain1.com"))
                .await;
            assert_eq!(reply.status != StatusCode::OK, blocked, "{user}: {policy:?}");
        }
        cloud.emulator.edit(|world| world.remove_policy(&id)).unwrap();
    }
}

#[tokio::test]
async fn a_tenants_policy_meets_its_guests_wherever_they_signed_in() {
    let cloud = start().await;
    let policy = PolicySpec {
        tenant: "domain2.com".to_owned(),
        guests: true,
        ..spec(Requirement::Mfa)
    };
    add(&cloud, &policy);
    let home = cloud.mint(ACC3, "domain1.com");
    assert_eq!(cloud.exchange("domain1.com", &home).await.status, StatusCode::OK);
    let refused = cloud.exchange("domain2.com", &home).await;
    assert_eq!(refusal(&refused).2, 50076);
    // What the other tenant asks for is satisfied by a sign-in there.
    let changes = [("claims", token(&refused, "claims"))];
    let strong = sign_in(&cloud, ACC3, "domain2.com", &changes, &[("method", "mfa")]).await;
    let exchanged = cloud
        .exchange("domain2.com", token(&strong, "access_token"))
        .await;
    assert_eq!(exchanged.status, StatusCode::OK, "{}", exchanged.body);
    let member = cloud
        .exchange("domain2.com", &cloud.mint("acc2@domain2.com", "domain2.com"))
        .await;
    assert_eq!(member.status, StatusCode::OK, "{}", member.body);
}

#[tokio::test]
async fn who_has_no_second_factor_registers_one_on_the_sign_in_page() {
    let cloud = start().await;
    add(&cloud, &spec(Requirement::Mfa));
    cloud
        .emulator
        .edit(|world| world.set_mfa_enrolled(ACC1, false))
        .unwrap();
    let exchange = || async {
        cloud
            .exchange("domain1.com", &cloud.mint(ACC1, "domain1.com"))
            .await
    };
    let refused = exchange().await;
    assert_eq!(refusal(&refused), (400, "interaction_required", 50079, None));
    let changes = [("claims", token(&refused, "claims"))];
    let weak = cloud
        .authorize("domain1.com", &changes, &[("account", ACC1), ("method", "pwd")])
        .await;
    assert_eq!(weak.shown_code(), 50079);
    let strong = sign_in(&cloud, ACC1, "domain1.com", &changes, &[("method", "mfa")]).await;
    let exchanged = cloud
        .exchange("domain1.com", token(&strong, "access_token"))
        .await;
    assert_eq!(exchanged.status, StatusCode::OK, "{}", exchanged.body);
    assert_eq!(
        refusal(&exchange().await).2,
        50076,
        "from now on it can be asked for"
    );
}

#[tokio::test]
async fn a_sign_in_grows_too_old_for_a_policy_on_frequency() {
    let cloud = start().await;
    let policy = PolicySpec {
        requires: None,
        sign_in_frequency: Some(3600),
        ..spec(Requirement::Mfa)
    };
    add(&cloud, &policy);
    let old = sign_in(&cloud, ACC1, "domain1.com", &[], &[]).await;
    let refresh = token(&old, "refresh_token").to_owned();
    let arm = [("scope", ARM_SCOPE)];
    cloud
        .emulator
        .edit(|world| {
            let scopes = ["user_impersonation"];
            world.grant_consent("portal", "domain1.com", "azure-resource-manager", &scopes)
        })
        .unwrap();
    cloud.emulator.clock().advance(Duration::from_secs(3000));
    let fresh = cloud.refresh("domain1.com", &refresh, &arm).await;
    assert_eq!(fresh.status, StatusCode::OK, "{}", fresh.body);
    cloud.emulator.clock().advance(Duration::from_secs(700));
    // A refresh does not make the sign-in younger, and other resources are not concerned.
    let newest = token(&fresh, "refresh_token");
    let refused = cloud.refresh("domain1.com", newest, &arm).await;
    assert_eq!(
        refusal(&refused),
        (400, "invalid_grant", 70043, Some("token_expired"))
    );
    assert!(token(&refused, "error_description").contains("for this request is 3600."));
    let api = cloud.refresh("domain1.com", &refresh, &[]).await;
    assert_eq!(api.status, StatusCode::OK, "{}", api.body);
    let exchanged = cloud.exchange("domain1.com", token(&api, "access_token")).await;
    assert_eq!(refusal(&exchanged).2, 70043);
}

#[tokio::test]
async fn a_context_that_is_essential_is_asked_for_at_an_exchange_too() {
    let cloud = start().await;
    let asked = r#"{"access_token":{"acrs":{"essential":true,"values":["p1"]}}}"#;
    let weak = cloud.mint(ACC1, "domain1.com");
    let refused = cloud
        .exchange_with("domain1.com", &weak, &[("claims", asked)])
        .await;
    assert_eq!(refusal(&refused).2, 50076);
    assert_eq!(
        serde_json::from_str::<Value>(token(&refused, "claims")).unwrap(),
        serde_json::from_str::<Value>(asked).unwrap()
    );
    let strong = sign_in(
        &cloud,
        ACC1,
        "domain1.com",
        &[("claims", asked)],
        &[("method", "mfa")],
    )
    .await;
    let exchanged = cloud
        .exchange_with(
            "domain1.com",
            token(&strong, "access_token"),
            &[("claims", asked)],
        )
        .await;
    assert_eq!(claims(&exchanged.body["access_token"])["acrs"], json!(["p1"]));
}

#[tokio::test]
async fn the_way_somebody_signed_in_survives_the_consent_page() {
    let cloud = start().await;
    let changes = [("scope", ARM_SCOPE)];
    let first = cloud
        .visit(&authorize_path("domain1.com", &changes), None, None)
        .await;
    let (action, mut fields) = first.form();
    fields.extend(owned(&[
        ("account", ACC1),
        ("method", "external"),
        ("device", "compliant"),
    ]));
    let second = cloud.visit(&action, Some(&fields), None).await;
    let (action, mut fields) = second.form();
    fields.extend(owned(&[("decision", "accept")]));
    let done = cloud.visit(&action, Some(&fields), None).await;
    let tokens = cloud.redeem("domain1.com", &done.parameter("code"), &[]).await;
    let arm = claims(&tokens.body["access_token"]);
    assert_eq!(arm["amr"], json!(["pwd", "external"]));
    assert!(arm["deviceid"].is_string());
}
