//! Creates that ARM answered, whatever it answered.

use std::time::Duration;

use azure_emulator::{Effect, how_to};
use serde_json::json;

use super::{failed, make_theirs, put, settles_to_active};
use crate::support::{App, data_connection, hurried, request};

#[tokio::test]
async fn a_create_that_azure_fails_tells_azures_code_and_frees_the_name() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .edit(|world| world.remove_table(how_to::DATABASE, "Events"))
        .expect("a table");
    let created = portal.create(&request("telemetry")).await;
    created.is_problem(422, "createFailed");
    let error = failed(&app, &portal, &created).await;
    assert_eq!(error["code"], "azureFailed");
    assert_eq!(error["upstream"]["code"], "EventHubValidationErorFound");
    assert!(
        error["detail"]
            .as_str()
            .is_some_and(|text| text.contains("table does not exist"))
    );

    app.emulator
        .edit(|world| world.set_table(how_to::DATABASE, "Events", &["EventsMapping"]))
        .expect("a database");
    let again = portal.create(&request("telemetry")).await;
    assert_eq!(
        (again.status, again.text("/state")),
        (201, "active"),
        "{}",
        again.body
    );
    assert_ne!(again.connection(), created.connection());
    app.finish().await;
}

#[tokio::test]
async fn a_hub_and_consumer_group_that_another_connection_uses_fail_the_create() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let theirs = json!({ "properties": { "eventHubResourceId": how_to::HUB1, "consumerGroup": "$Default" } });
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection("theirs"), &theirs))
        .expect("it is made");
    let created = portal.create(&request("telemetry")).await;
    let error = failed(&app, &portal, &created).await;
    assert_eq!(error["upstream"]["code"], "EventHubValidationErorFound");
    assert!(app.at_arm("theirs").is_some());
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_azure_refuses_at_once_fails_with_its_code_and_is_not_repeated() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let refusal = json!({ "error": { "code": "InvalidRequestFormat", "message": "The name is invalid." } });
    app.emulator.inject(put(Effect::json(400, refusal)));
    let created = portal.create(&request("telemetry")).await;
    let error = failed(&app, &portal, &created).await;
    assert_eq!(error["code"], "azureRefused");
    assert_eq!(error["upstream"]["code"], "InvalidRequestFormat");
    assert_eq!(error["upstream"]["status"], 400);
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_azure_puts_off_is_sent_again_when_azure_said() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(put(Effect::status(429, &[("retry-after", "1")])));
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(
        (created.status, created.text("/state")),
        (201, "active"),
        "{}",
        created.body
    );
    let puts = app.calls("PUT", "telemetry");
    assert_eq!(puts.len(), 2);
    assert!(puts[1].at - puts[0].at >= chrono::TimeDelta::seconds(1));
    // The second PUT has a proof of its own: what was absent a second ago may have been made since.
    assert_eq!(
        portal.event_kinds(created.text("/id")).await,
        [
            "create.intended",
            "change.putOff",
            "create.repeated",
            "create.accepted",
            "create.succeeded"
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_name_that_somebody_takes_while_azure_puts_the_create_off_stays_theirs() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(put(Effect::status(429, &[("retry-after", "1")])));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    make_theirs(&app);
    let theirs = app.at_arm("telemetry");
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/error/code"), "nameTaken");
    assert_eq!(
        portal.connection(created.connection()).await.body["state"],
        "failed"
    );
    assert_eq!(app.at_arm("telemetry"), theirs);
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_azure_puts_off_for_longer_than_it_may_wait_fails_at_once() {
    let app = App::with(|config| {
        hurried(config);
        config.worker.max_queue_time = Duration::from_secs(60);
    })
    .await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(put(Effect::status(429, &[("retry-after", "3600")])));
    let created = portal.create(&request("telemetry")).await;
    let error = failed(&app, &portal, &created).await;
    assert_eq!(
        (&error["code"], &error["upstream"]["status"]),
        (&json!("azureRefused"), &json!(429))
    );
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_outlasts_its_deadline_is_unsettled_until_azure_has_finished_it() {
    let app = App::with(|config| {
        hurried(config);
        config.worker.deadline = Duration::from_millis(300);
    })
    .await;
    app.operations_take(Duration::from_secs(1));
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let path = format!("/v1/connections/{}", created.text("/id"));
    portal.wait_for(&path, |body| body["state"] == "unsettled").await;
    settles_to_active(app, &portal, &created).await;
}
