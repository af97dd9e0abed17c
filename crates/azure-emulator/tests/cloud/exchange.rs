//! The grants: what they give.

use azure_emulator::{TokenKind, TokenOverrides, TokenView, how_to};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::refusals::refusal;
use crate::support::{ARM_SCOPE, Reply, start};

const ACC1: &str = "acc1@domain1.com";
const ACC3: &str = "acc3@domain1.com";

#[tokio::test]
async fn a_users_token_becomes_the_same_users_arm_token() {
    let cloud = start().await;
    let changes = [
        ("client_info", "1"),
        ("scope", "https://management.azure.com//.default"),
    ];
    let reply = cloud
        .exchange_with("domain1.com", &cloud.mint(ACC1, "domain1.com"), &changes)
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    assert_eq!(reply.body["token_type"], "Bearer");
    assert!((3600..=5400).contains(&reply.body["expires_in"].as_u64().unwrap()));
    assert_eq!(
        reply.body["scope"],
        "https://management.azure.com//user_impersonation https://management.azure.com//.default"
    );
    assert!(reply.body.get("refresh_token").is_none());
    assert!(reply.body["client_info"].is_string());
    let token = TokenView::read(reply.body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(token.audience, "https://management.azure.com/");
    assert_eq!(
        (token.tenant.as_str(), token.app.as_str()),
        (how_to::DOMAIN1, how_to::TENANT_BRIDGE)
    );
    assert_eq!((token.upn.as_deref(), token.kind), (Some(ACC1), TokenKind::User));
}

#[tokio::test]
async fn a_guest_has_another_object_id_in_the_other_tenant() {
    let cloud = start().await;
    let assertion = cloud.mint(ACC3, "domain1.com");
    let read = |reply: &Reply| TokenView::read(reply.body["access_token"].as_str().unwrap()).unwrap();
    let home = read(&cloud.exchange("domain1.com", &assertion).await);
    let away = read(&cloud.exchange("domain2.com", &assertion).await);
    assert_eq!(
        (home.tenant.as_str(), away.tenant.as_str()),
        (how_to::DOMAIN1, how_to::DOMAIN2)
    );
    assert_ne!(home.oid, away.oid);
    assert_eq!(away.upn.as_deref(), Some(ACC3));
}

#[tokio::test]
async fn common_gives_a_guest_the_home_tenants_token() {
    let cloud = start().await;
    let reply = cloud.exchange("common", &cloud.mint(ACC3, "domain2.com")).await;
    let token = TokenView::read(reply.body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(token.tenant, how_to::DOMAIN1);
}

#[tokio::test]
async fn a_client_may_prove_itself_with_basic_authentication() {
    let cloud = start().await;
    let url = format!("{}domain1.com/oauth2/v2.0/token", cloud.emulator.entra_url());
    let assertion = cloud.mint(ACC1, "domain1.com");
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("assertion", &assertion),
        ("scope", ARM_SCOPE),
    ];
    let request = cloud
        .http
        .post(url)
        .basic_auth(how_to::TENANT_BRIDGE, Some(how_to::TENANT_BRIDGE_SECRET));
    assert_eq!(request.form(&form).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn capabilities_show_only_when_the_resource_lists_them() {
    let cloud = start().await;
    let claims = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
    let assertion = cloud.mint(ACC1, "domain1.com");
    let reply = cloud
        .exchange_with("domain1.com", &assertion, &[("claims", claims)])
        .await;
    assert_eq!(
        claim(reply.body["access_token"].as_str().unwrap(), "xms_cc"),
        json!(["cp1"])
    );
    let overrides = TokenOverrides {
        client_capabilities: vec!["cp1".to_owned()],
        ..TokenOverrides::default()
    };
    assert_eq!(
        claim(&cloud.mint_wrong(ACC1, "domain1.com", overrides), "xms_cc"),
        json!(["cp1"])
    );
    assert_eq!(claim(&assertion, "xms_cc"), Value::Null);
}

fn claim(token: &str, name: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(part)
        .unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()[name].clone()
}

#[tokio::test]
async fn the_correlation_id_is_the_callers() {
    let cloud = start().await;
    let id = "5e2ca2b5-6d5a-4f4c-8f21-0a4d1e2e6a11";
    let url = format!("{}domain1.com/oauth2/v2.0/token", cloud.emulator.entra_url());
    let response = cloud
        .http
        .post(url)
        .header("client-request-id", id)
        .form(&[("x", "y")])
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["client-request-id"], id);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["correlation_id"], id);
}

#[tokio::test]
async fn an_app_gets_its_own_token_without_a_user() {
    let cloud = start().await;
    let reply = cloud
        .exchange_with("domain2.com", "", &[("grant_type", "client_credentials")])
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    let token = TokenView::read(reply.body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(
        (token.kind, token.upn, token.tenant.as_str()),
        (TokenKind::App, None, how_to::DOMAIN2)
    );
    let named = [
        ("grant_type", "client_credentials"),
        ("scope", "https://management.azure.com/user_impersonation"),
    ];
    assert_eq!(
        refusal(&cloud.exchange_with("domain2.com", "", &named).await).2,
        1002012
    );
}

#[tokio::test]
async fn roles_in_a_minted_token_are_the_directorys() {
    let cloud = start().await;
    let token = cloud.mint("acc7@domain1.com", "domain1.com");
    assert_eq!(claim(&token, "roles"), json!(["Operator", "Auditor"]));
    assert_eq!(claim(&cloud.mint(ACC1, "domain1.com"), "roles"), Value::Null);
    assert_eq!(
        claim(&cloud.mint(ACC3, "domain2.com"), "idp"),
        format!("https://sts.windows.net/{}/", how_to::DOMAIN1)
    );
}
