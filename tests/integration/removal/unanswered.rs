//! Removals whose answer didn't come: they end by what reads find, and keep their name until they can land no more.

use std::time::Duration;

use azure_emulator::Effect;
use serde_json::Value;

use super::{active, delete, is_removed};
use crate::support::{App, clock_ahead, data_connection, eventually, request};

#[tokio::test]
async fn a_removal_of_unknown_outcome_settles_to_removed() {
    for (effect, deletes) in [
        (Effect::ResetBeforeEffect, 2),
        (Effect::ResetAfterEffect, 1),
        (Effect::status(503, &[]), 2),
    ] {
        let app = App::hurried().await;
        let (portal, created) = active(&app).await;
        app.emulator.inject(delete(effect));
        is_removed(&portal.remove(created.text("/id")).await);
        // What Azure deletes already is not deleted again.
        assert_eq!(app.calls("DELETE", "telemetry").len(), deletes);
        let events = portal.event_kinds(created.text("/id")).await;
        assert!(events.contains(&"outcome.unknown".to_owned()), "{events:?}");
        app.finish().await;
    }
}

#[tokio::test]
async fn a_name_is_free_only_when_a_removal_without_an_answer_can_no_longer_take_what_has_it_then() {
    let app = App::hurried_with(|config| {
        config.upstream.timeout = Duration::from_millis(500);
        config.worker.max_request_lifetime = Duration::from_secs(8);
    })
    .await;
    let (portal, created) = active(&app).await;
    app.emulator.inject(delete(Effect::Delay(Duration::from_secs(4))));
    let removal = portal.remove_waiting(created.text("/id"), 0).await;
    // While Azure keeps the removal waiting, somebody else removes what it is for.
    app.wait_until("select phase = 'settling' from operations where kind = 'remove'")
        .await;
    app.emulator
        .edit(|world| world.remove_data_connection(&data_connection("telemetry")))
        .expect("it is there");
    let ended = portal.follow(removal.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    let early = portal.create(&request("telemetry")).await;
    early.is_problem(409, "changeInProgress");
    assert_eq!(early.body["retryable"], true);
    assert!(early.header("retry-after").is_some());
    assert_eq!(app.calls("PUT", "telemetry").len(), 1, "the first one's");
    // Another name is none of its business.
    assert_eq!(portal.create(&cg1("another")).await.status, 201);
    let again = portal.create_at_last(&request("telemetry"), &[409]).await;
    assert_ne!(again.text("/id"), created.text("/id"));
    // By now the late removal has come, and taken nothing.
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    assert!(app.at_arm("telemetry").is_some());
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_timed_out_and_lands_late_is_found_and_was_sent_once() {
    let app = App::hurried_with(|config| {
        config.upstream.timeout = Duration::from_millis(500);
        config.worker.max_request_lifetime = Duration::from_secs(20);
    })
    .await;
    let (portal, created) = active(&app).await;
    app.emulator
        .inject(delete(Effect::Delay(Duration::from_millis(1500))));
    is_removed(&portal.remove(created.text("/id")).await);
    let [late] = app.calls("DELETE", "telemetry").try_into().expect("one call");
    assert!(!late.delivered);
    let events = portal.event_kinds(created.text("/id")).await;
    assert!(events.contains(&"outcome.unknown".to_owned()), "{events:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_name_is_not_free_too_early_because_the_replica_that_sent_the_removal_had_a_clock_that_was_ahead() {
    let app = App::hurried_with(|config| {
        config.worker.lease = Duration::from_secs(1);
        config.worker.max_request_lifetime = Duration::from_secs(12);
    })
    .await;
    let (portal, created) = active(&app).await;
    let mortal = app.mortal_with(clock_ahead()).await;
    app.emulator.inject(delete(Effect::SilenceAfterEffect));
    let asked = portal
        .at(mortal.address())
        .remove_waiting(created.text("/id"), 0)
        .await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    let gone = eventually(async || app.at_arm("telemetry").is_none().then_some(())).await;
    gone.expect("the removal has its effect");
    mortal.kill();
    let ended = portal.continue_to_end(asked.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    let early = portal.create(&request("telemetry")).await;
    early.is_problem(409, "changeInProgress");
    portal.create_at_last(&request("telemetry"), &[409]).await;
    app.finish().await;
}

fn cg1(name: &str) -> Value {
    let mut wanted = request(name);
    wanted["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    wanted
}
