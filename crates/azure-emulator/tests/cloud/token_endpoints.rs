//! The two token endpoints: one policy's refusal in the words of each.

use std::time::Duration;

use azure_emulator::directory::{PolicySpec, Requirement};
use azure_emulator::how_to::{TENANT_BRIDGE, TENANT_BRIDGE_SECRET};

use crate::refusals::refusal;
use crate::support::{Cloud, Reply, start};

const ACC1: &str = "acc1@domain1.com";

async fn exchange_at_v1(cloud: &Cloud, assertion: &str) -> Reply {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("client_id", TENANT_BRIDGE),
        ("client_secret", TENANT_BRIDGE_SECRET),
        ("assertion", assertion),
        ("resource", "https://management.azure.com"),
        ("requested_token_use", "on_behalf_of"),
    ];
    let url = format!("{}domain1.com/oauth2/token", cloud.emulator.entra_url());
    Reply::read(cloud.http.post(url).form(&form).send().await.unwrap()).await
}

#[tokio::test]
async fn a_policys_refusal_is_an_invalid_grant_at_v2_and_asks_for_interaction_at_v1() {
    for (requires, frequency, code, suberror, at_v1) in [
        (
            Some(Requirement::Mfa),
            None,
            50076,
            "basic_action",
            "interaction_required",
        ),
        (
            Some(Requirement::Block),
            None,
            53003,
            "message_only",
            "interaction_required",
        ),
        (None, Some(60), 70043, "token_expired", "interaction_required"),
    ] {
        let cloud = start().await;
        let token = cloud.mint(ACC1, "domain1.com");
        cloud.emulator.clock().advance(Duration::from_secs(61));
        let spec = PolicySpec {
            tenant: "domain1.com".to_owned(),
            name: "Management".to_owned(),
            resources: vec!["azure-resource-manager".to_owned()],
            requires,
            claims: Some(requires.is_some()),
            sign_in_frequency: frequency,
            ..PolicySpec::default()
        };
        cloud.emulator.edit(|world| world.add_policy(&spec)).unwrap();
        let v2 = cloud.exchange("domain1.com", &token).await;
        assert_eq!(refusal(&v2), (400, "invalid_grant", code, Some(suberror)));
        let v1 = exchange_at_v1(&cloud, &token).await;
        assert_eq!(refusal(&v1), (400, at_v1, code, Some(suberror)));
        assert_eq!(v1.body["claims"], v2.body["claims"]);
        assert_eq!(v2.body["claims"].is_string(), requires.is_some(), "{code}");
    }
}

#[tokio::test]
async fn a_code_or_refresh_token_that_is_none_or_too_old_is_a_bad_token() {
    let cloud = start().await;
    let guessed = cloud.redeem("domain1.com", "a-guess", &[]).await;
    assert_eq!(
        refusal(&guessed),
        (400, "invalid_grant", 70000, Some("bad_token"))
    );
    let code = cloud.code(ACC1, "domain1.com", &[]).await;
    let tokens = cloud.redeem("domain1.com", &code, &[]).await;
    let token = tokens.body["refresh_token"].as_str().unwrap();
    cloud
        .emulator
        .clock()
        .advance(Duration::from_secs(91 * 24 * 3600));
    let old = cloud.refresh("domain1.com", token, &[]).await;
    assert_eq!(refusal(&old), (400, "invalid_grant", 700082, Some("bad_token")));
}
