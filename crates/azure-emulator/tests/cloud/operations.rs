//! Operation URLs, polls, and how operations end.

use azure_emulator::how_to::{DATABASE, HUB1, LOCAL_HUB};
use azure_emulator::{Options, ParallelWrites};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Cloud, Reply, connection, connection_at, event_hub_body, start, start_with};

async fn writer(cloud: &Cloud) -> String {
    cloud.arm_token("acc1@domain1.com", "domain1.com").await
}

/// Puts, waits and polls once.
async fn end_of(cloud: &Cloud, token: &str, name: &str, body: &Value) -> Reply {
    let created = cloud.put(token, &[], &connection(name), body).await;
    assert!(created.status.is_success(), "{:?}", created.body);
    cloud.finish_operations();
    cloud.poll(token, created.header("azure-asyncoperation")).await
}

#[tokio::test]
async fn polls_are_200_while_it_runs_and_after() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    cloud
        .emulator
        .edit(|world| world.set_operation_duration(std::time::Duration::from_secs(30)));
    let created = cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    let url = created.header("azure-asyncoperation");
    let running = cloud.poll(&token, url).await;
    assert_eq!(
        (running.status, &running.body["status"]),
        (StatusCode::OK, &json!("Running"))
    );
    assert_eq!(
        (&running.body["percentComplete"], &running.body["endTime"]),
        (&json!(0.5), &running.body["startTime"])
    );
    cloud.finish_operations();
    let done = cloud.poll(&token, url).await;
    assert_eq!(
        (&done.body["status"], &done.body["properties"]),
        (&json!("Succeeded"), &json!({}))
    );
    assert!(done.body["id"].as_str().unwrap().contains("/operationresults/"));
    assert!(done.headers.contains_key("x-ms-operation-root-activity-id"));
    assert!(!done.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn since_2024_the_url_is_long_signed_and_not_to_be_changed() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let created = cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    let url = created.header("azure-asyncoperation");
    assert!(
        url.len() > 2900 && url.contains("/locations/West%20Europe/") && url.contains("&t=6"),
        "{url}"
    );
    assert_eq!(cloud.poll(&token, url).await.status, StatusCode::OK);
    assert_eq!(
        cloud.poll(&token, url.split("&t=").next().unwrap()).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn before_2024_the_url_has_a_raw_space() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let path = connection_at("c1", "2021-08-27");
    cloud
        .put(&token, &[], &path, &event_hub_body(LOCAL_HUB, "$Default"))
        .await;
    cloud.finish_operations();
    let removed = cloud.delete(&token, &path).await;
    assert!(
        removed
            .header("azure-asyncoperation")
            .contains("/locations/West Europe/")
    );
    assert!(removed.header("location").contains("/locations/West%20Europe/"));
    cloud.finish_operations();
    let done = cloud.poll(&token, removed.header("azure-asyncoperation")).await;
    assert_eq!(
        done.body["properties"],
        json!({ "operationKind": "DmServiceDataObtainerDrop", "provisioningState": "Succeeded", "operationState": "Completed" })
    );
    let located = cloud.poll(&token, removed.header("location")).await;
    assert_eq!((located.status, located.body), (StatusCode::OK, Value::Null));
}

#[tokio::test]
async fn what_kusto_finds_wrong_fails_the_operation_and_leaves_nothing() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let mut no_table = event_hub_body(LOCAL_HUB, "$Default");
    no_table["properties"]["tableName"] = json!("Nothing");
    let mut no_mapping = event_hub_body(LOCAL_HUB, "$Default");
    no_mapping["properties"]["mappingRuleName"] = json!("Nothing");
    for (body, part) in [
        (no_table, "table does not exist"),
        (no_mapping, "mapping rule does not exist"),
        (
            event_hub_body(LOCAL_HUB, "nothing"),
            "consumer group does not exist",
        ),
        (
            event_hub_body(&LOCAL_HUB.replace("hub1", "hub9"), "$Default"),
            "event hub does not exist",
        ),
    ] {
        let failed = end_of(&cloud, &token, "c1", &body).await;
        assert_eq!(
            (failed.status, &failed.body["status"]),
            (StatusCode::OK, &json!("Failed")),
            "{part}"
        );
        assert_eq!(failed.body["error"]["code"], "EventHubValidationErorFound");
        assert_eq!(
            failed.body["error"]["message"],
            format!("[BadRequest] Validation Errors found: {part}")
        );
        assert_eq!(
            cloud.get(&token, &connection("c1")).await.status,
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn hub_and_consumer_group_serve_one_data_connection_of_a_cluster() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let body = event_hub_body(LOCAL_HUB, "$Default");
    assert_eq!(
        end_of(&cloud, &token, "c1", &body).await.body["status"],
        "Succeeded"
    );
    let twice = end_of(&cloud, &token, "c2", &body).await;
    assert!(
        twice.body["error"]["message"]
            .as_str()
            .unwrap()
            .ends_with("tuple provided are already used")
    );
    assert_eq!(
        end_of(&cloud, &token, "c1", &body).await.body["status"],
        "Succeeded",
        "the same one may be put again"
    );
    assert_eq!(
        end_of(&cloud, &token, "c2", &event_hub_body(LOCAL_HUB, "cg1"))
            .await
            .body["status"],
        "Succeeded"
    );
}

#[tokio::test]
async fn an_update_that_fails_leaves_what_was_there() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    end_of(&cloud, &token, "c1", &event_hub_body(LOCAL_HUB, "$Default")).await;
    let before = cloud.get(&token, &connection("c1")).await.body;
    assert_eq!(
        end_of(&cloud, &token, "c1", &event_hub_body(LOCAL_HUB, "nothing"))
            .await
            .body["status"],
        "Failed"
    );
    assert_eq!(cloud.get(&token, &connection("c1")).await.body, before);
}

#[tokio::test]
async fn a_removal_during_a_create_cancels_it() {
    let cloud = start().await;
    let token = writer(&cloud).await;
    let created = cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    cloud.delete(&token, &connection("c1")).await;
    let again = cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    cloud.finish_operations();
    assert_eq!(
        cloud
            .poll(&token, created.header("azure-asyncoperation"))
            .await
            .body["status"],
        "Canceled"
    );
    assert_eq!(
        cloud.get(&token, &connection("c1")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn parallel_writes_can_fail_later_instead_of_at_once() {
    let cloud = start_with(Options {
        parallel_writes: ParallelWrites::Failed,
        ..Options::default()
    })
    .await;
    cloud
        .emulator
        .edit(|world| world.set_operation_duration(std::time::Duration::from_secs(30)));
    let token = writer(&cloud).await;
    let first = cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    let second = cloud
        .put(&token, &[], &connection("c2"), &event_hub_body(LOCAL_HUB, "cg1"))
        .await;
    cloud.finish_operations();
    assert_eq!(
        cloud
            .poll(&token, first.header("azure-asyncoperation"))
            .await
            .body["status"],
        "Succeeded"
    );
    let second = cloud.poll(&token, second.header("azure-asyncoperation")).await;
    assert_eq!(second.body["error"]["code"], "ServiceIsInMaintenance");
    assert_eq!(
        cloud.get(&token, &connection("c2")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn operations_end_by_themselves_when_their_time_is_over() {
    let cloud = start_with(Options {
        operation_duration: std::time::Duration::ZERO,
        ..Options::default()
    })
    .await;
    let token = writer(&cloud).await;
    cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    let done = cloud.get(&token, &connection("c1")).await;
    assert_eq!(done.body["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn tests_can_change_a_data_connection_behind_arms_back() {
    let cloud = start().await;
    let id = format!("{DATABASE}/dataConnections/found");
    let token = writer(&cloud).await;
    cloud
        .emulator
        .edit(|world| {
            world.add_data_connection(&id, &event_hub_body(HUB1, "cg1"))?;
            let members = json!({ "tableName": "Other", "mappingRuleName": null });
            world.set_data_connection_members(&id, members.as_object().unwrap())
        })
        .unwrap();
    let shown = cloud.get(&token, &connection("found")).await;
    assert_eq!(shown.body["properties"]["tableName"], "Other");
    assert_eq!(shown.body["properties"]["mappingRuleName"], "");
    let read = cloud.emulator.read(|world| world.data_connection(&id)).unwrap();
    assert_eq!(read["properties"], shown.body["properties"]);
}
