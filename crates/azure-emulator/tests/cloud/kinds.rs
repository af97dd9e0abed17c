//! Every kind of data connection, those to come included: made, changed, removed; linked access by path.

use azure_emulator::TokenOverrides;
use azure_emulator::how_to::{DATABASE, HUB1, LOCAL_HUB, STORAGE1, STORAGE3, SUBSCRIPTION3};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Cloud, connection_at, start};

const NEWEST: &str = "2025-02-14";
const GROUP: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx";

async fn owner(cloud: &Cloud) -> String {
    cloud
        .emulator
        .edit(|world| world.assign_role("acc1@domain1.com", "Owner", GROUP))
        .unwrap();
    cloud.arm_token("acc1@domain1.com", "domain1.com").await
}

fn body(kind: &str, properties: &Value) -> Value {
    json!({ "location": "West Europe", "kind": kind, "properties": properties })
}

/// One body of each kind.
fn bodies() -> Vec<Value> {
    let identity = format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi");
    let iot = format!("{GROUP}/providers/Microsoft.Devices/IotHubs/iot");
    let cosmos = format!("{GROUP}/providers/Microsoft.DocumentDb/databaseAccounts/cosmos");
    vec![
        body(
            "EventHub",
            &json!({ "eventHubResourceId": LOCAL_HUB, "consumerGroup": "cg1" }),
        ),
        body(
            "EventGrid",
            &json!({ "storageAccountResourceId": STORAGE1, "eventHubResourceId": LOCAL_HUB,
                "consumerGroup": "cg1" }),
        ),
        body(
            "IotHub",
            &json!({ "iotHubResourceId": iot, "consumerGroup": "cg1", "sharedAccessPolicyName": "registryRead" }),
        ),
        body(
            "CosmosDb",
            &json!({ "cosmosDbAccountResourceId": cosmos, "cosmosDbDatabase": "d", "cosmosDbContainer": "c",
                "tableName": "Events", "managedIdentityResourceId": identity,
                "mappingRuleName": "", "retrievalStartDate": "" }),
        ),
        body(
            "EventHubWithManagedIdentity",
            &json!({ "eventHubResourceIdForManagedIdentity": LOCAL_HUB, "consumerGroup": "cg1",
                "managedIdentityResourceId": identity }),
        ),
        body(
            "EventGridWithManagedIdentity",
            &json!({ "storageAccountResourceIdForManagedIdentity": STORAGE1,
                "eventHubResourceIdForManagedIdentity": LOCAL_HUB, "consumerGroup": "cg1",
                "managedIdentityResourceId": identity }),
        ),
        body(
            "KafkaCluster",
            &json!({ "kafkaClusterResourceId": format!("{GROUP}/providers/Future.Kafka/clusters/k"),
                "topics": ["a", "b"], "depth": { "of": 3 } }),
        ),
    ]
}

#[tokio::test]
async fn every_kind_is_made_changed_listed_and_removed_alike() {
    let cloud = start().await;
    cloud.emulator.edit(|world| world.add_future_kind("KafkaCluster"));
    let token = owner(&cloud).await;
    let path = connection_at("c1", NEWEST);
    for sent in bodies() {
        let kind = &sent["kind"];
        let absent = cloud.send(Method::PATCH, &token, &path, Some(&sent)).await;
        assert_eq!(
            (absent.status, absent.code()),
            (StatusCode::NOT_FOUND, "ResourceNotFound"),
            "{kind}: a PATCH must find something"
        );
        let made = cloud.put(&token, &[], &path, &sent).await;
        assert_eq!(made.status, StatusCode::CREATED, "{kind}: {}", made.body);
        assert_eq!(made.body["properties"]["provisioningState"], "Creating");
        cloud.emulator.edit(|world| world.finish_operations(|_| true));
        let end = cloud.poll(&token, made.header("azure-asyncoperation")).await;
        assert_eq!(end.body["status"], "Succeeded", "{kind}: {}", end.body);
        let shown = cloud.get(&token, &path).await.body;
        assert_eq!(shown["kind"], *kind);
        assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
        for (member, value) in sent["properties"].as_object().unwrap() {
            let same = shown["properties"][member] == *value || *value == "";
            assert!(same, "{kind} {member}: {shown}");
        }
        let list = format!("{DATABASE}/dataConnections?api-version={NEWEST}");
        assert_eq!(cloud.get(&token, &list).await.body["value"], json!([shown]));
        let again = cloud.put(&token, &[], &path, &sent).await;
        assert_eq!(
            (again.status, &again.body["properties"]["provisioningState"]),
            (StatusCode::OK, &json!("Accepted")),
            "{kind}"
        );
        cloud.emulator.edit(|world| world.finish_operations(|_| true));
        let changed = cloud.send(Method::PATCH, &token, &path, Some(&sent)).await;
        assert_eq!(changed.status, StatusCode::ACCEPTED, "{kind}: {}", changed.body);
        cloud.emulator.edit(|world| world.finish_operations(|_| true));
        let removed = cloud.delete(&token, &path).await;
        assert_eq!(removed.status, StatusCode::ACCEPTED, "{kind}");
        cloud.emulator.edit(|world| world.finish_operations(|_| true));
        assert_eq!(cloud.get(&token, &path).await.code(), "ResourceNotFound");
    }
}

#[tokio::test]
async fn a_kind_to_come_is_unknown_until_it_came_and_to_older_versions() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let sent = bodies().pop().unwrap();
    let put = async |version: &str| {
        cloud
            .put(&token, &[], &connection_at("c1", version), &sent)
            .await
            .status
    };
    assert_eq!(put(NEWEST).await, StatusCode::BAD_REQUEST);
    cloud.emulator.edit(|world| world.add_future_kind("kafkacluster"));
    assert_eq!(put("2024-04-13").await, StatusCode::BAD_REQUEST);
    assert_eq!(put(NEWEST).await, StatusCode::CREATED);
    cloud.emulator.edit(|world| world.finish_operations(|_| true));
    // A client that lists in an older version sees it all the same.
    let list = format!("{DATABASE}/dataConnections?api-version=2024-04-13");
    let shown = cloud.get(&token, &list).await.body;
    assert_eq!(shown["value"][0]["properties"]["topics"], json!(["a", "b"]));
}

#[tokio::test]
async fn empty_text_stands_for_nothing() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let cosmos = bodies().remove(3);
    let path = connection_at("c1", NEWEST);
    cloud.put(&token, &[], &path, &cosmos).await;
    cloud.emulator.edit(|world| world.finish_operations(|_| true));
    let shown = cloud.get(&token, &path).await.body;
    assert_eq!(shown["properties"]["mappingRuleName"], Value::Null);
    let start = shown["properties"]["retrievalStartDate"].as_str().unwrap();
    assert!(start.ends_with('Z'), "{start}");
}

#[tokio::test]
async fn linked_access_goes_by_the_path_of_the_property() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let path = connection_at("c1", NEWEST);
    let grid = |account: &str, hub: &str| {
        body(
            "EventGrid",
            &json!({ "storageAccountResourceId": account, "eventHubResourceId": hub, "consumerGroup": "cg1" }),
        )
    };
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    let third = cloud.mint_arm("acc3@domain1.com", "domain3.com", TokenOverrides::default());
    let keys = "Microsoft.Storage/storageAccounts/listKeys/action";
    // Both sources are elsewhere: each tenant needs a token of its own.
    for (auxiliary, told) in [
        (vec![], "authorizationrules/listkeys/action"),
        (vec![other.as_str()], SUBSCRIPTION3),
        (vec![other.as_str(), third.as_str()], keys),
    ] {
        let refused = cloud.put(&token, &auxiliary, &path, &grid(STORAGE3, HUB1)).await;
        assert_eq!(refused.code(), "LinkedAuthorizationFailed");
        assert!(refused.message().contains(told), "{}", refused.message());
    }
    cloud
        .emulator
        .edit(|world| world.assign_role("acc3@domain1.com", "Reader and Data Access", STORAGE3))
        .unwrap();
    let made = cloud
        .put(&token, &[&other, &third], &path, &grid(STORAGE3, HUB1))
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);

    let wrong = grid("stdomain1", LOCAL_HUB);
    let put = cloud.put(&token, &[], &path, &wrong).await;
    assert_eq!(put.code(), "LinkedInvalidPropertyId");
    assert!(
        put.message()
            .contains("at path 'properties.storageAccountResourceId'")
    );
    let validation = json!({ "dataConnectionName": "c1", "properties": wrong });
    let action = format!("{DATABASE}/dataConnectionValidation?api-version={NEWEST}");
    let validated = cloud.send(Method::POST, &token, &action, Some(&validation)).await;
    assert!(
        validated
            .message()
            .contains("at path 'properties.properties.storageAccountResourceId'"),
        "{}",
        validated.message()
    );
}

#[tokio::test]
async fn a_validation_wants_the_type_of_event_and_a_put_does_not() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let grid = bodies().remove(1);
    for version in ["2022-12-29", NEWEST] {
        let path = format!("{DATABASE}/dataConnectionValidation?api-version={version}");
        let mut sent = json!({ "dataConnectionName": "c1", "properties": grid });
        let mut found = Vec::new();
        for event in [Value::Null, json!("Microsoft.Storage.BlobCreated")] {
            sent["properties"]["properties"]["blobStorageEventType"] = event;
            let reply = cloud.send(Method::POST, &token, &path, Some(&sent)).await;
            cloud.emulator.edit(|world| world.finish_operations(|_| true));
            let end = cloud.poll(&token, reply.header("azure-asyncoperation")).await;
            found.push(end.body["properties"]["value"].clone());
        }
        let told = json!([{ "errorMessage": "BlobStorageEventType {0} is not supported" }]);
        assert_eq!(found, [told, json!([])], "{version}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_there_fails_the_operation() {
    let cloud = start().await;
    let token = owner(&cloud).await;
    let mut grid = bodies().remove(1);
    grid["properties"]["storageAccountResourceId"] = json!(STORAGE1.replace("stdomain1", "nowhere"));
    let made = cloud.put(&token, &[], &connection_at("c1", NEWEST), &grid).await;
    cloud.emulator.edit(|world| world.finish_operations(|_| true));
    let end = cloud.poll(&token, made.header("azure-asyncoperation")).await;
    assert_eq!(end.body["status"], "Failed");
    let message = end.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("storage account does not exist"), "{message}");
}
