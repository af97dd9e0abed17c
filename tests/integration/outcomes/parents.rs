//! What reads tell when not the data connection is what Azure doesn't find, but what it would be in: that is no proof that it
//! was removed, and only once a create's request is dead that nothing came of it.

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use serde_json::json;

use super::{failed, put};
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

/// The removal was not carried out, and nobody says that it was: `missing`, with the reason.
#[track_caller]
fn is_missing(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.text("/state")),
        (202, "missing"),
        "{}",
        answer.body
    );
    assert_eq!(answer.text("/lastOperation/error/code"), "parentMissing");
}

#[tokio::test]
async fn an_unsettled_create_whose_parent_is_gone_fails_once_its_request_is_dead() {
    for code in PARENTS {
        let app = App::hurried().await;
        let portal = app.how_to_portal();
        app.emulator.inject(put(Effect::ResetBeforeEffect));
        // All but the first read, which is the one before the create.
        reads_find_no(&app, "/dataConnections/telemetry", code, 1);
        let created = portal.create_waiting(&request("telemetry"), 0).await;
        let error = failed(&app, &portal, &created).await;
        assert_eq!(
            (&error["code"], &error["upstream"]["code"]),
            (&json!("parentMissing"), &json!(code))
        );
        let operation = portal.follow(created.text("/lastOperation/id")).await;
        let time = |pointer: &str| {
            let time = chrono::DateTime::parse_from_rfc3339(operation.text(pointer));
            time.expect("a time")
        };
        // Before that, the PUT might still have landed in a parent that only some reads didn't find.
        let life = chrono::TimeDelta::milliseconds(600);
        assert!(time("/finishedAt") - time("/createdAt") >= life);
        assert_eq!(app.writes().len(), 1);
        app.finish().await;
    }
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
async fn a_create_whose_parent_goes_while_azure_carries_it_out_is_given_up_after_its_deadline() {
    let app = App::hurried_with(|config| config.worker.deadline = Duration::from_millis(800)).await;
    let portal = app.how_to_portal();
    reads_find_no(&app, "/dataConnections/telemetry", "ParentResourceNotFound", 1);
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let operation = portal.follow(created.text("/lastOperation/id")).await;
    assert_eq!(operation.text("/error/code"), "parentMissing");
    let events = portal.event_kinds(created.text("/id")).await;
    let unknown = "outcome.unknown";
    assert_eq!(
        events,
        ["create.intended", "create.accepted", unknown, "create.failed"]
    );
    app.finish().await;
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
                reads_find_no(&app, itself, "ResourceNotFound", 0);
            }
            reads_find_no(&app, path, code, 0);
            is_missing(&portal.remove(id).await);
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
        reads_find_no(&app, "/dataConnections/telemetry", code, 0);
        is_missing(&portal.remove(created.text("/id")).await);
        assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
        app.finish().await;
    }
}
