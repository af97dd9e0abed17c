//! A change that failed is told as one, with why and with what fixes it.

use azure_emulator::{Effect, how_to};
use serde_json::{Value, json};

use super::put;
use crate::support::{App, data_connection, request};

#[tokio::test]
async fn a_create_that_fails_within_the_wait_is_told_so_with_its_operation_cause_and_remedy() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .edit(|world| world.remove_table(how_to::DATABASE, "Events"))
        .expect("a table");
    let failed = portal.keyed("one-wish").create(&request("telemetry")).await;
    failed.is_problem(422, "createFailed");
    assert_eq!(failed.text("/cause"), "azureFailed");
    assert_eq!(failed.text("/upstream/service"), "arm");
    assert!(
        failed.text("/detail").contains("table does not exist"),
        "{}",
        failed.body
    );
    assert!(
        failed.text("/remedy").contains("Create the table"),
        "{}",
        failed.body
    );
    let operation = format!("/v1/operations/{}", failed.text("/operationId"));
    assert_eq!(failed.header("operation-location"), Some(operation.as_str()));
    let read = portal.get(&operation).await;
    assert_eq!(
        [
            &read.body["error"]["code"],
            &read.body["error"]["remedy"],
            &read.body["error"]["upstream"]
        ],
        [
            &failed.body["cause"],
            &failed.body["remedy"],
            &failed.body["upstream"]
        ]
    );
    let connection = portal.connection(failed.text("/connectionId")).await;
    assert_eq!(connection.text("/state"), "failed");
    assert_eq!(failed.header("etag"), connection.header("etag"));

    // With its key it is told again, and nothing is done; with another one it is tried again.
    let again = portal.keyed("one-wish").create(&request("telemetry")).await;
    let without_request = |body: &Value| {
        let mut body = body.clone();
        body.as_object_mut().expect("a problem").remove("requestId");
        body
    };
    assert_eq!(without_request(&again.body), without_request(&failed.body));
    let anew = portal.keyed("another").create(&request("telemetry")).await;
    anew.is_problem(422, "createFailed");
    assert_ne!(anew.body["operationId"], failed.body["operationId"]);
    assert_eq!(app.calls("PUT", "telemetry").len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_azure_refuses_is_told_as_one_that_failed() {
    let app = App::hurried().await;
    let refused = json!({ "error": { "code": "RequestDisallowedByPolicy", "message": "Not here." } });
    app.emulator.inject(put(Effect::json(403, refused)));
    let failed = app.how_to_portal().create(&request("telemetry")).await;
    failed.is_problem(422, "createFailed");
    assert_eq!(
        [failed.text("/cause"), failed.text("/upstream/code")],
        ["azureRefused", "RequestDisallowedByPolicy"]
    );
    assert!(!failed.text("/remedy").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn the_remedy_names_the_connection_that_uses_the_consumer_group() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let first = portal.create(&request("first")).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let second = portal.create(&request("second")).await;
    second.is_problem(422, "createFailed");
    let remedy = second.text("/remedy");
    assert!(
        remedy.contains(&format!("first ({})", first.text("/id"))),
        "{remedy}"
    );
    let operation = format!("/v1/operations/{}", second.text("/operationId"));
    assert_eq!(portal.get(&operation).await.text("/error/remedy"), remedy);
    // Who sees the second one alone is not told of the first.
    let other = app.signed_in("acc4@domain1.com");
    other
        .create(&request("third"))
        .await
        .is_problem(403, "accessMissing");
    app.as_owner(&format!(
        "insert into connection_people (connection_id, person_id, part, app_id)
         select '{}', id, 'participant', '{}' from people where user_name = 'acc4@domain1.com'",
        second.text("/connectionId"),
        how_to::PORTAL
    ))
    .await;
    let told = other.get(&operation).await;
    assert!(
        told.text("/error/remedy").starts_with("Another data connection"),
        "{}",
        told.body
    );
    app.finish().await;
}

#[tokio::test]
async fn a_data_connection_of_others_that_uses_the_consumer_group_is_not_named() {
    let app = App::hurried().await;
    let theirs = json!({ "properties": {
        "eventHubResourceId": how_to::HUB1, "consumerGroup": "$Default", "tableName": "Alarms"
    } });
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection("theirs"), &theirs))
        .expect("it is made");
    let failed = app.how_to_portal().create(&request("telemetry")).await;
    failed.is_problem(422, "createFailed");
    let remedy = failed.text("/remedy");
    assert!(
        remedy.starts_with("Another data connection of this cluster reads the event hub hub1 with the consumer group $Default"),
        "{remedy}"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_azure_refuses_is_told_as_one_that_failed_and_its_key_says_so_again() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    let locked = json!({ "error": { "code": "ScopeLocked", "message": "It is locked." } });
    let fault = azure_emulator::Fault::arm("/dataConnections/", Effect::json(409, locked)).method("DELETE");
    app.emulator.inject(fault);
    let failed = portal.keyed("one-wish").remove(id).await;
    failed.is_problem(422, "removeFailed");
    assert_eq!(failed.text("/connectionId"), id);
    assert_eq!(
        [failed.text("/cause"), failed.text("/upstream/code")],
        ["azureRefused", "ScopeLocked"]
    );
    let again = portal.keyed("one-wish").remove(id).await;
    again.is_problem(422, "removeFailed");
    assert_eq!(again.body["operationId"], failed.body["operationId"]);
    let removed = portal.keyed("another").remove(id).await;
    assert_eq!((removed.status, removed.text("/state")), (200, "removed"));
    app.finish().await;
}
