//! Addresses at ARM that lead nowhere, each told in its own way, and whether a resource group is there.

use azure_emulator::how_to::{CLUSTER, DATABASE, NAMESPACE, SUBSCRIPTION1};
use reqwest::{Method, StatusCode};

use crate::support::start;

const USER: &str = "acc1@domain1.com";
const VERSION: &str = "api-version=2024-04-13";

#[tokio::test]
async fn what_stands_in_the_place_of_a_subscription_must_be_a_guid() {
    let cloud = start().await;
    for (path, named) in [
        ("/subscriptions/mine/resourceGroups/rg-adx", "mine"),
        // Without the subscription the next word stands in its place.
        ("/subscriptions//resourceGroups/rg-adx", "resourceGroups"),
        (
            "/subscriptions/50000000000040008000000000000001",
            "50000000000040008000000000000001",
        ),
    ] {
        let reply = cloud
            .arm(Method::GET, &format!("{path}?{VERSION}"), &[], None)
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::BAD_REQUEST, "InvalidSubscriptionId"),
            "{path}"
        );
        assert_eq!(
            reply.message(),
            format!("The provided subscription identifier '{named}' is malformed or invalid.")
        );
        assert_eq!(reply.header("x-ms-failure-cause"), "gateway");
    }
}

#[tokio::test]
async fn a_type_that_a_provider_does_not_have_is_not_found() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let group = CLUSTER.split("/providers/").next().unwrap();
    for (method, path) in [
        (Method::GET, format!("{CLUSTER}/flowers")),
        (Method::GET, format!("{CLUSTER}/flowers/rose")),
        (Method::DELETE, format!("{CLUSTER}/flowers/rose")),
        (Method::GET, format!("{DATABASE}/flowers")),
        (Method::GET, format!("{group}/providers/Microsoft.Kusto/flowers")),
        (
            Method::PUT,
            format!("{group}/providers/Microsoft.Kusto/flowers/rose"),
        ),
    ] {
        let reply = cloud
            .send(method.clone(), &token, &format!("{path}?{VERSION}"), None)
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::NOT_FOUND, "InvalidResourceType"),
            "{method} {path}"
        );
        assert_eq!(
            reply.message(),
            "The resource type could not be found in the namespace 'Microsoft.Kusto' for api version '2024-04-13'."
        );
    }
    let nowhere = cloud
        .get(
            &token,
            &format!("{group}/providers/Garden.Flowers/roses/red?{VERSION}"),
        )
        .await;
    assert_eq!(
        (nowhere.status, nowhere.code()),
        (StatusCode::NOT_FOUND, "InvalidResourceNamespace")
    );
}

#[tokio::test]
async fn an_unknown_api_version_names_the_type_without_its_namespace() {
    let cloud = start().await;
    let token = cloud.arm_token(USER, "domain1.com").await;
    let hubs = NAMESPACE.replace("ns-domain2", "ns-domain1").replace(
        "50000000-0000-4000-8000-000000000002/resourceGroups/rg-streams",
        "50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx",
    );
    for (path, kind, newest) in [
        (CLUSTER.to_owned(), "clusters", "2025-02-14"),
        (CLUSTER.to_uppercase(), "clusters", "2025-02-14"),
        (DATABASE.to_owned(), "clusters/databases", "2025-02-14"),
        (
            format!("{DATABASE}/dataConnections"),
            "clusters/databases/dataConnections",
            "2025-02-14",
        ),
        (hubs.clone(), "namespaces", "2026-01-01"),
        (
            format!("{hubs}/eventhubs/hub1"),
            "namespaces/eventhubs",
            "2026-01-01",
        ),
        (
            format!("/subscriptions/{SUBSCRIPTION1}/providers/Microsoft.Kusto/clusters"),
            "clusters",
            "2025-02-14",
        ),
    ] {
        let reply = cloud.get(&token, &format!("{path}?api-version=2030-01-01")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::BAD_REQUEST, "NoRegisteredProviderFound"),
            "{path}"
        );
        let part = format!("API version '2030-01-01' for type '{kind}'. The supported api-versions are '");
        assert!(reply.message().contains(&part), "{}", reply.message());
        assert!(reply.message().contains(newest), "{}", reply.message());
        let known = cloud.get(&token, &format!("{path}?api-version={newest}")).await;
        assert_eq!(known.status, StatusCode::OK, "{path}: {}", known.body);
    }
}

#[tokio::test]
async fn a_resource_group_that_is_not_there_is_told_to_those_who_may_look() {
    let cloud = start().await;
    let scope = format!("/subscriptions/{SUBSCRIPTION1}");
    cloud
        .emulator
        .edit(|world| world.assign_role(USER, "Reader", &scope))
        .unwrap();
    let reader = cloud.arm_token(USER, "domain1.com").await;
    let nobody = cloud.arm_token("acc4@domain1.com", "domain1.com").await;
    let group = |name: &str| format!("{scope}/resourceGroups/{name}");
    for path in [
        group("nowhere"),
        format!("{}/providers/Microsoft.Kusto/clusters", group("nowhere")),
        format!("{}/providers/Microsoft.Kusto/clusters/adx1", group("nowhere")),
    ] {
        let reply = cloud.get(&reader, &format!("{path}?{VERSION}")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::NOT_FOUND, "ResourceGroupNotFound"),
            "{path}"
        );
        assert_eq!(reply.message(), "Resource group 'nowhere' could not be found.");
        let reply = cloud.get(&nobody, &format!("{path}?{VERSION}")).await;
        assert_eq!(reply.code(), "AuthorizationFailed", "{path}");
    }
    for (token, name, status) in [
        (&reader, "rg-adx", StatusCode::NO_CONTENT),
        (&reader, "RG-ADX", StatusCode::NO_CONTENT),
        (&reader, "nowhere", StatusCode::NOT_FOUND),
        (&nobody, "rg-adx", StatusCode::FORBIDDEN),
    ] {
        let path = format!("{}?api-version=2022-12-01", group(name));
        let reply = cloud.send(Method::HEAD, token, &path, None).await;
        assert_eq!((reply.status, reply.body.is_null()), (status, true), "{name}");
    }
    let path = format!("{CLUSTER}?{VERSION}");
    let cluster = cloud.send(Method::HEAD, &reader, &path, None).await;
    assert_eq!(cluster.status, StatusCode::METHOD_NOT_ALLOWED);
}
