//! How often the token endpoint may be asked.

use std::time::Duration;

use azure_emulator::{World, how_to};
use reqwest::StatusCode;

use crate::refusals::refusal;
use crate::support::{ARM_SCOPE, Reply, start};

const ACC1: &str = "acc1@domain1.com";
const ACC3: &str = "acc3@domain1.com";

#[tokio::test]
async fn a_loop_of_identical_requests_ends_with_a_pause_and_holds_up_no_other_request() {
    let cloud = start().await;
    let token = cloud.mint(ACC3, "domain1.com");
    for _ in 0..14 {
        assert_eq!(cloud.exchange("domain1.com", &token).await.status, StatusCode::OK);
    }
    for _ in 0..2 {
        let refused = cloud.exchange("domain1.com", &token).await;
        assert_eq!(refusal(&refused), (400, "invalid_grant", 50196, None));
    }
    // Another tenant, another scope, another person, the same person's next token.
    let scope = [("scope", "https://management.azure.com/user_impersonation")];
    for other in [
        cloud.exchange("domain2.com", &token).await,
        cloud.exchange_with("domain1.com", &token, &scope).await,
        cloud
            .exchange("domain1.com", &cloud.mint(ACC1, "domain1.com"))
            .await,
        cloud
            .exchange("domain1.com", &cloud.mint(ACC3, "domain1.com"))
            .await,
    ] {
        assert_eq!(other.status, StatusCode::OK, "{:?}", other.body);
    }
    cloud.emulator.clock().advance(Duration::from_secs(300));
    assert_eq!(cloud.exchange("domain1.com", &token).await.status, StatusCode::OK);
    cloud.emulator.edit(|world| world.set_loop_detection(false));
    for _ in 0..20 {
        assert_eq!(cloud.exchange("domain1.com", &token).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_loop_of_refreshes_is_one_although_the_token_changes() {
    let cloud = start().await;
    let code = cloud.code(ACC1, "domain1.com", &[]).await;
    let mut reply = cloud.redeem("domain1.com", &code, &[]).await;
    for _ in 0..14 {
        let token = reply.body["refresh_token"].as_str().unwrap().to_owned();
        reply = cloud.refresh("domain1.com", &token, &[]).await;
    }
    let token = reply.body["refresh_token"].as_str().unwrap();
    assert_eq!(refusal(&cloud.refresh("domain1.com", token, &[]).await).2, 50196);
}

#[tokio::test]
async fn who_asks_more_often_than_a_rate_allows_is_told_when_to_come_back_in_plain_text() {
    let cloud = start().await;
    let minute = Duration::from_secs(60);
    let limit = |app: Option<&'static str>, requests| {
        let set =
            |world: &mut azure_emulator::World| world.limit_tokens("domain1.com", app, requests, minute);
        cloud.emulator.edit(set).unwrap();
    };
    limit(Some("tenant-bridge"), 2);
    let token = cloud.mint(ACC1, "domain1.com");
    for _ in 0..2 {
        assert_eq!(cloud.exchange("domain1.com", &token).await.status, StatusCode::OK);
    }
    cloud.emulator.clock().advance(Duration::from_secs(15));
    let url = format!("{}domain1.com/oauth2/v2.0/token", cloud.emulator.entra_url());
    let form = [("client_id", how_to::TENANT_BRIDGE)];
    let response = cloud.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-type").starts_with("text/plain"));
    let wait: u64 = header("retry-after").parse().unwrap();
    assert!((30..=45).contains(&wait), "{wait}");
    assert_eq!(response.text().await.unwrap(), "Too Many Requests");

    // Another app of the tenant is not held up, until the tenant's own rate is used up; nor is another tenant.
    let portal = [("grant_type", "client_credentials"), ("scope", ARM_SCOPE)];
    assert_eq!(cloud.token("domain1.com", &portal).await.status, StatusCode::OK);
    limit(None, 0);
    assert_eq!(
        cloud.token("domain1.com", &portal).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(cloud.token("domain2.com", &portal).await.status, StatusCode::OK);
    cloud
        .emulator
        .edit(|world| world.unlimit_tokens("domain1.com", None))
        .unwrap();
    cloud.emulator.clock().advance(Duration::from_secs(wait));
    assert_eq!(cloud.exchange("domain1.com", &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_app_is_counted_as_itself_however_it_says_who_it_is() {
    let cloud = start().await;
    let url = format!("{}domain1.com/oauth2/v2.0/token", cloud.emulator.entra_url());
    let ask = async |form: &[(&str, &str)], basic: bool| {
        let mut request = cloud.http.post(&url).form(form);
        if basic {
            request = request.basic_auth(how_to::TENANT_BRIDGE, Some(how_to::TENANT_BRIDGE_SECRET));
        }
        Reply::read(request.send().await.unwrap()).await
    };
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", how_to::TENANT_BRIDGE),
        ("client_secret", how_to::TENANT_BRIDGE_SECRET),
        ("scope", ARM_SCOPE),
    ];
    let short = [form[0], form[3]];
    let limit = |world: &mut World| {
        world
            .limit_tokens("domain1.com", Some("tenant-bridge"), 1, Duration::from_secs(60))
            .unwrap();
    };
    for (first, second) in [(false, true), (true, false), (true, true)] {
        cloud.emulator.edit(limit);
        let pick = |basic: bool| if basic { &short[..] } else { &form[..] };
        assert_eq!(ask(pick(first), first).await.status, StatusCode::OK);
        assert_eq!(
            ask(pick(second), second).await.status,
            StatusCode::TOO_MANY_REQUESTS,
            "{first} {second}"
        );
    }
    cloud
        .emulator
        .edit(|world| world.unlimit_tokens("domain1.com", Some("tenant-bridge")))
        .unwrap();
    let token = cloud.mint(ACC3, "domain1.com");
    let exchange = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("assertion", token.as_str()),
        form[3],
    ];
    for _ in 0..14 {
        assert_eq!(ask(&exchange, true).await.status, StatusCode::OK);
    }
    assert_eq!(refusal(&ask(&exchange, true).await).2, 50196);
    assert_eq!(
        cloud.exchange("domain1.com", &token).await.body["error_codes"][0],
        50196,
        "as the same app"
    );
}
