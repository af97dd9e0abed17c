//! Reading at ARM: roles decide, and what is not there is told as ARM tells it.

use azure_emulator::how_to::{CLUSTER, DATABASE, HUB1, NAMESPACE, SUBSCRIPTION1, SUBSCRIPTION2};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{connection, start};

const HUBS: &str = "api-version=2024-01-01";
const KUSTO: &str = "api-version=2024-04-13";

#[tokio::test]
async fn a_subscription_shows_its_tenant_to_whoever_holds_a_role_in_it() {
    let cloud = start().await;
    let path = format!("/subscriptions/{SUBSCRIPTION1}?api-version=2022-12-01");
    let reply = cloud
        .get(&cloud.arm_token("acc1@domain1.com", "domain1.com").await, &path)
        .await;
    assert_eq!(reply.body["tenantId"], azure_emulator::how_to::DOMAIN1);
    let reply = cloud
        .get(&cloud.arm_token("acc4@domain1.com", "domain1.com").await, &path)
        .await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::FORBIDDEN, "AuthorizationFailed")
    );
    assert!(
        reply.message().contains("acc4@domain1.com")
            && reply.message().contains("Microsoft.Resources/subscriptions/read")
    );
}

#[tokio::test]
async fn the_cluster_shows_its_region_as_people_write_it() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let cluster = cloud.get(&token, &format!("{CLUSTER}?{KUSTO}")).await;
    assert_eq!(
        (cluster.status, &cluster.body["location"]),
        (StatusCode::OK, &json!("West Europe"))
    );
    assert_eq!(cluster.body["properties"]["state"], "Running");
    let database = cloud
        .get(&token, &format!("{}?{KUSTO}", DATABASE.to_uppercase()))
        .await;
    assert_eq!(database.body["name"], "adx1/telemetry");
    let gone = cloud
        .get(&token, &format!("{CLUSTER}/databases/nothing?{KUSTO}"))
        .await;
    assert_eq!(
        (gone.status, gone.code()),
        (StatusCode::NOT_FOUND, "ResourceNotFound")
    );
    let list = cloud.get(&token, &format!("{CLUSTER}/databases?{KUSTO}")).await;
    assert_eq!(list.body["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn event_hubs_are_read_by_those_whose_roles_say_so() {
    let cloud = start().await;
    let owner = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    for (path, name) in [
        (NAMESPACE.to_owned(), "ns-domain2"),
        (HUB1.to_owned(), "hub1"),
        (format!("{HUB1}/consumergroups/cg1"), "cg1"),
        (format!("{HUB1}/consumergroups/$default"), "$Default"),
    ] {
        let reply = cloud.get(&owner, &format!("{path}?{HUBS}")).await;
        assert_eq!(
            (reply.status, &reply.body["name"]),
            (StatusCode::OK, &json!(name)),
            "{path}"
        );
    }
    let groups = cloud.get(&owner, &format!("{HUB1}/consumergroups?{HUBS}")).await;
    assert_eq!(groups.body["value"].as_array().unwrap().len(), 3);
    for missing in [
        format!("{NAMESPACE}/eventhubs/none"),
        format!("{HUB1}/consumergroups/none"),
    ] {
        let reply = cloud.get(&owner, &format!("{missing}?{HUBS}")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::NOT_FOUND, "ResourceNotFound")
        );
    }
    let receiver = cloud.arm_token("acc5@domain1.com", "domain2.com").await;
    assert_eq!(
        cloud.get(&receiver, &format!("{HUB1}?{HUBS}")).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        cloud
            .get(&receiver, &format!("{HUB1}/consumergroups/cg1?{HUBS}"))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn permissions_list_the_callers_roles_that_reach_the_scope() {
    let cloud = start().await;
    let path = format!("{NAMESPACE}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01");
    let owner = cloud
        .get(&cloud.arm_token("acc2@domain2.com", "domain2.com").await, &path)
        .await;
    assert_eq!(owner.body["value"][0]["actions"], json!(["Microsoft.EventHub/*"]));
    let receiver = cloud
        .get(&cloud.arm_token("acc5@domain1.com", "domain2.com").await, &path)
        .await;
    assert_eq!(
        receiver.body["value"][0]["actions"],
        json!(["Microsoft.EventHub/*/eventhubs/consumergroups/read"])
    );
    let reader = cloud
        .get(&cloud.arm_token("acc6@domain1.com", "domain2.com").await, &path)
        .await;
    assert_eq!(
        reader.body["value"][0]["actions"],
        json!(["*/read"]),
        "inherited from the resource group"
    );
    cloud
        .emulator
        .edit(|world| world.revoke_roles("acc2@domain2.com", NAMESPACE))
        .unwrap();
    let nobody = cloud
        .get(&cloud.arm_token("acc2@domain2.com", "domain2.com").await, &path)
        .await;
    assert_eq!(nobody.body["value"], json!([]));
}

#[tokio::test]
async fn a_role_given_on_the_subscription_reaches_everything_in_it() {
    let cloud = start().await;
    let token = cloud.arm_token("acc4@domain1.com", "domain1.com").await;
    assert_eq!(
        cloud.get(&token, &format!("{CLUSTER}?{KUSTO}")).await.status,
        StatusCode::FORBIDDEN
    );
    let scope = format!("/subscriptions/{SUBSCRIPTION1}");
    cloud
        .emulator
        .edit(|world| world.assign_role("acc4@domain1.com", "Reader", &scope))
        .unwrap();
    assert_eq!(
        cloud.get(&token, &format!("{CLUSTER}?{KUSTO}")).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn versions_must_be_given_and_known() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    assert_eq!(
        cloud.get(&token, CLUSTER).await.code(),
        "MissingApiVersionParameter"
    );
    let unknown = cloud
        .get(&token, &format!("{CLUSTER}?api-version=2030-01-01"))
        .await;
    assert_eq!(
        (unknown.status, unknown.code()),
        (StatusCode::BAD_REQUEST, "NoRegisteredProviderFound")
    );
    assert!(unknown.message().contains("2025-02-14"));
}

#[tokio::test]
async fn a_data_connection_that_is_not_there_is_named_in_kustos_spelling() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let reply = cloud.get(&token, &connection("None")).await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::NOT_FOUND, "ResourceNotFound")
    );
    assert!(
        reply
            .message()
            .contains("/Clusters/adx1/Databases/telemetry/DataConnections/None"),
        "{}",
        reply.message()
    );
    let list = cloud
        .get(&token, &format!("{DATABASE}/dataConnections?{KUSTO}"))
        .await;
    assert_eq!(list.body, json!({ "value": [] }));
}

#[tokio::test]
async fn every_answer_carries_arms_headers() {
    let cloud = start().await;
    let token = format!(
        "Bearer {}",
        cloud.arm_token("acc1@domain1.com", "domain1.com").await
    );
    let id = "5e2ca2b5-6d5a-4f4c-8f21-0a4d1e2e6a11";
    let headers = [
        ("authorization", token.as_str()),
        ("x-ms-correlation-request-id", id),
    ];
    let reply = cloud
        .arm(Method::GET, &format!("{CLUSTER}?{KUSTO}"), &headers, None)
        .await;
    assert_eq!(reply.header("x-ms-correlation-request-id"), id);
    assert!(reply.header("x-ms-routing-request-id").ends_with(id));
    assert!(reply.header("x-ms-operation-identifier").starts_with("tenantId="));
    assert_eq!(reply.header("cache-control"), "no-cache");
    assert!(reply.headers.contains_key("x-ms-request-id"));
    assert!(
        reply
            .headers
            .contains_key("x-ms-ratelimit-remaining-subscription-resource-requests")
    );
    let refused = cloud
        .arm(
            Method::GET,
            &format!("/subscriptions/{SUBSCRIPTION2}?{KUSTO}"),
            &[],
            None,
        )
        .await;
    assert_eq!(refused.header("x-ms-failure-cause"), "gateway");
}
