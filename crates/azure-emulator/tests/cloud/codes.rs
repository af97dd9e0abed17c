//! Codes, refresh tokens and ID tokens at the token endpoint.

use std::time::Duration;

use azure_emulator::how_to::{
    DOMAIN1, DOMAIN2, OTHER_PORTAL, PORTAL, TENANT_BRIDGE, TENANT_BRIDGE_SECRET, TENANT_BRIDGE_URI,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::browser::{API_SCOPE, claims};
use crate::refusals::refusal;
use crate::support::{ARM_SCOPE, Cloud, Reply, start};

const ACC1: &str = "acc1@domain1.com";
const ACC3: &str = "acc3@domain1.com";

#[tokio::test]
async fn a_code_gives_all_that_was_asked_for() {
    let cloud = start().await;
    let code = cloud.code(ACC1, "domain1.com", &[]).await;
    let reply = cloud.redeem("domain1.com", &code, &[("client_info", "1")]).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    assert_eq!(reply.body["scope"], API_SCOPE);
    assert!(reply.body["expires_in"].is_u64() && reply.body["ext_expires_in"].is_u64());
    assert!(reply.body["refresh_token"].is_string());
    let access = claims(&reply.body["access_token"]);
    assert_eq!(
        (&access["scp"], &access["azp"], &access["azpacr"]),
        (&json!("Connections.ReadWrite"), &json!(PORTAL), &json!("1"))
    );
    let id = claims(&reply.body["id_token"]);
    for (claim, value) in [
        ("ver", json!("2.0")),
        ("aud", json!(PORTAL)),
        ("tid", json!(DOMAIN1)),
        ("nonce", json!("n1")),
        ("oid", access["oid"].clone()),
        ("sid", access["sid"].clone()),
        ("preferred_username", json!(ACC1)),
        ("name", json!("Account 1")),
        (
            "iss",
            json!(format!("{}{DOMAIN1}/v2.0", cloud.emulator.entra_url())),
        ),
    ] {
        assert_eq!(id[claim], value, "{claim}");
    }
    assert_ne!(id["sub"], access["sub"], "each app has its own subject");
    let info = reply.body["client_info"].as_str().unwrap();
    let info: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(info).unwrap()).unwrap();
    assert_eq!(info, json!({ "uid": access["oid"], "utid": DOMAIN1 }));
}

#[tokio::test]
async fn nothing_is_given_that_was_not_asked_for() {
    let cloud = start().await;
    let code = cloud.code(ACC1, "domain1.com", &[("scope", API_SCOPE)]).await;
    let reply = cloud.redeem("domain1.com", &code, &[]).await;
    for member in ["refresh_token", "id_token", "client_info"] {
        assert!(reply.body.get(member).is_none(), "{member}");
    }
    let scope = format!("{API_SCOPE} openid");
    let code = cloud.code(ACC1, "domain1.com", &[("scope", &scope)]).await;
    let id = claims(&cloud.redeem("domain1.com", &code, &[]).await.body["id_token"]);
    for claim in ["oid", "name", "preferred_username", "email"] {
        assert!(id.get(claim).is_none(), "{claim} comes with profile or email");
    }
}

#[tokio::test]
async fn a_sign_in_alone_is_a_token_for_graph() {
    let cloud = start().await;
    let code = cloud
        .code(ACC1, "domain1.com", &[("scope", "openid profile email")])
        .await;
    let reply = cloud.redeem("domain1.com", &code, &[]).await;
    assert_eq!(reply.body["scope"], "openid profile email");
    assert_eq!(
        claims(&reply.body["access_token"])["aud"],
        "https://graph.microsoft.com"
    );
    assert_eq!(claims(&reply.body["id_token"])["email"], ACC1);
}

#[tokio::test]
async fn a_code_is_bound_to_its_client_address_tenant_and_time_and_works_once() {
    let cloud = start().await;
    let code = cloud.code(ACC3, "domain1.com", &[]).await;
    let other_client = [
        ("client_id", TENANT_BRIDGE),
        ("client_secret", TENANT_BRIDGE_SECRET),
    ];
    for (tenant, fields, expected) in [
        ("domain1.com", &other_client[..], 70000),
        ("domain1.com", &[("redirect_uri", "http://localhost")], 500112),
        ("domain1.com", &[("redirect_uri", "")], 900144),
        ("domain2.com", &[], 700005),
        ("domain1.com", &[("client_secret", "guess")], 7000215),
        ("domain1.com", &[("code_verifier", "unexpected")], 501481),
        ("domain1.com", &[("scope", "nonsense/")], 70011),
    ] {
        let reply = cloud.redeem(tenant, &code, fields).await;
        assert_eq!(refusal(&reply).2, expected, "{tenant} {fields:?}");
    }
    assert_eq!(
        refusal(&cloud.redeem("domain1.com", "1.guess", &[]).await).2,
        70000
    );
    assert_eq!(
        cloud.redeem("domain1.com", &code, &[]).await.status,
        StatusCode::OK
    );
    let again = cloud.redeem("domain1.com", &code, &[]).await;
    assert_eq!(refusal(&again), (400, "invalid_grant", 54005, None));
    let late = cloud.code(ACC1, "domain1.com", &[]).await;
    cloud.emulator.clock().advance(Duration::from_secs(600));
    let late = cloud.redeem("domain1.com", &late, &[]).await;
    assert_eq!(refusal(&late), (400, "invalid_grant", 70008, None));
}

#[tokio::test]
async fn a_proof_key_is_compared_as_its_method_says() {
    let cloud = start().await;
    let verifier = "v".repeat(43);
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    for (challenge, method, sent, expected) in [
        (hash.as_str(), "S256", verifier.as_str(), None),
        (verifier.as_str(), "plain", verifier.as_str(), None),
        (verifier.as_str(), "", verifier.as_str(), None),
        (hash.as_str(), "S256", hash.as_str(), Some(501481)),
        (hash.as_str(), "plain", verifier.as_str(), Some(501481)),
        (hash.as_str(), "S256", "", Some(50148)),
    ] {
        let changes = [("code_challenge", challenge), ("code_challenge_method", method)];
        let code = cloud.code(ACC1, "domain1.com", &changes).await;
        let reply = cloud
            .redeem("domain1.com", &code, &[("code_verifier", sent)])
            .await;
        let got = (reply.status != StatusCode::OK).then(|| refusal(&reply).2);
        assert_eq!(got, expected, "{method} {sent}");
    }
}

#[tokio::test]
async fn a_public_client_has_no_secret_to_show() {
    let cloud = start().await;
    let code = cloud
        .code(ACC1, "domain1.com", &[("client_id", OTHER_PORTAL)])
        .await;
    let with_secret = [("client_id", OTHER_PORTAL), ("client_secret", "anything")];
    let reply = cloud.redeem("domain1.com", &code, &with_secret).await;
    assert_eq!(refusal(&reply), (401, "invalid_client", 700025, None));
    let without = [("client_id", OTHER_PORTAL), ("client_secret", "")];
    let reply = cloud.redeem("domain1.com", &code, &without).await;
    assert_eq!(
        claims(&reply.body["access_token"])["azpacr"],
        "0",
        "{:?}",
        reply.body
    );
    let code = cloud.code(ACC1, "domain1.com", &[]).await;
    let reply = cloud.redeem("domain1.com", &code, &[("client_secret", "")]).await;
    assert_eq!(
        refusal(&reply).2,
        7000218,
        "the portal has a secret and must show it"
    );
}

async fn refresh_token(cloud: &Cloud, user: &str) -> String {
    let code = cloud.code(user, "domain1.com", &[]).await;
    taken(&cloud.redeem("domain1.com", &code, &[]).await)
}

fn taken(reply: &Reply) -> String {
    assert!(reply.body["refresh_token"].is_string(), "{:?}", reply.body);
    reply.body["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_refresh_token_gives_tokens_for_other_scopes_and_tenants_and_a_new_one_each_time() {
    let cloud = start().await;
    let token = refresh_token(&cloud, ACC3).await;
    let first = cloud.refresh("domain1.com", &token, &[]).await;
    assert_eq!(
        claims(&first.body["access_token"])["scp"],
        "Connections.ReadWrite"
    );
    assert_ne!(taken(&first), token);
    let second = cloud.refresh("domain1.com", &token, &[]).await;
    assert_eq!(second.status, StatusCode::OK, "using it does not end the old one");
    let read = format!("{TENANT_BRIDGE_URI}/Connections.Read");
    let reply = cloud
        .refresh("domain1.com", &taken(&second), &[("scope", &read)])
        .await;
    assert_eq!(claims(&reply.body["access_token"])["scp"], "Connections.Read");
    let away = cloud.refresh("domain2.com", &token, &[]).await;
    assert_eq!(claims(&away.body["access_token"])["tid"], DOMAIN2);
    let common = cloud.refresh("common", &taken(&away), &[]).await;
    assert_eq!(claims(&common.body["access_token"])["tid"], DOMAIN2);
}

#[tokio::test]
async fn a_refresh_token_is_refused_for_what_its_user_and_client_may_not() {
    let cloud = start().await;
    let token = refresh_token(&cloud, ACC1).await;
    let other_client = [
        ("client_id", TENANT_BRIDGE),
        ("client_secret", TENANT_BRIDGE_SECRET),
    ];
    for (tenant, token, fields, expected) in [
        (
            "domain1.com",
            token.as_str(),
            &[("scope", ARM_SCOPE)][..],
            (65001, Some("consent_required")),
        ),
        ("domain2.com", token.as_str(), &[], (50020, None)),
        ("domain1.com", "1.guess", &[], (70000, Some("bad_token"))),
        (
            "domain1.com",
            token.as_str(),
            &other_client,
            (70000, Some("client_mismatch")),
        ),
    ] {
        let reply = cloud.refresh(tenant, token, fields).await;
        let (status, error, code, suberror) = refusal(&reply);
        assert_eq!((status, error), (400, "invalid_grant"), "{tenant} {fields:?}");
        assert_eq!((code, suberror), expected, "{tenant} {fields:?}");
    }
    let code_of = async |token: &str| {
        let reply = cloud.refresh("domain1.com", token, &[]).await;
        (reply.status != StatusCode::OK).then(|| refusal(&reply).2)
    };
    cloud.emulator.edit(|world| world.disable_user(ACC1)).unwrap();
    assert_eq!(code_of(&token).await, Some(50057));
    cloud.emulator.edit(|world| world.enable_user(ACC1)).unwrap();
    assert_eq!(code_of(&token).await, None);
    cloud.emulator.edit(|world| world.revoke_sessions(ACC1)).unwrap();
    assert_eq!(code_of(&token).await, Some(50173));
    let fresh = refresh_token(&cloud, ACC1).await;
    assert_eq!(
        code_of(&fresh).await,
        None,
        "a new sign-in is younger than the revocation"
    );
    cloud
        .emulator
        .clock()
        .advance(Duration::from_secs(90 * 24 * 3600));
    assert_eq!(code_of(&fresh).await, Some(700082));
}

#[tokio::test]
async fn an_exchange_gives_a_refresh_token_to_who_asks_for_offline_access() {
    let cloud = start().await;
    let scope = format!("{ARM_SCOPE} openid profile offline_access");
    let assertion = cloud.mint(ACC1, "domain1.com");
    let reply = cloud
        .exchange_with("domain1.com", &assertion, &[("scope", &scope)])
        .await;
    assert_eq!(claims(&reply.body["id_token"])["aud"], TENANT_BRIDGE);
    let fields = [
        ("client_id", TENANT_BRIDGE),
        ("client_secret", TENANT_BRIDGE_SECRET),
        ("redirect_uri", ""),
    ];
    let fresh = cloud.refresh("domain1.com", &taken(&reply), &fields).await;
    assert_eq!(
        claims(&fresh.body["access_token"])["upn"],
        ACC1,
        "{:?}",
        fresh.body
    );
    let issued = cloud.emulator.issued_tokens();
    for member in ["access_token", "refresh_token", "id_token"] {
        let token = reply.body[member].as_str().unwrap();
        assert!(issued.iter().any(|known| known == token), "{member}");
    }
}

#[tokio::test]
async fn the_v1_endpoint_takes_a_resource_and_writes_numbers_as_text() {
    let cloud = start().await;
    let url = format!("{}domain1.com/oauth2/token", cloud.emulator.entra_url());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", TENANT_BRIDGE),
        ("client_secret", TENANT_BRIDGE_SECRET),
        ("resource", "https://management.azure.com/"),
    ];
    let reply = Reply::read(cloud.http.post(url).form(&form).send().await.unwrap()).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    for member in ["expires_in", "ext_expires_in", "expires_on", "not_before"] {
        let text = reply.body[member].as_str().unwrap();
        assert!(text.parse::<u64>().is_ok(), "{member}");
    }
    assert_eq!(reply.body["resource"], "https://management.azure.com/");
}
