//! Sessions that end before their tokens do.

use std::time::Duration;

use azure_emulator::{MintUserToken, TokenOverrides, how_to};
use reqwest::StatusCode;

use crate::browser::claims;
use crate::refusals::refusal;
use crate::support::{Cloud, Reply, start};

const ACC1: &str = "acc1@domain1.com";
const ACC3: &str = "acc3@domain1.com";
const CAPABLE: &str = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;

async fn signed_in(cloud: &Cloud, user: &str) -> Reply {
    let code = cloud.code(user, "domain1.com", &[]).await;
    cloud.redeem("domain1.com", &code, &[]).await
}

fn text<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.body[name].as_str().unwrap()
}

#[tokio::test]
async fn what_rests_on_a_revoked_session_is_refused_and_the_next_sign_in_is_not() {
    for (code, revoke) in [(50173, true), (50133, false)] {
        let cloud = start().await;
        let old = signed_in(&cloud, ACC3).await;
        let minted = cloud.mint(ACC3, "domain2.com");
        let change = |world: &mut azure_emulator::World| {
            if revoke {
                world.revoke_sessions(ACC3)
            } else {
                world.change_password(ACC3)
            }
        };
        cloud.emulator.edit(change).unwrap();
        let refresh = cloud
            .refresh("domain1.com", text(&old, "refresh_token"), &[])
            .await;
        let exchange = cloud.exchange("domain1.com", text(&old, "access_token")).await;
        let guest = cloud.exchange("domain2.com", &minted).await;
        for refused in [refresh, exchange, guest] {
            assert_eq!(refusal(&refused), (400, "invalid_grant", code, None));
        }
        // Directly afterwards, also within the same second.
        let new = signed_in(&cloud, ACC3).await;
        let exchanged = cloud.exchange("domain1.com", text(&new, "access_token")).await;
        assert_eq!(exchanged.status, StatusCode::OK, "{}", exchanged.body);
        let minted = cloud.mint(ACC3, "domain2.com");
        let exchanged = cloud.exchange("domain2.com", &minted).await;
        assert_eq!(exchanged.status, StatusCode::OK, "{}", exchanged.body);
        let other = cloud
            .exchange("domain1.com", &cloud.mint(ACC1, "domain1.com"))
            .await;
        assert_eq!(other.status, StatusCode::OK, "{}", other.body);
    }
}

#[tokio::test]
async fn a_capable_clients_arm_token_lives_for_a_day_and_no_other_does() {
    let cloud = start().await;
    let token = cloud.mint(ACC1, "domain1.com");
    let capable = cloud
        .exchange_with("domain1.com", &token, &[("claims", CAPABLE)])
        .await;
    assert_eq!(capable.body["expires_in"], 86400);
    assert_eq!(capable.body["refresh_in"], 43200);
    let arm = claims(&capable.body["access_token"]);
    assert_eq!(arm["exp"].as_i64().unwrap() - arm["iat"].as_i64().unwrap(), 86400);
    assert_eq!(arm["xms_cc"], serde_json::json!(["cp1"]));

    let plain = cloud.exchange("domain1.com", &token).await;
    let api = cloud.code(ACC1, "domain1.com", &[("claims", CAPABLE)]).await;
    let api = cloud.redeem("domain1.com", &api, &[]).await;
    assert_eq!(
        claims(&api.body["access_token"])["xms_cc"],
        serde_json::json!(["cp1"])
    );
    for short in [plain, api] {
        let life = short.body["expires_in"].as_i64().unwrap();
        assert!((3600..=5400).contains(&life) && short.body["refresh_in"].is_null());
    }
    let database = format!("{}?api-version=2024-04-13", how_to::DATABASE);
    cloud.emulator.clock().advance(Duration::from_secs(23 * 3600));
    let read = cloud.get(text(&capable, "access_token"), &database).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.body);
}

#[tokio::test]
async fn the_directory_tells_which_arm_tokens_a_revocation_made_worthless() {
    let cloud = start().await;
    let issued = cloud.emulator.clock().now();
    let oid = "0acc0003-0000-4000-8000-000000000002";
    let since = || {
        let look = |world: &azure_emulator::World| {
            world
                .directory
                .issued_before_revocation(how_to::DOMAIN2, oid, issued)
        };
        cloud.emulator.read(look)
    };
    assert_eq!(since(), None);
    cloud.emulator.edit(|world| world.revoke_sessions(ACC3)).unwrap();
    assert!(since().is_some_and(|at| at >= issued));
}

#[tokio::test]
async fn a_deleted_account_is_known_nowhere() {
    let cloud = start().await;
    let old = signed_in(&cloud, ACC3).await;
    cloud.emulator.edit(|world| world.delete_user(ACC3)).unwrap();
    let refresh = cloud
        .refresh("domain1.com", text(&old, "refresh_token"), &[])
        .await;
    let exchange = cloud.exchange("domain1.com", text(&old, "access_token")).await;
    for refused in [refresh, exchange] {
        assert_eq!(refusal(&refused), (400, "invalid_grant", 50034, None));
    }
    let shown = cloud.authorize("domain1.com", &[], &[("account", ACC3)]).await;
    assert_eq!(shown.shown_code(), 50034);
    let request = MintUserToken {
        user: ACC3.to_owned(),
        tenant: "domain1.com".to_owned(),
        client_app: "portal".to_owned(),
        api: "tenant-bridge".to_owned(),
        overrides: TokenOverrides::default(),
        ..MintUserToken::default()
    };
    assert!(cloud.emulator.mint_user_token(&request).is_err());
}
