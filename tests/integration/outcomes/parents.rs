//! What reads decide when not the data connection is what Azure doesn't find, but what it would be in: that is no proof that it
//! was removed, nor that nothing came of its create.

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use serde_json::{Value, json};

use super::{failed, put, settles_to_active};
use crate::support::{Answer, App, Portal, request};

/// ARM's codes for a parent that is not there, from the subscription down to the cluster.
const PARENTS: [&str; 3] = [
    "SubscriptionNotFound",
    "ResourceGroupNotFound",
    "ParentResourceNotFound",
];

fn not_found(code: &str) -> Effect {
    Effect::json(
        404,
        json!({ "error": { "code": code, "message": "It could not be found." } }),
    )
}

/// Every read of this path is told that there is no such thing.
fn reads_find_no(app: &App, path: &str, code: &str, skip: u32) {
    let fault = Fault::arm(path, not_found(code)).method("GET");
    app.emulator.inject(fault.after(skip).always());
}

async fn active(app: &App) -> (Portal, Answer) {
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.text("/state"), "active", "{}", created.body);
    (portal, created)
}

/// The removal was not carried out, and nobody says that it was: the connection is `missing`, with the reason.
async fn is_missing(portal: &Portal, answer: &Answer) {
    answer.is_problem(409, "parentMissing");
    let connection = portal.connection(answer.connection()).await;
    assert_eq!(connection.text("/state"), "missing", "{}", connection.body);
    assert_eq!(connection.text("/lastOperation/error/code"), "parentMissing");
}

/// Waits until a create that got no answer is unsettled for that reason, and its request can no longer land.
async fn unsettled_past_its_life(app: &App, portal: &Portal, created: &Answer) {
    let path = format!("/v1/connections/{}", created.text("/id"));
    let told = |body: &Value| {
        body["state"] == "unsettled" && body["lastOperation"]["error"]["code"] == "parentMissing"
    };
    portal.wait_for(&path, told).await;
    app.wait_until("select now() > dispatched_at + interval '800 ms' from operations where kind = 'create'")
        .await;
    let reads = app.calls("GET", "telemetry").len();
    app.wait_for_calls("GET", "telemetry", reads + 4).await;
    assert!(told(&portal.get(&path).await.body));
}

#[tokio::test]
async fn an_unsettled_create_whose_parent_isnt_found_stays_unsettled_until_reads_tell() {
    for code in PARENTS {
        let app = App::hurried().await;
        let portal = app.how_to_portal();
        app.emulator.inject(put(Effect::ResetAfterEffect));
        // All but the first read, which is the one before the create.
        reads_find_no(&app, "/dataConnections/telemetry", code, 1);
        let created = portal.create_waiting(&request("telemetry"), 0).await;
        unsettled_past_its_life(&app, &portal, &created).await;
        // The subscription was moved, say, and now all of ARM knows.
        app.emulator.clear_faults();
        settles_to_active(app, &portal, &created).await;
    }
}

#[tokio::test]
async fn whoever_wants_an_unsettled_create_gone_whose_parent_isnt_found_is_told_that_it_is_missing() {
    let app = App::hurried().await;
    let (portal, code) = (app.how_to_portal(), "SubscriptionNotFound");
    app.emulator.inject(put(Effect::ResetAfterEffect));
    reads_find_no(&app, "/dataConnections/telemetry", code, 1);
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    unsettled_past_its_life(&app, &portal, &created).await;
    let gone = Fault::arm("/dataConnections/telemetry", not_found(code)).method("DELETE");
    app.emulator.inject(gone);
    let removal = portal.remove(created.text("/id")).await;
    removal.is_problem(409, "parentMissing");
    // It is there all the same, so its record is open, and it can be named again.
    assert!(app.at_arm("telemetry").is_some());
    app.emulator.clear_faults();
    let removed = portal.remove(created.text("/id")).await;
    assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_azure_refused_has_failed_whatever_became_of_its_parent() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let code = "ParentResourceNotFound";
    app.emulator.inject(put(not_found(code)));
    reads_find_no(&app, "/dataConnections/telemetry", code, 1);
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let error = failed(&app, &portal, &created).await;
    assert_eq!(
        (&error["code"], &error["upstream"]["code"]),
        (&json!("azureRefused"), &json!(code))
    );
    app.finish().await;
}

#[tokio::test]
async fn an_unsettled_create_whose_database_was_removed_fails_by_what_reads_find() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator.inject(put(Effect::ResetAfterEffect));
    app.operations_take(Duration::from_secs(60));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    app.emulator
        .edit(|world| world.remove_database(how_to::DATABASE))
        .expect("a database");
    let error = failed(&app, &portal, &created).await;
    assert_eq!(error["code"], "azureFailed");
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_create_whose_parent_goes_while_azure_carries_it_out_is_unsettled_after_its_deadline() {
    let app = App::hurried_with(|config| config.worker.deadline = Duration::from_millis(800)).await;
    let portal = app.how_to_portal();
    reads_find_no(&app, "/dataConnections/telemetry", "ParentResourceNotFound", 1);
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    unsettled_past_its_life(&app, &portal, &created).await;
    let events = portal.event_kinds(created.text("/id")).await;
    assert_eq!(events, ["create.intended", "create.accepted", "outcome.unknown"]);
    app.emulator.clear_faults();
    settles_to_active(app, &portal, &created).await;
}

#[tokio::test]
async fn an_unsettled_removal_whose_parent_is_gone_is_missing_and_never_removed() {
    for code in PARENTS {
        // What isn't found instead of the data connection itself, or, when that is gone, instead of its database.
        for (itself, path) in [
            (None, "/dataConnections/telemetry"),
            (Some("/dataConnections/telemetry"), "/databases/telemetry?"),
        ] {
            let app = App::hurried().await;
            let (portal, created) = active(&app).await;
            let id = created.text("/id");
            let reset = Fault::arm("/dataConnections/", Effect::ResetBeforeEffect);
            app.emulator.inject(reset.method("DELETE"));
            if let Some(itself) = itself {
                // The read directly before the request finds it.
                reads_find_no(&app, itself, "ResourceNotFound", 1);
            }
            reads_find_no(&app, path, code, u32::from(itself.is_none()));
            is_missing(&portal, &portal.remove(id).await).await;
            let events = portal.event_kinds(id).await;
            assert!(
                events.contains(&"outcome.unknown".to_owned())
                    && !events.contains(&"remove.succeeded".to_owned()),
                "{events:?}"
            );
            assert_eq!(app.calls("DELETE", "telemetry").len(), 1);

            // The parent is there again, and so is the data connection: it is asked for once more.
            app.emulator.clear_faults();
            let removed = portal.remove(id).await;
            assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
            assert_eq!(app.calls("DELETE", "telemetry").len(), 2);
            app.finish().await;
        }
    }
}

#[tokio::test]
async fn a_removal_that_azure_took_and_whose_parent_goes_meanwhile_is_missing() {
    for code in PARENTS {
        let app = App::hurried().await;
        let (portal, created) = active(&app).await;
        reads_find_no(&app, "/dataConnections/telemetry", code, 1);
        is_missing(&portal, &portal.remove(created.text("/id")).await).await;
        assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
        app.finish().await;
    }
}
