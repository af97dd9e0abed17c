//! Paths and ids that are none, and the lists that stand above single resources.

use azure_emulator::how_to::{CLUSTER, DATABASE, HUB1, LOCAL_HUB, NAMESPACE, SUBSCRIPTION1, SUBSCRIPTION2};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::admin_changes::change;
use crate::support::{Cloud, connection, event_hub_body, start};

async fn owner(cloud: &Cloud) -> String {
    cloud.arm_token("acc1@domain1.com", "domain1.com").await
}

#[tokio::test]
async fn an_id_of_any_length_is_refused_and_the_emulator_goes_on() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let endless = format!(
        "/subscriptions/{SUBSCRIPTION1}{}",
        "/providers/a/b/c".repeat(60_000)
    );
    let body = event_hub_body(&endless, "cg1");
    let put = cloud.put(&token, &[], &connection("c1"), &body).await;
    assert_eq!(
        (put.status, put.code()),
        (StatusCode::BAD_REQUEST, "LinkedInvalidPropertyId")
    );
    let path = format!("{DATABASE}/dataConnectionValidation?api-version=2024-04-13");
    let candidate = json!({ "dataConnectionName": "c1", "properties": body });
    let validated = cloud.send(Method::POST, &token, &path, Some(&candidate)).await;
    assert_eq!(validated.code(), "LinkedInvalidPropertyId");
    let made = format!("{DATABASE}/dataConnections/made");
    for change in [
        json!({ "addEventHub": { "id": endless } }),
        json!({ "removeDatabase": { "id": endless } }),
        json!({ "addDataConnection": { "id": made, "properties": { "eventHubResourceId": endless } } }),
    ] {
        let reply = cloud.admin_post("changes", &change).await;
        assert!(reply.status.as_u16() < 500, "{}", reply.status);
    }
    assert_eq!(
        cloud
            .get(&token, &format!("{CLUSTER}?api-version=2024-04-13"))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_path_without_a_subscription_is_told_so() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    for path in ["/foo", "/foo/bar", "/"] {
        let reply = cloud.get(&token, &format!("{path}?api-version=2022-12-01")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::NOT_FOUND, "MissingSubscription"),
            "{path}"
        );
        assert_eq!(
            reply.message(),
            "The request did not have a subscription or a valid tenant level resource provider."
        );
    }
}

#[tokio::test]
async fn a_name_holds_no_slash() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let body = event_hub_body(LOCAL_HUB, "$Default");
    for name in ["a/b", "a%2Fb"] {
        for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
            let sent = Some(&body).filter(|_| method != Method::GET && method != Method::DELETE);
            let reply = cloud.send(method.clone(), &token, &connection(name), sent).await;
            let told = (reply.status, reply.code());
            assert_eq!(
                told,
                (StatusCode::BAD_REQUEST, "InvalidResourceTypeNameFormat"),
                "{method} {name}"
            );
        }
    }
}

#[tokio::test]
async fn an_unknown_api_version_is_refused_with_region_and_regions() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let reply = cloud
        .get(&token, &format!("{CLUSTER}?api-version=2016-01-01"))
        .await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::BAD_REQUEST, "NoRegisteredProviderFound")
    );
    for part in [
        "for location 'westeurope' and API version '2016-01-01'",
        "The supported locations are '",
    ] {
        assert!(reply.message().contains(part), "{}", reply.message());
    }
    assert!(
        !reply.message().ends_with("locations are ''."),
        "{}",
        reply.message()
    );
}

#[tokio::test]
async fn what_is_missing_is_named_in_kustos_spelling() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let database = DATABASE.replace("/telemetry", "/nowhere");
    let body = event_hub_body(LOCAL_HUB, "$Default");
    let shown = |path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        let pascal = path
            .replace("/clusters/", "/Clusters/")
            .replace("/databases/", "/Databases/");
        let pascal = pascal.replace("/dataConnections/", "/DataConnections/");
        format!("The resource with identifier '{pascal}' is not found.")
    };
    let below = format!("{database}/dataConnections/c1?api-version=2024-04-13");
    for (method, path, missing) in [
        (Method::GET, connection("none"), connection("none")),
        (Method::PATCH, connection("none"), connection("none")),
        (Method::PUT, below.clone(), database.clone()),
        (Method::GET, below, database.clone()),
        (
            Method::GET,
            format!("{database}?api-version=2024-04-13"),
            database.clone(),
        ),
    ] {
        let sent = Some(&body).filter(|_| method != Method::GET);
        let reply = cloud.send(method.clone(), &token, &path, sent).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::NOT_FOUND, "ResourceNotFound"),
            "{method} {path}"
        );
        assert_eq!(reply.message(), shown(&missing), "{method} {path}");
    }
}

fn names(body: &Value) -> Vec<&str> {
    let items = body["value"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn clusters_namespaces_and_groups_are_listed_as_far_as_the_caller_may_read_them() {
    let cloud = start().await;
    let group = CLUSTER.split("/providers/").next().unwrap();
    let streams = NAMESPACE.split("/providers/").next().unwrap();
    let group_name = group.rsplit('/').next().unwrap();
    let (one, two) = (
        format!("/subscriptions/{SUBSCRIPTION1}"),
        format!("/subscriptions/{SUBSCRIPTION2}"),
    );
    let at_home = owner(&cloud).await;
    let given = json!({ "principal": "acc1@domain1.com", "role": "Reader", "scope": group });
    change(&cloud, json!({ "assignRole": given })).await;
    let away = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    let nobody = cloud.arm_token("acc4@domain1.com", "domain1.com").await;
    let namespace = NAMESPACE.rsplit('/').next().unwrap();
    for (token, path, expected) in [
        (
            &at_home,
            format!("{group}/providers/Microsoft.Kusto/clusters?api-version=2024-04-13"),
            "adx1",
        ),
        (
            &at_home,
            format!("{one}/providers/Microsoft.Kusto/clusters?api-version=2024-04-13"),
            "adx1",
        ),
        (
            &at_home,
            format!("{one}/resourceGroups?api-version=2022-12-01"),
            group_name,
        ),
        (
            &away,
            format!("{streams}/providers/Microsoft.EventHub/namespaces?api-version=2024-01-01"),
            namespace,
        ),
        (
            &away,
            format!("{two}/providers/Microsoft.EventHub/namespaces?api-version=2024-01-01"),
            namespace,
        ),
    ] {
        let reply = cloud.get(token, &path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {:?}", reply.body);
        assert!(names(&reply.body).contains(&expected), "{path}: {}", reply.body);
        let item = reply.body["value"].as_array().unwrap()[0].clone();
        let version = path.split_once('?').unwrap().1;
        let single = cloud
            .get(token, &format!("{}?{version}", item["id"].as_str().unwrap()))
            .await;
        assert_eq!(single.body, item, "a list shows what GET shows");
        if token == &at_home {
            assert_eq!(
                names(&cloud.get(&nobody, &path).await.body),
                Vec::<&str>::new(),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_stands_in_the_journal() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let mut body = event_hub_body(HUB1, "cg1");
    body["properties"]["tableName"] = json!("t".repeat(4 * 1024 * 1024));
    let reply = cloud.put(&token, &[], &connection("c1"), &body).await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::PAYLOAD_TOO_LARGE, "RequestContentTooLarge")
    );
    let entry = cloud.emulator.journal().entries().pop().unwrap();
    assert_eq!(
        (entry.method.as_str(), entry.status, entry.delivered),
        ("PUT", 413, true)
    );
}
