//! Headers of ARM's answers.

use azure_emulator::how_to::{CLUSTER, DATABASE, SUBSCRIPTION1, SUBSCRIPTION2};
use reqwest::{Method, StatusCode};

use crate::support::{connection, start};

const USER: &str = "acc1@domain1.com";

#[tokio::test]
async fn the_front_is_of_the_api_versions_time() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let (old, httpapi) = (["x-powered-by"].as_slice(), ["server"].as_slice());
    let edge = ["x-cache", "x-msedge-ref", "x-ms-operation-identifier"].as_slice();
    for (path, present) in [
        (format!("{CLUSTER}?api-version=2020-02-15"), old),
        (format!("{CLUSTER}?api-version=2021-08-27"), httpapi),
        (format!("{CLUSTER}?api-version=2023-08-15"), httpapi),
        (format!("{CLUSTER}?api-version=2024-04-13"), edge),
        (format!("{CLUSTER}?api-version=2025-02-14"), edge),
        (
            format!("/subscriptions/{SUBSCRIPTION1}?api-version=2016-06-01"),
            edge,
        ),
    ] {
        let reply = cloud.get(&token, &path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        for name in old.iter().chain(httpapi).chain(edge) {
            let expected = present.contains(name);
            assert_eq!(reply.headers.contains_key(*name), expected, "{path} {name}");
        }
    }
}

#[tokio::test]
async fn ids_are_the_callers_or_arms_own() {
    let cloud = start().await;
    let token = format!("Bearer {}", cloud.arm_token(USER, "domain1.com").await);
    let path = format!("{CLUSTER}?api-version=2024-04-13");
    let given = "5e2ca2b5-6d5a-4f4c-8f21-0a4d1e2e6a11";
    for (sent, echoed) in [(Some(given), true), (Some("not a guid"), false), (None, false)] {
        let mut headers = vec![("authorization", token.as_str())];
        headers.extend(sent.map(|id| ("x-ms-correlation-request-id", id)));
        let reply = cloud.arm(Method::GET, &path, &headers, None).await;
        let correlation = reply.header("x-ms-correlation-request-id");
        assert_eq!(correlation == given, echoed);
        assert_ne!(reply.header("x-ms-request-id"), correlation);
        let routing: Vec<&str> = reply.header("x-ms-routing-request-id").split(':').collect();
        assert_eq!((routing[0], routing[2]), ("WESTEUROPE", correlation));
        assert!(
            chrono::NaiveDateTime::parse_from_str(routing[1], "%Y%m%dT%H%M%SZ").is_ok(),
            "{routing:?}"
        );
    }
}

#[tokio::test]
async fn who_failed_and_what_is_left_is_told() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let list = format!("{DATABASE}/dataConnections?api-version=2024-04-13");
    let foreign = format!("/subscriptions/{SUBSCRIPTION2}?api-version=2022-12-01");
    let missing = connection("missing");
    let no_version = CLUSTER.to_owned();
    let resource = Some("x-ms-ratelimit-remaining-subscription-resource-requests");
    let reads = Some("x-ms-ratelimit-remaining-subscription-reads");
    for (path, status, gateway, remaining) in [
        (&list, 200, false, resource),
        (&missing, 404, false, resource),
        (&no_version, 400, true, resource),
        (&foreign, 401, true, None),
        (
            &format!("/subscriptions/{SUBSCRIPTION1}?api-version=2022-12-01"),
            200,
            false,
            reads,
        ),
    ] {
        let reply = cloud.get(&token, path).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        let cause = if gateway { "gateway" } else { "" };
        assert_eq!(reply.header("x-ms-failure-cause"), cause, "{path}");
        let told = (reply.headers.keys()).find(|name| name.as_str().starts_with("x-ms-ratelimit-"));
        match remaining {
            Some(name) => assert!(reply.headers.contains_key(name), "{path}"),
            None => assert_eq!(told, None, "{path}: nobody was counted"),
        }
    }
}

#[tokio::test]
async fn the_callers_own_id_comes_back_only_when_that_is_asked_for() {
    let cloud = start().await;
    let token = format!("Bearer {}", cloud.arm_token(USER, "domain1.com").await);
    let path = format!("{CLUSTER}?api-version=2024-04-13");
    for (asked, echoed) in [(None, ""), (Some("false"), ""), (Some("True"), "mine")] {
        let mut headers = vec![
            ("authorization", token.as_str()),
            ("x-ms-client-request-id", "mine"),
        ];
        headers.extend(asked.map(|word| ("x-ms-return-client-request-id", word)));
        let reply = cloud.arm(Method::GET, &path, &headers, None).await;
        assert_eq!(reply.header("x-ms-client-request-id"), echoed, "{asked:?}");
    }
}

#[tokio::test]
async fn the_date_is_the_emulators() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    cloud
        .emulator
        .clock()
        .set("2031-05-06T07:08:09Z".parse().unwrap());
    cloud.emulator.inject(azure_emulator::Fault::arm(
        "/clusters/adx1/databases",
        azure_emulator::Effect::Answer(azure_emulator::FaultAnswer {
            status: 503,
            headers: Vec::new(),
            body: azure_emulator::FaultBody::Empty,
        }),
    ));
    let metadata = "domain1.com/v2.0/.well-known/openid-configuration";
    for reply in [
        cloud
            .get(&token, &format!("{CLUSTER}?api-version=2024-04-13"))
            .await,
        cloud
            .get(&token, &format!("{CLUSTER}/databases?api-version=2024-04-13"))
            .await,
        cloud.entra(metadata).await,
    ] {
        assert!(
            reply.header("date").starts_with("Tue, 06 May 2031 07:08:"),
            "{}",
            reply.header("date")
        );
        assert!(reply.header("date").ends_with(" GMT"));
    }
}
