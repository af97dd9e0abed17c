//! Creates whose answer didn't come, or didn't tell.

use std::time::Duration;

use azure_emulator::{Effect, Fault, FaultBody, how_to};
use serde_json::json;
use tokio::net::TcpListener;

use super::{done_but_answered, failed, make_theirs, put, settles_to_active};
use crate::support::{App, data_connection, hurried, request};

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
    // One 404 proves little.
    assert!(app.calls("GET", "telemetry").len() >= 4);
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_put_that_timed_out_and_lands_late_is_found() {
    let app = App::with(|config| {
        hurried(config);
        config.outbound.timeout = Duration::from_millis(500);
        config.worker.request_life = Duration::from_secs(20);
    })
    .await;
    let portal = app.how_to_portal();
    app.emulator.inject(put(Effect::Delay(Duration::from_secs(60))));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let path = format!("/v1/connections/{}", created.text("/id"));
    portal.wait_for(&path, |body| body["state"] == "unsettled").await;
    // The preflight's read, and more that find nothing than would do if the request were dead.
    app.wait_for_calls("GET", "telemetry", 6).await;
    let body = json!({ "location": "West Europe", "kind": "EventHub", "properties": {
        "eventHubResourceId": how_to::HUB1, "consumerGroup": "$Default", "tableName": "Events",
        "mappingRuleName": "EventsMapping", "dataFormat": "JSON"
    } });
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection("telemetry"), &body))
        .expect("it lands");
    let operation = portal.follow(created.text("/lastOperation/id")).await;
    assert_eq!(operation.text("/status"), "succeeded");
    assert_eq!(portal.get(&path).await.text("/state"), "active");
    app.finish().await;
}

#[tokio::test]
async fn a_put_that_was_cut_off_after_its_effect_settles_to_active() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator.inject(put(Effect::ResetAfterEffect));
    let created = portal.create(&request("telemetry")).await;
    settles_to_active(app, &portal, &created).await;
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
    let events = portal.event_kinds(created.text("/id")).await;
    assert_eq!(events, ["create.intended", "outcome.unknown", "create.failed"]);
    app.finish().await;
}

#[tokio::test]
async fn a_server_error_after_the_effect_settles_to_active() {
    for status in [500, 503] {
        let app = App::hurried().await;
        let portal = app.how_to_portal();
        app.emulator
            .inject(put(done_but_answered(status, &[], FaultBody::Empty)));
        let created = portal.create(&request("telemetry")).await;
        settles_to_active(app, &portal, &created).await;
    }
}

#[tokio::test]
async fn a_success_whose_body_breaks_off_is_followed_by_reading() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let broken = FaultBody::Text("{\"id\":\"/subscriptions/50000000".to_owned());
    app.emulator.inject(put(done_but_answered(201, &[], broken)));
    let created = portal.create(&request("telemetry")).await;
    settles_to_active(app, &portal, &created).await;
}

#[tokio::test]
async fn a_202_that_names_no_operation_is_followed_by_reading() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(put(done_but_answered(202, &[], FaultBody::Empty)));
    let created = portal.create(&request("telemetry")).await;
    settles_to_active(app, &portal, &created).await;
}

#[tokio::test]
async fn an_operation_on_another_host_is_never_asked_and_reads_settle_the_create() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = elsewhere.local_addr().expect("an address");
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let url = format!("https://{address}/subscriptions/x/operationResults/y");
    app.emulator.inject(put(done_but_answered(
        201,
        &[("azure-asyncoperation", &url)],
        FaultBody::Empty,
    )));
    let created = portal.create(&request("telemetry")).await;
    settles_to_active(app, &portal, &created).await;
    let visit = tokio::time::timeout(Duration::ZERO, elsewhere.accept()).await;
    assert!(visit.is_err(), "somebody called the other host");
}

#[tokio::test]
async fn an_operation_that_azure_forgot_or_cannot_show_is_followed_by_reading() {
    for fault in [
        Fault::arm(
            "/operationResults/",
            Effect::json(404, json!({ "error": { "code": "NotFound" } })),
        )
        .always(),
        Fault::arm("/operationResults/", Effect::status(500, &[])).times(4),
    ] {
        let app = App::hurried().await;
        let portal = app.how_to_portal();
        app.emulator.inject(fault);
        let created = portal.create(&request("telemetry")).await;
        settles_to_active(app, &portal, &created).await;
    }
}

#[tokio::test]
async fn a_create_that_azure_called_done_is_looked_for_until_the_reads_catch_up() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let lagging = json!({ "error": { "code": "ResourceNotFound", "message": "not yet" } });
    app.emulator.inject(
        // The first read is the one before the create.
        Fault::arm("/dataConnections/telemetry", Effect::json(404, lagging))
            .method("GET")
            .after(1)
            .times(2),
    );
    let created = portal.create(&request("telemetry")).await;
    settles_to_active(app, &portal, &created).await;
}

#[tokio::test]
async fn what_differs_from_an_unanswered_put_is_never_called_ours_and_never_deleted() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator.inject(put(Effect::ResetBeforeEffect));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    make_theirs(&app);
    let theirs = app.at_arm("telemetry");
    let operation = format!("/v1/operations/{}", created.text("/lastOperation/id"));
    portal
        .wait_for(&operation, |body| body["error"]["code"] == "differs")
        .await;
    // It stays so, however often it is looked at and long after the request is dead.
    let looks = app.calls("GET", "telemetry").len();
    app.wait_for_calls("GET", "telemetry", looks + 8).await;
    assert_eq!(portal.get(&operation).await.text("/status"), "unsettled");
    assert_eq!(
        portal.connection(created.text("/id")).await.body["state"],
        "unsettled"
    );
    assert_eq!((app.at_arm("telemetry"), app.writes().len()), (theirs, 1));

    app.emulator
        .edit(|world| world.remove_data_connection(&data_connection("telemetry")))
        .expect("theirs");
    failed(&app, &portal, &created).await;
    app.finish().await;
}

#[tokio::test]
async fn a_person_may_remove_what_stayed_unsettled_by_naming_it() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator.inject(put(Effect::ResetBeforeEffect));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    make_theirs(&app);
    let operation = format!("/v1/operations/{}", created.text("/lastOperation/id"));
    portal
        .wait_for(&operation, |body| body["error"]["code"] == "differs")
        .await;
    let removed = portal.remove(created.text("/id")).await;
    assert_eq!(
        (removed.status, removed.text("/state")),
        (200, "removed"),
        "{}",
        removed.body
    );
    let create = portal.get(&operation).await;
    assert_eq!(
        (create.text("/status"), create.text("/error/code")),
        ("failed", "differs")
    );
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}
