//! Removals that Azure refuses, or that cannot be completed: the connection keeps the state that is known to be true.

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to, resources::Failure};
use http::Method;
use serde_json::json;

use super::{active, delete_by_hand, make, ours_but, over_theirs, reads, remove_matching, tag, theirs};
use crate::support::App;

/// ARM refuses deletions, as a lock does.
fn lock(app: &App) {
    let locked = json!({ "error": { "code": "ScopeLocked", "message": "locked" } });
    app.emulator
        .inject(Fault::arm("/dataConnections/telemetry", Effect::json(409, locked)).method("DELETE"));
}

#[tokio::test]
async fn a_replacement_is_not_called_active_after_its_removal_is_refused() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.connection();
    make(&app, &theirs());
    let refused = portal.remove(id).await;
    refused.is_problem(409, "drifted");
    assert_eq!(portal.connection(id).await.text("/state"), "missing");
    lock(&app);
    let again = remove_matching(&portal, id, &tag(&refused)).await;
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1, "{}", again.body);
    assert_eq!(portal.connection(id).await.text("/state"), "missing");
    app.finish().await;
}

#[tokio::test]
async fn a_contested_connection_stays_contested_after_its_removal_failed() {
    let app = App::hurried().await;
    let (portal, created) = over_theirs(&app).await;
    let id = created.connection();
    let seen = portal.connection(id).await;
    make(
        &app,
        &ours_but(|properties| properties["tableName"] = "Alarms".into()),
    );
    let refused = remove_matching(&portal, id, &tag(&seen)).await;
    refused.is_problem(409, "contested");
    // Azure accepts the deletion, and then it fails.
    app.hold_operations();
    let call = portal
        .call(Method::DELETE, &format!("/v1/connections/{id}"))
        .header("prefer", "wait=0")
        .header("if-match", tag(&refused));
    let asked = portal.send(call).await;
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    app.wait_until("select exists (select from operations where kind = 'remove' and phase = 'accepted')")
        .await;
    let failure = Failure {
        code: "BadRequest".to_owned(),
        message: "no".to_owned(),
    };
    app.operations_take(Duration::from_millis(60));
    app.emulator
        .edit(|world| world.fail_operations(&failure, |_| true));
    portal.follow(asked.text("/lastOperation/id")).await;
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    // A removal without `If-Match` deletes nothing.
    let bare = portal.remove(id).await;
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1, "{}", bare.body);
    bare.is_problem(409, "contested");
    app.finish().await;
}

/// A parent that cannot be found does not prove that the data connection is gone.
#[tokio::test]
async fn an_unconfirmed_connection_whose_parent_is_not_found_stays_unsettled() {
    let app = App::hurried().await;
    let (portal, created) = over_theirs(&app).await;
    let id = created.connection();
    let seen = portal.connection(id).await;
    assert_eq!(seen.text("/state"), "unsettled");
    let moved = json!({ "error": { "code": "SubscriptionNotFound", "message": "moved" } });
    app.emulator.inject(reads(Effect::json(404, moved)).always());
    let removal = remove_matching(&portal, id, &tag(&seen)).await;
    removal.is_problem(409, "parentMissing");
    let connection = portal.connection(id).await;
    assert!(app.at_arm("telemetry").is_some());
    assert_eq!(
        connection.text("/state"),
        "unsettled",
        "`failed` means that it never existed"
    );
    app.finish().await;
}

/// The right to delete data connections does not include the right to read the database.
#[tokio::test]
async fn a_removal_whose_caller_may_not_read_the_database_comes_to_rest() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    delete_by_hand(&app);
    let denied = json!({ "error": { "code": "AuthorizationFailed", "message": "no" } });
    let there = format!("{}?", how_to::DATABASE);
    app.emulator.inject(
        Fault::arm(&there, Effect::json(403, denied))
            .method("GET")
            .always(),
    );
    let asked = portal.remove_waiting(created.connection(), 0).await;
    let path = format!("/v1/operations/{}", asked.text("/lastOperation/id"));
    portal
        .wait_for(&path, |body| {
            ["awaitingCaller", "failed", "succeeded"]
                .iter()
                .any(|status| body["status"] == *status)
        })
        .await;
}
