//! Creates of which ARM's own words and what its reads show don't agree, or say nothing that stays.

use std::time::Duration;

use azure_emulator::{Effect, Fault, FaultBody};
use serde_json::{Value, json};

use super::{put, settles_to_active};
use crate::support::{Answer, App, Portal, request};

const READS: &str = "/dataConnections/telemetry";

/// Reads show the data connection in this state from now on.
fn reads_show(app: &App, state: &str) {
    let mut shown = app.at_arm("telemetry").expect("it is there");
    shown["properties"]["provisioningState"] = state.into();
    let body = Effect::Body(FaultBody::Json(shown));
    app.emulator
        .inject(Fault::arm(READS, body).method("GET").always());
}

/// Reads find nothing: so many times, or from now on, after this many.
fn reads_find_nothing(app: &App, skip: u32, times: Option<u32>) {
    let nothing = json!({ "error": { "code": "ResourceNotFound", "message": "It was not found." } });
    let fault = Fault::arm(READS, Effect::json(404, nothing))
        .method("GET")
        .after(skip);
    app.emulator.inject(match times {
        Some(times) => fault.times(times),
        None => fault.always(),
    });
}

/// ARM says of every operation that it failed, whatever came of it.
fn azures_operation_fails(app: &App) {
    let failed = json!({ "status": "Failed", "error": { "code": "Internal", "message": "It failed." } });
    app.emulator
        .inject(Fault::arm("/operationResults/", Effect::json(200, failed)).always());
}

/// A create whose PUT was carried out and got no answer, while reads show it in this state.
async fn unanswered_and_shown(app: &App, portal: &Portal, state: &str) -> Answer {
    app.emulator.inject(put(Effect::ResetAfterEffect));
    let reads = Fault::arm(READS, Effect::status(503, &[])).method("GET");
    app.emulator.inject(reads.after(1).always());
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    app.emulator.clear_faults();
    reads_show(app, state);
    created
}

async fn is_unsettled(portal: &Portal, created: &Answer) -> String {
    let path = format!("/v1/connections/{}", created.connection());
    portal.wait_for(&path, |body| body["state"] == "unsettled").await;
    path
}

#[tokio::test]
async fn an_operation_that_azure_fails_is_no_proof_that_nothing_was_left_behind() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    azures_operation_fails(&app);
    // The first read is the one before the create. The next one lags.
    reads_find_nothing(&app, 1, Some(1));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/error/upstream/code"), "Internal");
    assert!(app.at_arm("telemetry").is_some());
    // What is there is in a record that stays open, and can be named for removal.
    let shown = portal.connection(created.connection()).await;
    assert_eq!(shown.text("/state"), "unsettled", "{}", shown.body);
    let removed = portal.remove(created.connection()).await;
    assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}

#[tokio::test]
async fn reads_that_find_nothing_count_anew_after_one_that_shows_a_create_under_way() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    azures_operation_fails(&app);
    // After the first read, which is the one before the create: twice nothing, once the data connection that is being made, twice
    // nothing again; then it is there.
    reads_find_nothing(&app, 1, Some(2));
    let made = json!({ "name": "adx1/telemetry/telemetry", "kind": "EventHub", "properties": { "provisioningState": "Creating" } });
    let shown = Effect::json(200, made);
    app.emulator
        .inject(Fault::arm(READS, shown).method("GET").after(1));
    reads_find_nothing(&app, 1, Some(2));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/error/upstream/code"), "Internal");
    assert!(app.calls("GET", "telemetry").len() >= 7);
    assert!(app.at_arm("telemetry").is_some());
    let shown = portal.connection(created.connection()).await;
    assert_eq!(shown.text("/state"), "unsettled", "{}", shown.body);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_azure_still_carries_out_past_its_deadline_is_not_given_up_for_reads_that_find_nothing()
{
    let app = App::hurried_with(|config| config.worker.deadline = Duration::from_millis(700)).await;
    app.hold_operations();
    let portal = app.how_to_portal();
    reads_find_nothing(&app, 1, None);
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let path = is_unsettled(&portal, &created).await;
    let polls = || {
        let entries = app.emulator.journal().entries();
        let polls = entries
            .iter()
            .filter(|entry| entry.path().contains("/operationResults/"));
        polls.count()
    };
    let before = polls();
    let asked = app
        .emulator
        .journal()
        .wait_for(|_| polls() >= before + 3, crate::support::PATIENCE);
    assert!(asked.await.is_some(), "ARM is asked how far it is");
    assert_eq!(portal.get(&path).await.text("/state"), "unsettled");
    app.emulator.clear_faults();
    app.release_operations();
    settles_to_active(app, &portal, &created).await;
}

#[tokio::test]
async fn a_create_that_azure_carries_out_without_end_keeps_no_removal_waiting_past_its_deadline() {
    let app = App::hurried_with(|config| config.worker.deadline = Duration::from_millis(700)).await;
    app.hold_operations();
    let portal = app.how_to_portal();
    reads_find_nothing(&app, 1, None);
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    is_unsettled(&portal, &created).await;
    let removal = portal.remove_waiting(created.connection(), 0).await;
    assert_eq!(removal.status, 202, "{}", removal.body);
    // Nothing is there to be deleted, so nothing is sent.
    let ended = portal.follow(removal.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    assert!(app.calls("DELETE", "telemetry").is_empty());
    // What Azure makes of the create after all is found by the next removal, and is removed.
    app.emulator.clear_faults();
    app.release_operations();
    app.visible("telemetry").await;
    let removed = portal.remove(created.connection()).await;
    assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_azure_canceled_has_ended_whatever_it_left() {
    for state in ["Canceled", "Cancelled", "Failed"] {
        let app = App::hurried().await;
        let portal = app.how_to_portal();
        let created = unanswered_and_shown(&app, &portal, state).await;
        let operation = portal.follow(created.operation()).await;
        assert_eq!(operation.text("/error/code"), "azureFailed", "{}", operation.body);
        assert!(operation.text("/error/detail").ends_with(state));
        // It is there, so the record stays open.
        let id = created.connection();
        let shown = portal.connection(id).await;
        assert_eq!(shown.text("/state"), "unsettled");
        let remedy = operation.text("/error/remedy");
        assert!(
            remedy.starts_with(&format!("First remove the connection {id}")),
            "{remedy}"
        );
        // A caller who sends the create again learns that, and the key is free for the create after the removal.
        let again = portal.keyed("again").create(&request("telemetry")).await;
        again.is_problem(409, "connectionExists");
        assert!(again.text("/detail").contains(id), "{}", again.body);
        app.emulator.clear_faults();
        let removed = portal.remove(id).await;
        assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
        let anew = portal.keyed("again").create(&request("telemetry")).await;
        assert_eq!(
            (anew.status, anew.text("/state")),
            (201, "active"),
            "{}",
            anew.body
        );
        app.finish().await;
    }
}

#[tokio::test]
async fn a_create_that_azure_never_ends_keeps_no_place_and_no_removal_waiting() {
    let app = App::hurried_with(|config| config.worker.deadline = Duration::from_millis(700)).await;
    let portal = app.how_to_portal();
    let created = unanswered_and_shown(&app, &portal, "Moving").await;
    is_unsettled(&portal, &created).await;
    app.wait_until("select lease_until is null from operations").await;
    let removal = portal.remove_waiting(created.connection(), 0).await;
    assert_eq!(removal.status, 202, "{}", removal.body);
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    app.emulator.clear_faults();
    let ended = portal.follow(removal.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}

#[tokio::test]
async fn a_removal_waits_until_a_create_that_got_no_answer_can_take_effect_no_more() {
    let life = Duration::from_secs(3);
    let app = App::hurried_with(|config| {
        config.worker.deadline = Duration::from_millis(700);
        config.worker.max_request_lifetime = life;
    })
    .await;
    let portal = app.how_to_portal();
    let created = unanswered_and_shown(&app, &portal, "Moving").await;
    is_unsettled(&portal, &created).await;
    let sent_at: chrono::DateTime<chrono::Utc> = app.scalar("select dispatched_at from operations").await;
    let removal = portal.remove_waiting(created.connection(), 0).await;
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    let delete = app.calls("DELETE", "telemetry").remove(0);
    assert!(delete.at >= sent_at + life, "{} {sent_at}", delete.at);
    app.emulator.clear_faults();
    let ended = portal.follow(removal.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_azure_never_ends_is_sent_again_after_its_deadline() {
    let app = App::hurried_with(|config| config.worker.deadline = Duration::from_millis(700)).await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.text("/state"), "active", "{}", created.body);
    let reset = Fault::arm("/dataConnections/", Effect::ResetBeforeEffect);
    app.emulator.inject(reset.method("DELETE"));
    reads_show(&app, "Moving");
    let removal = portal.remove_waiting(created.connection(), 0).await;
    app.wait_for_calls("DELETE", "telemetry", 2).await;
    app.emulator.clear_faults();
    let ended = portal.follow(removal.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    app.finish().await;
}

#[tokio::test]
async fn what_azure_took_and_nobody_can_follow_is_unsettled_after_its_deadline_and_listed() {
    let mut app = App::hurried_with(|config| config.worker.deadline = Duration::from_secs(2)).await;
    app.hold_operations();
    let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
    app.wait_until("select phase = 'accepted' from operations").await;
    // The tokens are gone with the process, and the caller doesn't come back.
    app.stop_service().await;
    app.start_service().await;
    let portal = app.how_to_portal();
    is_unsettled(&portal, &created).await;
    let listed = portal.get("/v1/connections?state=unsettled").await;
    let names = |list: &Value| list["value"].as_array().map(Vec::len);
    assert_eq!(names(&listed.body), Some(1), "{}", listed.body);
    app.release_operations();
    portal.continue_to_end(created.text("/lastOperation/id")).await;
    settles_to_active(app, &portal, &created).await;
}
