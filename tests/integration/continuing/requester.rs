//! The requester of an operation goes on with it: after a crash, by a key, and when there is nothing to go on with.

use azure_emulator::how_to;
use serde_json::{Value, json};

use super::{Waiting, continue_operation, naming};
use crate::support::{App, request};

/// Azure processes it, so that a token that reads could settle it.
#[tokio::test]
async fn a_get_by_a_permitted_viewer_leaves_a_waiting_operation_waiting_and_calls_nobody_for_it() {
    let mut app = App::hurried().await;
    app.hold_operations();
    let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
    let operation = created.text("/lastOperation/id");
    app.wait_until("select exists (select from operations where phase = 'accepted')")
        .await;
    app.stop_service().await;
    app.release_operations();
    app.start_service().await;
    app.wait_until("select awaiting_tenant_id is not null and lease_until is null from operations")
        .await;
    let attempts = "select attempts from operations";
    let before = (
        app.scalar::<i32>(attempts).await,
        app.exchanges().len(),
        app.calls_at_arm(),
    );
    let path = format!("/v1/operations/{operation}");
    let actor = app.how_to_portal();
    for _ in 0..3 {
        let seen = actor.get(&path).await;
        assert_eq!((seen.status, seen.text("/status")), (200, "awaitingCaller"));
    }
    // The record names the actor, so not even the visibility check asks Azure.
    let now = (
        app.scalar::<i32>(attempts).await,
        app.exchanges().len(),
        app.calls_at_arm(),
    );
    assert_eq!(now, before);
    // A viewer by the right to read the data connection causes that check alone, once.
    let viewer = app.signed_in("acc6@domain1.com");
    for _ in 0..3 {
        let seen = viewer.get(&path).await;
        assert_eq!((seen.status, seen.text("/status")), (200, "awaitingCaller"));
    }
    let now = (
        app.scalar::<i32>(attempts).await,
        app.exchanges().len(),
        app.calls_at_arm(),
    );
    assert_eq!(now, (before.0, before.1 + 1, before.2 + 1));
    let ended = actor.continue_to_end(operation).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    app.finish().await;
}

#[tokio::test]
async fn who_asked_for_a_removal_continues_it_after_a_restart() {
    let waiting = Waiting::removal().await;
    let portal = waiting.app.how_to_portal();
    let path = format!("/v1/operations/{}", waiting.operation);
    let ended = waiting.continue_operation(&portal, None).await;
    assert_eq!(
        (ended.status, ended.text("/status")),
        (200, "succeeded"),
        "{}",
        ended.body
    );
    assert_eq!(ended.header("operation-location"), Some(path.as_str()));
    assert_eq!(waiting.sent_since(), 1);
    let [event] = waiting
        .events("operation.continued")
        .await
        .try_into()
        .expect("one event");
    assert_eq!(event["actorId"], event["details"]["actorBefore"]);
    assert_eq!(event["details"]["awaitedTenants"][0], how_to::DOMAIN1);
    assert_eq!(event["requestId"].as_str(), ended.header("x-request-id"));
    waiting.app.finish().await;
}

#[tokio::test]
async fn a_hash_that_is_given_has_to_be_the_right_one_also_from_who_asked() {
    let waiting = Waiting::removal().await;
    let portal = waiting.app.how_to_portal();
    let wrong = waiting.continue_operation(&portal, naming(&"0".repeat(64))).await;
    wrong.is_problem(409, "requestHashDiffers");
    assert_eq!(wrong.text("/errors/0/pointer"), "/requestHash");
    let malformed = waiting.continue_operation(&portal, naming("0")).await;
    malformed.is_problem(400, "invalidRequest");
    assert_eq!(malformed.text("/errors/0/pointer"), "/requestHash");
    assert_eq!(waiting.sent_since(), 0);
    let hash = waiting.hash().await.to_uppercase();
    let ended = waiting.continue_operation(&portal, naming(&hash)).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    waiting.app.finish().await;
}

#[tokio::test]
async fn a_repeat_with_the_same_key_gives_the_same_answer_and_goes_on_once() {
    let waiting = Waiting::removal().await;
    waiting.app.hold_operations();
    let portal = waiting.app.how_to_portal().keyed("go-on");
    let first = continue_operation(&portal, &waiting.operation, None, 0).await;
    assert_eq!(first.status, 202, "{}", first.body);
    assert!(first.header("retry-after").is_some());
    waiting
        .app
        .wait_for_calls("DELETE", "telemetry", waiting.sent + 1)
        .await;
    // Also with newer tokens, and at another replica.
    let again = waiting.app.how_to_portal().keyed("go-on");
    let other_replica = waiting.app.replica().await;
    let there = again.clone().at(other_replica.address());
    for portal in [&portal, &again, &there] {
        let repeated = continue_operation(portal, &waiting.operation, None, 0).await;
        assert_eq!(
            (repeated.status, &repeated.body["id"]),
            (202, &first.body["id"]),
            "{}",
            repeated.body
        );
    }
    let other = continue_operation(&portal, &waiting.operation, naming(&"0".repeat(64)), 0).await;
    other.is_problem(422, "idempotencyKeyReused");
    // It is authorised again: the same key is nothing to somebody else.
    let stranger = waiting.app.signed_in("acc4@domain1.com").keyed("go-on");
    let refused = continue_operation(&stranger, &waiting.operation, None, 0).await;
    refused.is_problem(404, "notFound");
    other_replica.stop().await;
    waiting.app.release_operations();
    portal.follow(&waiting.operation).await;
    let late = waiting.continue_operation(&portal, None).await;
    assert_eq!((late.status, late.text("/status")), (200, "succeeded"));
    assert_eq!(waiting.sent_since(), 1);
    assert_eq!(waiting.events("operation.continued").await.len(), 1);
    waiting.app.finish().await;
}

#[tokio::test]
async fn what_waits_for_nobody_stays_as_it_is() {
    let app = App::hurried().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let operation = created.text("/lastOperation/id");
    app.wait_for_calls("PUT", "telemetry", 1).await;
    let running = continue_operation(&portal, operation, None, 20).await;
    assert_eq!(
        (running.status, running.text("/status")),
        (200, "running"),
        "{}",
        running.body
    );
    app.release_operations();
    portal.follow(operation).await;
    let exchanges = app.exchanges().len();
    let calls = app.calls_at_arm();
    let fresh = app.how_to_portal();
    for body in [None, Some(json!({})), naming(&"0".repeat(64))] {
        let ended = continue_operation(&fresh, operation, body, 20).await;
        assert_eq!((ended.status, ended.text("/status")), (200, "succeeded"));
    }
    assert_eq!((app.exchanges().len(), app.calls_at_arm()), (exchanges, calls));
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_may_have_been_sent_is_settled_and_not_sent_again() {
    let mut app = App::hurried().await;
    app.hold_operations();
    let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    app.stop_service().await;
    app.release_operations();
    app.start_service().await;
    let portal = app.how_to_portal();
    let path = format!("/v1/connections/{}", created.text("/id"));
    portal
        .wait_for(&path, |body| body["lastOperation"]["status"] == "awaitingCaller")
        .await;
    let ended = continue_operation(&portal, created.text("/lastOperation/id"), None, 20).await;
    assert_eq!(
        (ended.status, ended.text("/status")),
        (200, "succeeded"),
        "{}",
        ended.body
    );
    assert_eq!(ended.body["awaiting"][0]["tenantId"], Value::Null);
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}
