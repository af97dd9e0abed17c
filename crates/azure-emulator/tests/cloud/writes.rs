//! PUT, PATCH and DELETE of data connections: what is answered at once.

use azure_emulator::how_to::{ARCHIVE, CLUSTER, DATABASE, HUB1, LOCAL_HUB};
use azure_emulator::{Options, ParallelWrites};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Cloud, connection, connection_at, event_hub_body, start, start_with};

async fn writer(cloud: &Cloud) -> String {
    cloud.arm_token("acc1@domain1.com", "domain1.com").await
}

#[tokio::test]
async fn a_new_data_connection_is_echoed_and_then_filled_in() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let body = json!({ "location": "westeurope", "kind": "EventHub",
        "properties": { "eventHubResourceId": LOCAL_HUB, "consumerGroup": "$Default" } });
    let created = cloud.put(&token, &[], &connection("Telemetry"), &body).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.body["name"], "adx1/telemetry/Telemetry");
    assert_eq!(
        created.body["type"],
        "Microsoft.Kusto/Clusters/Databases/DataConnections"
    );
    assert!(
        created.body["id"]
            .as_str()
            .unwrap()
            .ends_with("/Microsoft.Kusto/Clusters/adx1/Databases/telemetry/DataConnections/Telemetry")
    );
    assert_eq!(created.body["location"], "westeurope");
    assert_eq!(
        created.body["properties"],
        json!({ "eventHubResourceId": LOCAL_HUB, "consumerGroup": "$Default", "provisioningState": "Creating" })
    );
    assert!(
        created
            .header("azure-asyncoperation")
            .contains("/locations/westeurope/operationResults/")
    );
    assert!(!created.headers.contains_key("location") && !created.headers.contains_key("retry-after"));

    let during = cloud.get(&token, &connection("telemetry")).await;
    assert_eq!(during.body["properties"]["provisioningState"], "Creating");
    cloud.finish_operations();
    let done = cloud.get(&token, &connection("telemetry")).await;
    assert_eq!(
        (done.status, &done.body["location"]),
        (StatusCode::OK, &json!("West Europe"))
    );
    let properties = &done.body["properties"];
    assert_eq!(properties["tableName"], "");
    assert_eq!(properties["eventSystemProperties"], json!([]));
    assert_eq!(properties["compression"], "None");
    assert_eq!(properties["databaseRouting"], "Single");
    assert_eq!(properties["managedIdentityResourceId"], Value::Null);
    assert_eq!(properties["provisioningState"], "Succeeded");
    let instant = properties["retrievalStartDate"].as_str().unwrap();
    assert!(instant.contains("T") && instant.ends_with("Z"), "{instant}");
}

#[tokio::test]
async fn old_versions_show_what_they_knew() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    cloud.finish_operations();
    let old = cloud.get(&token, &connection_at("c1", "2020-02-15")).await;
    assert_eq!(
        (&old.body["etag"], &old.body["tags"]),
        (&json!("\"\""), &json!({}))
    );
    assert!(old.body["properties"].get("databaseRouting").is_none());
    let newest = cloud.get(&token, &connection_at("c1", "2025-02-14")).await;
    assert_eq!(newest.body["systemData"]["createdBy"], "acc1@domain1.com");
    assert!(newest.body.get("etag").is_none());
}

#[tokio::test]
async fn a_second_put_is_200_and_replaces() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    cloud.finish_operations();
    let first = cloud.get(&token, &connection("c1")).await;
    let body = json!({ "location": "West Europe", "kind": "EventHub",
        "properties": { "eventHubResourceId": LOCAL_HUB, "consumerGroup": "cg1" } });
    let second = cloud.put(&token, &[], &connection("C1"), &body).await;
    assert_eq!(
        (second.status, &second.body["properties"]["provisioningState"]),
        (StatusCode::OK, &json!("Accepted"))
    );
    cloud.finish_operations();
    let after = cloud.get(&token, &connection("c1")).await;
    assert_eq!(
        after.body["properties"]["tableName"],
        Value::Null,
        "what is left out is gone"
    );
    assert_eq!(after.body["properties"]["consumerGroup"], "cg1");
    assert_eq!(
        after.body["id"], first.body["id"],
        "the name keeps its first spelling"
    );
    assert_eq!(
        after.body["properties"]["retrievalStartDate"],
        first.body["properties"]["retrievalStartDate"]
    );
}

#[tokio::test]
async fn a_patch_needs_something_to_change_and_gives_both_urls() {
    let cloud = start().await;
    let token = format!("Bearer {}", writer(&cloud).await);
    let headers = [("authorization", token.as_str())];
    let body = event_hub_body(LOCAL_HUB, "$Default");
    let missing = cloud
        .arm(Method::PATCH, &connection("c1"), &headers, Some(&body))
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    cloud
        .arm(Method::PUT, &connection("c1"), &headers, Some(&body))
        .await;
    cloud.finish_operations();
    let patched = cloud
        .arm(Method::PATCH, &connection("c1"), &headers, Some(&body))
        .await;
    assert_eq!(patched.status, StatusCode::ACCEPTED);
    assert!(
        patched
            .header("location")
            .contains("operationResultResponseType=Location")
    );
    assert_eq!(patched.body["properties"]["provisioningState"], "Accepted");
    assert_eq!(
        patched.body["properties"]["databaseRouting"], "Single",
        "laid over what was there"
    );
    assert!(patched.headers.contains_key("azure-asyncoperation"));
}

#[tokio::test]
async fn a_removal_is_202_and_of_nothing_204() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    assert_eq!(
        cloud.delete(&token, &connection("c1")).await.status,
        StatusCode::NO_CONTENT
    );
    cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    cloud.finish_operations();
    let removed = cloud.delete(&token, &connection("c1")).await;
    assert_eq!(
        (removed.status, &removed.body),
        (StatusCode::ACCEPTED, &Value::Null)
    );
    assert!(
        removed
            .header("x-ms-ratelimit-remaining-subscription-deletes")
            .parse::<u32>()
            .is_ok()
    );
    let during = cloud.get(&token, &connection("c1")).await;
    assert_eq!(during.body["properties"]["provisioningState"], "Deleting");
    cloud.finish_operations();
    assert_eq!(
        cloud.get(&token, &connection("c1")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_removal_needs_neither_the_source_nor_its_tenant() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let id = format!("{DATABASE}/dataConnections/c1");
    cloud
        .emulator
        .edit(|world| world.add_data_connection(&id, &event_hub_body(HUB1, "$Default")))
        .unwrap();
    cloud.emulator.edit(|world| world.remove_event_hub(HUB1)).unwrap();
    assert_eq!(
        cloud.delete(&token, &connection("c1")).await.status,
        StatusCode::ACCEPTED
    );
    cloud.finish_operations();
    assert_eq!(cloud.emulator.read(|world| world.data_connection(&id)), None);
}

#[tokio::test]
async fn a_missing_database_is_told_apart_from_a_missing_cluster() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let body = event_hub_body(LOCAL_HUB, "$Default");
    let path = format!("{CLUSTER}/databases/none/dataConnections/c1?api-version=2024-04-13");
    assert_eq!(
        cloud.put(&token, &[], &path, &body).await.code(),
        "ResourceNotFound"
    );
    assert_eq!(cloud.delete(&token, &path).await.code(), "ResourceNotFound");
    let scope = CLUSTER.split("/providers").next().unwrap();
    cloud
        .emulator
        .edit(|world| world.assign_role("acc1@domain1.com", "Contributor", scope))
        .unwrap();
    let path = path.replace("clusters/adx1", "clusters/adx9");
    assert_eq!(
        cloud.put(&token, &[], &path, &body).await.code(),
        "ParentResourceNotFound"
    );
}

#[tokio::test]
async fn locations_are_checked_at_once() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    for (location, part) in [
        ("", "cannot be empty"),
        ("West-Europe", "contains invalid characters"),
        ("North Europe", "is not the location of the cluster"),
    ] {
        let mut body = event_hub_body(LOCAL_HUB, "$Default");
        body["location"] = json!(location);
        let reply = cloud.put(&token, &[], &connection("c1"), &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert!(reply.message().contains(part), "{}", reply.message());
    }
}

#[tokio::test]
async fn bodies_without_their_required_members_are_refused() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let location = json!("West Europe");
    for body in [
        json!({ "location": location }),
        json!({ "location": location, "properties": {} }),
        json!({ "location": location, "properties": { "eventHubResourceId": LOCAL_HUB } }),
        json!({ "location": location, "kind": "Kafka", "properties": { "eventHubResourceId": LOCAL_HUB, "consumerGroup": "x" } }),
        json!([]),
    ] {
        let reply = cloud.put(&token, &[], &connection("c1"), &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(
        cloud.emulator.read(azure_emulator::World::data_connection_ids),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_kind_that_is_left_out_is_told_by_the_members() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let mut body = event_hub_body(LOCAL_HUB, "$Default");
    body.as_object_mut().unwrap().remove("kind");
    let reply = cloud.put(&token, &[], &connection("c1"), &body).await;
    assert_eq!(
        (reply.status, &reply.body["kind"]),
        (StatusCode::CREATED, &json!("EventHub"))
    );
}

#[tokio::test]
async fn parallel_writes_of_one_cluster_are_refused_when_asked_for() {
    let options = Options {
        parallel_writes: ParallelWrites::Refused,
        ..Options::default()
    };
    let cloud = start_with(options).await;
    let token = writer(&cloud).await;
    let body = event_hub_body(LOCAL_HUB, "$Default");
    cloud
        .emulator
        .edit(|world| world.set_operation_duration(std::time::Duration::from_secs(30)));
    assert_eq!(
        cloud.put(&token, &[], &connection("c1"), &body).await.status,
        StatusCode::CREATED
    );
    let other = format!("{ARCHIVE}/dataConnections/c2?api-version=2024-04-13");
    let reply = cloud
        .put(&token, &[], &other, &event_hub_body(LOCAL_HUB, "cg1"))
        .await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::CONFLICT, "ServiceIsInMaintenance")
    );
    cloud.finish_operations();
    assert_eq!(
        cloud
            .put(&token, &[], &other, &event_hub_body(LOCAL_HUB, "cg1"))
            .await
            .status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn names_can_be_asked_for_and_bodies_validated() {
    let cloud = start().await;
    let token = format!("Bearer {}", writer(&cloud).await);
    let headers = [("authorization", token.as_str())];
    let check = format!("{DATABASE}/checkNameAvailability?api-version=2024-04-13");
    let ask = json!({ "name": "c1", "type": "Microsoft.Kusto/clusters/databases/dataConnections" });
    let free = cloud.arm(Method::POST, &check, &headers, Some(&ask)).await;
    assert_eq!(
        free.body,
        json!({ "name": "c1", "nameAvailable": true, "message": "" })
    );
    cloud
        .arm(
            Method::PUT,
            &connection("c1"),
            &headers,
            Some(&event_hub_body(LOCAL_HUB, "$Default")),
        )
        .await;
    let taken = cloud.arm(Method::POST, &check, &headers, Some(&ask)).await;
    assert_eq!(taken.body["nameAvailable"], false);

    let mut inner = event_hub_body(LOCAL_HUB, "$Default");
    inner["properties"]["tableName"] = json!("Nothing");
    let body = json!({ "dataConnectionName": "c2", "properties": inner });
    let old = format!("{DATABASE}/dataConnectionValidation?api-version=2020-02-15");
    let at_once = cloud.arm(Method::POST, &old, &headers, Some(&body)).await;
    assert_eq!(at_once.status, StatusCode::OK);
    assert_eq!(
        at_once.body["value"].as_array().unwrap().len(),
        2,
        "{}",
        at_once.body
    );
    let new = format!("{DATABASE}/dataConnectionValidation?api-version=2021-08-27");
    let later = cloud.arm(Method::POST, &new, &headers, Some(&body)).await;
    assert_eq!(later.status, StatusCode::ACCEPTED);
    cloud.finish_operations();
    let findings = cloud
        .poll(token.trim_start_matches("Bearer "), later.header("location"))
        .await;
    assert_eq!(findings.body["Value"].as_array().unwrap().len(), 2);
}
