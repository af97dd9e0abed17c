//! Which tokens ARM takes.

use std::time::Duration;

use azure_emulator::how_to::{self, DOMAIN1, SUBSCRIPTION1, SUBSCRIPTION2};
use reqwest::{Method, StatusCode};

use crate::support::{Cloud, Reply, start};

fn subscription(id: &str) -> String {
    format!("/subscriptions/{id}?api-version=2022-12-01")
}

async fn with_auxiliary(cloud: &Cloud, token: &str, auxiliary: &str) -> Reply {
    let primary = format!("Bearer {token}");
    let headers = [
        ("authorization", primary.as_str()),
        ("x-ms-authorization-auxiliary", auxiliary),
    ];
    cloud
        .arm(Method::GET, &subscription(SUBSCRIPTION1), &headers, None)
        .await
}

#[tokio::test]
async fn without_a_token_the_challenge_tells_the_subscriptions_tenant() {
    let cloud = start().await;
    let reply = cloud
        .arm(Method::GET, &subscription(SUBSCRIPTION1), &[], None)
        .await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    let challenge = reply.header("www-authenticate");
    assert!(challenge.starts_with(&format!(
        "Bearer authorization_uri=\"https://login.windows.net/{DOMAIN1}\", error=\"invalid_token\""
    )));
    assert_eq!(reply.code(), "AuthenticationFailed");
}

#[tokio::test]
async fn an_unknown_subscription_is_not_found_with_or_without_a_token() {
    let cloud = start().await;
    let reply = cloud
        .arm(
            Method::GET,
            &subscription("50000000-0000-4000-8000-00000000ffff"),
            &[],
            None,
        )
        .await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::NOT_FOUND, "SubscriptionNotFound")
    );
    assert!(!reply.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn a_token_of_another_tenant_is_from_the_wrong_issuer() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let reply = cloud.get(&token, &subscription(SUBSCRIPTION2)).await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::UNAUTHORIZED, "InvalidAuthenticationTokenTenant")
    );
    assert!(
        reply
            .message()
            .contains(&format!("https://sts.windows.net/{}/", how_to::DOMAIN2))
    );
    assert!(reply.header("www-authenticate").contains(how_to::DOMAIN2));
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    let cloud = start().await;
    let reply = cloud
        .get(
            &cloud.mint("acc1@domain1.com", "domain1.com"),
            &subscription(SUBSCRIPTION1),
        )
        .await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::UNAUTHORIZED, "InvalidAuthenticationTokenAudience")
    );
}

#[tokio::test]
async fn an_expired_token_is_refused_with_both_times() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    cloud.emulator.clock().advance(Duration::from_secs(2 * 3600));
    let reply = cloud.get(&token, &subscription(SUBSCRIPTION1)).await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::UNAUTHORIZED, "ExpiredAuthenticationToken")
    );
}

#[tokio::test]
async fn a_changed_token_is_invalid() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let reply = cloud
        .get(
            &format!("{}AAAA", token.get(..token.len() - 4).unwrap()),
            &subscription(SUBSCRIPTION1),
        )
        .await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken")
    );
}

#[tokio::test]
async fn every_audience_spelling_that_entra_gives_is_taken() {
    let cloud = start().await;
    let own = format!("{}.default", cloud.emulator.arm_url());
    for scope in [
        "https://management.azure.com/.default",
        "https://management.azure.com//.default",
        "https://management.core.windows.net/.default",
        "https://management.core.windows.net//.default",
        own.as_str(),
    ] {
        let assertion = cloud.mint("acc1@domain1.com", "domain1.com");
        let reply = cloud
            .exchange_with("domain1.com", &assertion, &[("scope", scope)])
            .await;
        let token = reply.body["access_token"].as_str().unwrap();
        assert_eq!(
            cloud.get(token, &subscription(SUBSCRIPTION1)).await.status,
            StatusCode::OK,
            "{scope}"
        );
    }
}

#[tokio::test]
async fn auxiliary_tokens_may_be_joined_with_commas_or_semicolons_and_be_empty() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    for auxiliary in [
        String::new(),
        format!("Bearer {other}"),
        format!("Bearer {other}; bearer {other}"),
        format!(", Bearer {other},"),
    ] {
        assert_eq!(
            with_auxiliary(&cloud, &token, &auxiliary).await.status,
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn one_bad_auxiliary_token_refuses_the_request_and_is_named() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    let wrong_audience = cloud.mint("acc2@domain2.com", "domain2.com");
    let reply = with_auxiliary(
        &cloud,
        &token,
        &format!("Bearer {other}, Bearer {wrong_audience}"),
    )
    .await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(reply.message().contains(how_to::DOMAIN2));
    assert_eq!(
        with_auxiliary(&cloud, &token, "Bearer rubbish").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn four_auxiliary_tokens_are_too_many() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let four = vec![format!("Bearer {token}"); 4].join(", ");
    assert_eq!(
        with_auxiliary(&cloud, &token, &four).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn headers_larger_than_four_tokens_get_through() {
    let cloud = start().await;
    let token = format!(
        "Bearer {}",
        cloud.arm_token("acc1@domain1.com", "domain1.com").await
    );
    let padding = "x".repeat(60_000);
    let headers = [("authorization", token.as_str()), ("x-padding", &padding)];
    let path = subscription(SUBSCRIPTION1);
    assert_eq!(
        cloud.arm(Method::GET, &path, &headers, None).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_app_may_read_where_it_was_given_a_role() {
    let cloud = start().await;
    let changes = [("grant_type", "client_credentials")];
    let reply = cloud.exchange_with("domain1.com", "", &changes).await;
    let token = reply.body["access_token"].as_str().unwrap();
    let path = format!("{}?api-version=2024-04-13", how_to::CLUSTER);
    let refused = cloud.get(token, &path).await;
    assert_eq!(refused.code(), "AuthorizationFailed");
    assert!(refused.message().contains(how_to::TENANT_BRIDGE));
    cloud
        .emulator
        .edit(|world| world.assign_role("tenant-bridge", "Reader", how_to::CLUSTER))
        .unwrap();
    assert_eq!(cloud.get(token, &path).await.status, StatusCode::OK);
}
