//! Claims challenges of ARM: revoked sessions, and writes that need more than a password.

use azure_emulator::how_to::{CLUSTER, DATABASE, DOMAIN1, DOMAIN2, LOCAL_HUB};
use azure_emulator::{ChallengeForm, TokenOverrides};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Cloud, Reply, connection, event_hub_body, start};

const USER: &str = "acc1@domain1.com";

fn cp1() -> TokenOverrides {
    TokenOverrides {
        client_capabilities: vec!["cp1".to_owned()],
        ..TokenOverrides::default()
    }
}

fn claims_of(reply: &Reply) -> Option<Value> {
    let (_, rest) = reply.header("www-authenticate").split_once("claims=\"")?;
    let claims = STANDARD.decode(rest.split('"').next().unwrap()).unwrap();
    Some(serde_json::from_slice(&claims).unwrap())
}

fn cluster() -> String {
    format!("{CLUSTER}?api-version=2024-04-13")
}

fn revoke(cloud: &Cloud, user: &str) {
    cloud.emulator.edit(|world| world.revoke_sessions(user)).unwrap();
}

#[tokio::test]
async fn a_revoked_session_is_challenged_in_either_form_or_plainly() {
    let cloud = start().await;
    let able = cloud.mint_arm(USER, "domain1.com", cp1());
    let unable = cloud.mint_arm(USER, "domain1.com", TokenOverrides::default());
    for token in [&able, &unable] {
        assert_eq!(cloud.get(token, &cluster()).await.status, StatusCode::OK);
    }
    let revoked = cloud.emulator.clock().now().timestamp();
    revoke(&cloud, USER);
    for (form, start) in [
        (
            ChallengeForm::Standard,
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
             error=\"insufficient_claims\", "
                .to_owned(),
        ),
        (
            ChallengeForm::Older,
            format!(
                "Bearer authorization_uri=\"https://login.windows.net/{DOMAIN1}\", error=\"invalid_token\", \
                 error_description=\"User session has been revoked\", "
            ),
        ),
    ] {
        cloud.emulator.edit(|world| world.set_challenge_form(form));
        let reply = cloud.get(&able, &cluster()).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken")
        );
        assert!(
            reply.header("www-authenticate").starts_with(&start),
            "{:?}",
            reply.headers
        );
        assert_eq!(reply.header("x-ms-failure-cause"), "gateway");
        let claims = claims_of(&reply).unwrap();
        let wanted = &claims["access_token"];
        assert_eq!(wanted["xms_caeerror"]["value"], "10012");
        assert_eq!(wanted["nbf"]["essential"], true);
        let not_before: i64 = wanted["nbf"]["value"].as_str().unwrap().parse().unwrap();
        assert!((revoked..=revoked + 2).contains(&not_before), "{claims}");
    }
    let plain = cloud.get(&unable, &cluster()).await;
    assert_eq!(plain.status, StatusCode::UNAUTHORIZED);
    assert_eq!(claims_of(&plain), None);
    let fresh = cloud.mint_arm(USER, "domain1.com", cp1());
    assert_eq!(cloud.get(&fresh, &cluster()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_revocation_reaches_guests_and_auxiliary_tokens_but_no_apps_and_nobody_else() {
    let cloud = start().await;
    let guest = cloud.mint_arm("acc3@domain1.com", "domain2.com", cp1());
    let primary = cloud.mint_arm(USER, "domain1.com", cp1());
    let app = cloud.app_token("domain1.com").await;
    let body = event_hub_body(LOCAL_HUB, "$Default");
    let with_guest = cloud.put(&primary, &[&guest], &connection("before"), &body).await;
    assert_eq!(with_guest.status, StatusCode::CREATED);
    revoke(&cloud, "acc3@domain1.com");
    let refused = cloud.put(&primary, &[&guest], &connection("after"), &body).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(claims_of(&refused).is_some());
    assert_eq!(
        cloud.put(&primary, &[], &connection("after"), &body).await.status,
        StatusCode::CREATED
    );
    revoke(&cloud, USER);
    let reply = cloud.get(&app, &cluster()).await;
    assert_eq!(reply.code(), "AuthorizationFailed", "an app has no sessions");
}

#[track_caller]
fn asks_for_p1(reply: &Reply) {
    let challenge = reply.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_claims\""), "{challenge}");
    let wanted = json!({ "access_token": { "acrs": { "essential": true, "values": ["p1"] } } });
    assert_eq!(claims_of(reply), Some(wanted));
}

async fn actions_and_apps_need_none(cloud: &Cloud, weak: &str, body: &Value) {
    let list = format!("{DATABASE}/checkNameAvailability?api-version=2024-04-13");
    let name = json!({ "name": "c2", "type": "Microsoft.Kusto/clusters/databases/dataConnections" });
    assert_eq!(
        cloud.send(Method::POST, weak, &list, Some(&name)).await.status,
        StatusCode::OK,
        "an action changes nothing"
    );
    let app = cloud.app_token("domain1.com").await;
    let reply = cloud.send(Method::PUT, &app, &connection("c3"), Some(body)).await;
    assert_eq!(reply.code(), "AuthorizationFailed", "apps are not asked");
}

#[tokio::test]
async fn writes_may_need_an_authentication_context() {
    let cloud = start().await;
    let need = |tenant: &str, context: Option<&str>| {
        cloud
            .emulator
            .edit(|world| world.set_writes_need(tenant, context))
            .unwrap();
    };
    let with = |contexts: Value| {
        let claims = [("acrs".to_owned(), contexts)];
        cloud.mint_arm(
            USER,
            "domain1.com",
            TokenOverrides {
                extra_claims: claims.into_iter().collect(),
                ..cp1()
            },
        )
    };
    let (weak, strong) = (
        cloud.mint_arm(USER, "domain1.com", cp1()),
        with(json!(["c1", "p1"])),
    );
    need(DOMAIN2, Some("p1"));
    let body = event_hub_body(LOCAL_HUB, "$Default");
    let put = |token: String| {
        let (cloud, body) = (&cloud, &body);
        async move {
            cloud
                .send(Method::PUT, &token, &connection("c1"), Some(body))
                .await
        }
    };
    assert_eq!(
        put(weak.clone()).await.status,
        StatusCode::CREATED,
        "of another tenant"
    );
    need(DOMAIN1, Some("p1"));
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        for token in [&weak, &with(json!(["c1"]))] {
            let reply = cloud
                .send(method.clone(), token, &connection("c1"), Some(&body))
                .await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method}");
            asks_for_p1(&reply);
        }
    }
    cloud.finish_operations();
    assert_eq!(put(strong).await.status, StatusCode::OK);
    assert_eq!(cloud.get(&weak, &cluster()).await.status, StatusCode::OK);
    actions_and_apps_need_none(&cloud, &weak, &body).await;
    need(DOMAIN1, None);
    cloud.finish_operations();
    assert_eq!(put(weak).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_a_challenge_asks_for_is_what_entra_gives_for_its_claims() {
    let cloud = start().await;
    cloud
        .emulator
        .edit(|world| world.set_writes_need(DOMAIN1, Some("p1")))
        .unwrap();
    let body = event_hub_body(LOCAL_HUB, "$Default");
    let weak = cloud.arm_token(USER, "domain1.com").await;
    let challenged = cloud.put(&weak, &[], &connection("c1"), &body).await;
    let claims = claims_of(&challenged).unwrap().to_string();
    let with_mfa = TokenOverrides {
        extra_claims: [("amr".to_owned(), json!(["pwd", "mfa"]))].into_iter().collect(),
        ..TokenOverrides::default()
    };
    let assertion = cloud.mint_wrong(USER, "domain1.com", with_mfa);
    let reply = cloud
        .exchange_with("domain1.com", &assertion, &[("claims", &claims)])
        .await;
    let strong = reply.body["access_token"].as_str().unwrap();
    let made = cloud.put(strong, &[], &connection("c1"), &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{:?}", made.body);
}
