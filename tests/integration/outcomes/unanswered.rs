//! Creates whose answer didn't come, or didn't tell.

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use serde_json::json;

use super::{failed, make_theirs, put, settles_to_active};
use crate::support::{App, clock_ahead, continue_operation, data_connection, hurried, request};

#[tokio::test]
async fn a_put_that_was_cut_off_before_its_effect_is_unsettled_and_then_failed() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator.inject(put(Effect::ResetBeforeEffect));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let path = format!("/v1/connections/{}", created.text("/id"));
    let unsettled = portal.wait_for(&path, |body| body["state"] == "unsettled").await;
    assert_eq!(unsettled.text("/lastOperation/status"), "unsettled");
    failed(&app, &portal, &created).await;
    // One 404 proves little, and those of a time in which the request could still land prove nothing.
    let dead: chrono::DateTime<chrono::Utc> = app
        .scalar("select dispatched_at + interval '600 ms' from operations")
        .await;
    let reads = app.calls("GET", "telemetry");
    let reads = reads.iter().filter(|read| read.at > dead).count();
    assert!(
        reads >= 2,
        "{reads} reads, and one that may have begun a moment before the PUT"
    );
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_put_that_timed_out_and_lands_late_is_found() {
    let app = App::hurried_with(|config| {
        config.upstream.timeout = Duration::from_millis(500);
        config.worker.max_request_lifetime = Duration::from_secs(20);
    })
    .await;
    let portal = app.how_to_portal();
    app.emulator.inject(put(Effect::Delay(Duration::from_secs(2))));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let path = format!("/v1/connections/{}", created.text("/id"));
    portal.wait_for(&path, |body| body["state"] == "unsettled").await;
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/status"), "succeeded", "{}", operation.body);
    // The preflight's read, and more that found nothing than would do if the request were dead.
    let reads = app.calls("GET", "telemetry");
    let nothing = reads.iter().filter(|read| read.status == 404).count();
    assert!(nothing >= 5, "{nothing}");
    settles_to_active(app, &portal, &created).await;
}

#[tokio::test]
async fn a_request_that_may_still_land_is_not_given_up_by_a_replica_whose_clock_is_ahead() {
    let mut app = App::with(|config| {
        hurried(config);
        config.upstream.timeout = Duration::from_millis(500);
        config.worker.max_request_lifetime = Duration::from_secs(20);
    })
    .await;
    app.emulator.inject(put(Effect::Delay(Duration::from_secs(60))));
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let path = format!("/v1/connections/{}", created.text("/id"));
    portal.wait_for(&path, |body| body["state"] == "unsettled").await;
    app.stop_service().await;
    let replica = app.replica_with(clock_ahead()).await;
    let there = portal.at(replica.address());
    let operation = format!("/v1/operations/{}", created.text("/lastOperation/id"));
    let waits = |body: &serde_json::Value| body["status"] == "awaitingCaller";
    there.wait_for(&operation, waits).await;
    let looks = || app.calls("GET", "telemetry").len();
    let before = looks();
    let continued = continue_operation(&there, created.text("/lastOperation/id"), None, 0).await;
    assert_eq!(continued.status, 202, "{}", continued.body);
    let unsettled = there.wait_for(&operation, |body| {
        assert_ne!(body["status"], "failed", "{body}");
        looks() >= before + 6
    });
    unsettled.await;
    land(&app);
    let ended = there.follow(created.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    replica.stop().await;
    app.finish().await;
}

/// What had been asked for comes to be at last.
fn land(app: &App) {
    let body = json!({ "location": "West Europe", "kind": "EventHub", "properties": {
        "eventHubResourceId": how_to::HUB1, "consumerGroup": "$Default", "tableName": "Events",
        "mappingRuleName": "EventsMapping", "dataFormat": "JSON"
    } });
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection("telemetry"), &body))
        .expect("it lands");
}

#[tokio::test]
async fn what_an_unanswered_put_began_counts_only_when_azure_has_finished_it() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .edit(|world| world.remove_table(how_to::DATABASE, "Events"))
        .expect("a table");
    app.emulator.inject(put(Effect::ResetAfterEffect));
    // ARM shows the data connection as Creating at first, and takes it away when its validation fails.
    let created = portal.create(&request("telemetry")).await;
    failed(&app, &portal, &created).await;
    let events = portal.event_kinds(created.connection()).await;
    assert_eq!(events, ["create.intended", "outcome.unknown", "create.failed"]);
    app.finish().await;
}

#[tokio::test]
async fn an_operation_that_azure_forgot_is_followed_by_reading() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let forgotten = json!({ "error": { "code": "NotFound" } });
    app.emulator
        .inject(Fault::arm("/operationResults/", Effect::json(404, forgotten)).always());
    let created = portal.create(&request("telemetry")).await;
    settles_to_active(app, &portal, &created).await;
}

#[tokio::test]
async fn what_differs_from_an_unanswered_put_is_never_called_ours_and_never_deleted() {
    // Theirs has to be there before the request is dead, however busy the machine is.
    let app = App::hurried_with(|config| {
        config.worker.max_request_lifetime = Duration::from_secs(5);
    })
    .await;
    let portal = app.how_to_portal();
    app.emulator.inject(put(Effect::ResetBeforeEffect));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    make_theirs(&app);
    let theirs = app.at_arm("telemetry");
    let operation = portal.follow(created.operation()).await;
    assert_eq!(
        (operation.text("/status"), operation.text("/error/code")),
        ("failed", "drifted"),
        "{}",
        operation.body
    );
    // Not before the request was dead: it could have landed over theirs.
    let dead: chrono::DateTime<chrono::Utc> = app
        .scalar("select dispatched_at + interval '5 s' from operations")
        .await;
    let looks = app.calls("GET", "telemetry");
    assert!(looks.iter().any(|look| look.at > dead));
    let connection = portal.connection(created.connection()).await;
    assert_eq!(connection.text("/state"), "unsettled");
    assert!(connection.body["found"]["resource"].is_object());
    assert_eq!((app.at_arm("telemetry"), app.writes().len()), (theirs, 1));
    app.finish().await;
}
