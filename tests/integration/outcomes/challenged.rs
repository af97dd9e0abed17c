//! Writes that ARM answers with a claims challenge (continuous access evaluation): the person has to sign in with more before
//! anything is done, and what they wanted gone stays wanted gone.

use azure_emulator::{Fault, how_to};

use super::put;
use crate::support::{App, CLAIMS, claims_challenge, request};

#[tokio::test]
async fn a_create_that_azure_answers_with_a_claims_challenge_waits_for_a_token_that_has_them() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator.inject(put(claims_challenge()));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let operation = created.text("/lastOperation/id");
    let path = format!("/v1/operations/{operation}");
    let waiting = portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    assert_eq!(waiting.text("/awaiting/0/tenantId"), how_to::DOMAIN1);
    assert_eq!(waiting.text("/awaiting/0/claims"), CLAIMS);
    let connection = portal.connection(created.connection()).await;
    assert_eq!(connection.text("/state"), "creating");
    assert!(app.at_arm("telemetry").is_none());
    let kinds = portal.event_kinds(created.text("/id")).await;
    assert_eq!(kinds, ["create.intended", "create.held"]);
    assert_eq!(app.writes().len(), 1);

    // It was surely not made, so who wants it no longer is done with it at once.
    let removed = portal.remove(created.text("/id")).await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    assert_eq!(portal.get(&path).await.text("/status"), "failed");
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_azure_answers_with_a_claims_challenge_goes_on_with_a_token_that_has_them() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    app.emulator
        .inject(Fault::arm("/dataConnections/", claims_challenge()).method("DELETE"));
    let asked = portal.remove_waiting(id, 0).await;
    let path = format!("/v1/operations/{}", asked.text("/lastOperation/id"));
    let waiting = portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    assert_eq!(waiting.text("/awaiting/0/tenantId"), how_to::DOMAIN1);
    assert_eq!(waiting.text("/awaiting/0/claims"), CLAIMS);
    // ARM refused it for certain: nothing has to be settled, and looking makes no difference.
    assert_eq!(portal.connection(id).await.text("/state"), "removing");
    let kinds = portal.event_kinds(id).await;
    assert_eq!(kinds.last().map(String::as_str), Some("remove.held"), "{kinds:?}");
    assert!(app.at_arm("telemetry").is_some());
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);

    let better = app.satisfying_token("acc1@domain1.com", &[]);
    let removed = portal.with_token(&better).remove(id).await;
    assert_eq!(
        (removed.status, removed.text("/state")),
        (200, "removed"),
        "{}",
        removed.body
    );
    assert_eq!(
        removed.body["lastOperation"]["id"], asked.body["lastOperation"]["id"],
        "the same removal"
    );
    let deletes = app.calls("DELETE", "telemetry");
    assert_eq!(deletes.len(), 2);
    // What the first one was refused with is not tried again.
    let token = |index: usize| deletes[index].request_headers.get("authorization");
    assert_ne!(token(0), token(1));
    app.finish().await;
}
