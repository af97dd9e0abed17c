//! ARM's buckets, and what it says when one is empty.

use std::time::Duration;

use azure_emulator::how_to::{CLUSTER, NAMESPACE, SUBSCRIPTION1};
use azure_emulator::{BucketSize, ThrottledBody, Throttling};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Cloud, Reply, connection, start};

const USER: &str = "acc1@domain1.com";
const GLOBAL_READS: &str = "x-ms-ratelimit-remaining-subscription-global-reads";
const READS: &str = "x-ms-ratelimit-remaining-subscription-reads";

fn bucket(calls: u32, refill_per_second: u32) -> BucketSize {
    BucketSize {
        calls,
        refill_per_second,
    }
}

fn limit(cloud: &Cloud, throttling: Throttling) {
    cloud.emulator.edit(|world| world.set_throttling(throttling));
}

fn subscription() -> String {
    format!("/subscriptions/{SUBSCRIPTION1}?api-version=2022-12-01")
}

fn cluster() -> String {
    format!("{CLUSTER}?api-version=2024-04-13")
}

#[tokio::test]
async fn headers_count_down_for_each_principal_and_kind_and_refill() {
    let cloud = start().await;
    let one = cloud.arm_token(USER, "domain1.com").await;
    let two = cloud.arm_token("acc6@domain1.com", "domain1.com").await;
    // The clock goes on while calls are made: what is counted down must not refill meanwhile.
    let refilling = |per_second| Throttling {
        reads: bucket(250, per_second),
        ..Throttling::default()
    };
    limit(&cloud, refilling(0));
    let mut seen = Vec::new();
    for token in [&one, &one, &two] {
        let reply = cloud.get(token, &subscription()).await;
        assert_eq!(reply.status, StatusCode::OK);
        let number = |name: &str| reply.header(name).parse::<u32>().unwrap();
        seen.push((number(READS), number(GLOBAL_READS)));
    }
    assert_eq!(seen, [(249, 3749), (248, 3748), (249, 3747)]);
    let path = format!("{NAMESPACE}?api-version=2024-01-01");
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    assert_eq!(cloud.get(&other, &path).await.header(GLOBAL_READS), "3749");
    let deleted = cloud.delete(&one, &connection("none")).await;
    assert_eq!(
        deleted.header("x-ms-ratelimit-remaining-subscription-deletes"),
        "199"
    );
    limit(&cloud, refilling(1));
    for _ in 0..3 {
        cloud.get(&one, &subscription()).await;
    }
    cloud.emulator.clock().advance(Duration::from_secs(60));
    assert_eq!(cloud.get(&one, &subscription()).await.header(READS), "249");
    let tenant = cloud.get(&one, "/subscriptions?api-version=2022-12-01").await;
    assert_eq!(tenant.header("x-ms-ratelimit-remaining-tenant-reads"), "249");
}

#[tokio::test]
async fn calls_are_refused_only_if_the_world_says_so() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let empty = Throttling {
        reads: bucket(0, 1),
        ..Throttling::default()
    };
    limit(&cloud, empty);
    let reply = cloud.get(&token, &subscription()).await;
    assert_eq!((reply.status, reply.header(READS)), (StatusCode::OK, "0"));
    assert!(!reply.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn an_empty_bucket_refuses_with_the_time_until_it_has_refilled() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let other = cloud.arm_token("acc6@domain1.com", "domain1.com").await;
    let slow = Throttling {
        enforced: true,
        deletes: bucket(10, 1),
        writes: bucket(1, 0),
        ..Throttling::default()
    };
    limit(&cloud, slow);
    for _ in 0..10 {
        let reply = cloud.delete(&token, &connection("none")).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
    }
    let refused = cloud.delete(&token, &connection("none")).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("x-ms-failure-cause"), "gateway");
    assert_eq!(
        refused.header("x-ms-ratelimit-remaining-subscription-deletes"),
        "0"
    );
    assert_eq!(
        cloud.delete(&other, &connection("none")).await.code(),
        "AuthorizationFailed"
    );
    assert_eq!(cloud.get(&token, &cluster()).await.status, StatusCode::OK);
    cloud.emulator.clock().advance(Duration::from_secs(1));
    assert_eq!(
        cloud.delete(&token, &connection("none")).await.status,
        StatusCode::NO_CONTENT
    );
    let name = json!({ "name": "x", "type": "Microsoft.Kusto/clusters/databases/dataConnections" });
    let path = format!(
        "{}/checkNameAvailability?api-version=2024-04-13",
        azure_emulator::how_to::DATABASE
    );
    let ask = || cloud.send(Method::POST, &token, &path, Some(&name));
    assert_eq!(ask().await.status, StatusCode::OK);
    assert_eq!(ask().await.header("retry-after"), "3600", "it never refills");
}

async fn refused(body: Option<ThrottledBody>, global_factor: u32, path: &str) -> Reply {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let limits = Throttling {
        enforced: true,
        reads: bucket(if global_factor == 0 { 1000 } else { 0 }, 1),
        global_factor,
        body,
        ..Throttling::default()
    };
    limit(&cloud, limits);
    cloud.get(&token, path).await
}

#[tokio::test]
async fn there_are_four_ways_to_say_it() {
    let subscription_text = "Number of read requests for subscription '50000000-0000-4000-8000-000000000001' exceeded \
                             the limit of '0' for time interval '00:00:00'. Please try again after '1' seconds.";
    let storage_text = "Number of requests for subscription '50000000-0000-4000-8000-000000000001' and operation \
                        'GET/SUBSCRIPTIONS/50000000-0000-4000-8000-000000000001' exceeded the backend storage limit. \
                        Please try again after '1' seconds.";
    let resource_text = "Number of requests for action 'Microsoft.Kusto/clusters/read' exceeded the limit of '0' for \
                         time interval '00:00:00'. Please try again after '1' seconds.";
    let (plain, here, kusto) = ("The request is being throttled.", subscription(), cluster());
    for (body, factor, path, code, text) in [
        (
            None,
            15,
            &here,
            "SubscriptionRequestsThrottled",
            subscription_text,
        ),
        (None, 15, &kusto, "ResourceRequestsThrottled", resource_text),
        (
            Some(ThrottledBody::Subscription),
            15,
            &kusto,
            "SubscriptionRequestsThrottled",
            subscription_text,
        ),
        (
            Some(ThrottledBody::BackendStorage),
            15,
            &here,
            "SubscriptionRequestsThrottled",
            storage_text,
        ),
        (
            Some(ThrottledBody::Resource),
            15,
            &kusto,
            "ResourceRequestsThrottled",
            resource_text,
        ),
        (Some(ThrottledBody::Plain), 15, &here, "TooManyRequests", plain),
    ] {
        let reply = refused(body, factor, path).await;
        assert_eq!(
            (reply.status, reply.code(), reply.message()),
            (StatusCode::TOO_MANY_REQUESTS, code, text)
        );
        assert_eq!(reply.header("retry-after"), "1");
    }
    let by_all = refused(None, 0, &here).await;
    assert!(by_all.message().contains("backend storage limit"));
}
