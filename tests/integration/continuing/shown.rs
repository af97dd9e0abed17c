//! What an operation is said to be once somebody goes on with it, and what is said of tokens that don't do.

use azure_emulator::{Effect, Fault, how_to};
use serde_json::json;

use super::continue_operation;
use crate::support::{App, Portal, claims_challenge, request};

/// A create that ARM carries out until it is released, and that waits for its caller since its replica was stopped: the connection's
/// id and the operation's.
async fn under_way_at_arm(app: &mut App) -> (String, String) {
    let portal = app.how_to_portal();
    app.hold_operations();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    app.wait_until("select exists (select from operations where phase = 'accepted')")
        .await;
    app.stop_service().await;
    app.start_service().await;
    let id = created.text("/id").to_owned();
    let path = format!("/v1/connections/{id}");
    portal
        .at(app.address())
        .wait_for(&path, |body| body["lastOperation"]["status"] == "awaitingCaller")
        .await;
    (id, created.text("/lastOperation/id").to_owned())
}

/// How the operation is shown by itself and with its connection.
async fn shown(portal: &Portal, connection: &str, operation: &str) -> [String; 2] {
    let alone = portal.get(&format!("/v1/operations/{operation}")).await;
    let beside = portal.connection(connection).await;
    [
        alone.text("/status").to_owned(),
        beside.text("/lastOperation/status").to_owned(),
    ]
}

#[tokio::test]
async fn an_operation_that_somebody_goes_on_with_runs_at_once_and_not_only_when_it_has_ended() {
    let mut app = App::hurried().await;
    let (id, operation) = under_way_at_arm(&mut app).await;
    let portal = app.how_to_portal();
    let answer = continue_operation(&portal, &operation, None, 0).await;
    assert_eq!((answer.status, answer.text("/status")), (202, "running"));
    assert_eq!(answer.body["awaiting"][0]["tenantId"], json!(null));
    // As long as Azure takes.
    for _ in 0..5 {
        assert_eq!(shown(&portal, &id, &operation).await, ["running", "running"]);
        let list = portal.get("/v1/connections").await;
        assert_eq!(list.text("/value/0/lastOperation/status"), "running");
        app.wait_for_another_poll().await;
    }
    // Who goes on again changes nothing of it.
    let again = continue_operation(&portal, &operation, None, 0).await;
    assert_eq!(again.text("/status"), "running");
    app.release_operations();
    assert_eq!(portal.follow(&operation).await.text("/status"), "succeeded");
    app.finish().await;
}

#[tokio::test]
async fn a_create_and_a_removal_that_are_asked_for_again_are_shown_to_run_too() {
    let mut app = App::hurried().await;
    let (id, operation) = under_way_at_arm(&mut app).await;
    let portal = app.how_to_portal();
    let again = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(again.text("/lastOperation/status"), "running");
    assert_eq!(shown(&portal, &id, &operation).await, ["running", "running"]);
    app.release_operations();
    portal.follow(&operation).await;

    app.hold_operations();
    let removal = portal.remove_waiting(&id, 0).await;
    let operation = removal.text("/lastOperation/id").to_owned();
    app.wait_until("select exists (select from operations where kind = 'remove' and phase = 'accepted')")
        .await;
    app.stop_service().await;
    app.start_service().await;
    let portal = app.how_to_portal();
    let path = format!("/v1/connections/{id}");
    portal
        .wait_for(&path, |body| body["lastOperation"]["status"] == "awaitingCaller")
        .await;
    let again = portal.remove_waiting(&id, 0).await;
    assert_eq!(again.text("/lastOperation/status"), "running");
    assert_eq!(shown(&portal, &id, &operation).await, ["running", "running"]);
    app.release_operations();
    portal.follow(&operation).await;
    app.finish().await;
}

#[tokio::test]
async fn a_token_that_arm_refuses_is_refused_in_the_answer_and_the_operation_goes_on_waiting() {
    let mut app = App::hurried().await;
    let (id, operation) = under_way_at_arm(&mut app).await;
    let refused = json!({ "error": { "code": "AuthorizationFailed", "message": "No." } });
    let revoked = json!({ "error": { "code": "InvalidAuthenticationToken", "message": "No." } });
    let capable = [
        app.challengeable_token("acc1@domain1.com", how_to::DOMAIN1),
        app.challengeable_token("acc2@domain2.com", how_to::DOMAIN2),
    ];
    for (effect, status, code) in [
        (Effect::json(403, refused), 403, "azureRefused"),
        (Effect::json(401, revoked), 403, "azureRefused"),
        (claims_challenge(), 401, "claimsChallenge"),
    ] {
        let fault = Fault::arm("/dataConnections/telemetry", effect).method("GET");
        app.emulator.inject(fault.always());
        let portal = app.portal().with_token(&capable[0]).with_auxiliary(&capable[1]);
        let answer = continue_operation(&portal, &operation, None, 0).await;
        answer.is_problem(status, code);
        app.emulator.clear_faults();
        let beside = app.how_to_portal().connection(&id).await;
        assert_eq!(beside.text("/lastOperation/status"), "awaitingCaller");
    }
    let events = app.how_to_portal().event_kinds(&id).await;
    let refusals = events.iter().filter(|kind| *kind == "continue.refused").count();
    assert_eq!(refusals, 3, "{events:?}");
    // What ARM can't tell now keeps nobody from bringing tokens.
    let outage = Fault::arm("/dataConnections/telemetry", Effect::status(503, &[]));
    app.emulator.inject(outage.method("GET").always());
    let answer = continue_operation(&app.how_to_portal(), &operation, None, 0).await;
    assert_eq!((answer.status, answer.text("/status")), (202, "running"));
    app.emulator.clear_faults();
    app.release_operations();
    let ended = app.how_to_portal().follow(&operation).await;
    assert_eq!(ended.text("/status"), "succeeded");
    app.finish().await;
}
