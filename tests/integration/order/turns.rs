//! Callers take turns, each in their order, and what Azure puts off or nobody wants any more waits or ends.

use std::time::Duration;

use azure_emulator::{Effect, Fault, FaultAnswer, FaultBody, Latency};
use serde_json::json;

use super::{begin, operation, put, two_callers, two_callers_at, wanted};
use crate::support::{App, hurried};

#[tokio::test]
async fn callers_take_turns_and_each_ones_changes_come_in_their_order() {
    let (app, one, other) = two_callers().await;
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let mut waiting = Vec::new();
    for (portal, name, group) in [
        (&one, "a1", "g1"),
        (&one, "a2", "g2"),
        (&one, "a3", "g3"),
        (&other, "b1", "g4"),
        (&other, "b2", "g5"),
    ] {
        waiting.push((portal, begin(portal, name, group).await));
    }
    // The one in flight is of the first round, as b1 is; of those that wait, a1 shares the second with b2.
    let mut ahead = Vec::new();
    for (portal, created) in &waiting {
        let path = format!("/v1/operations/{}", operation(created));
        let answer = portal.get(&path).await;
        assert_eq!(answer.text("/status"), "notStarted");
        ahead.push(answer.body["changesAhead"].as_u64().expect("a number"));
    }
    assert_eq!(ahead, [2, 4, 5, 1, 3]);
    assert_eq!(put(&app), ["a0"]);

    app.release_operations();
    assert_eq!(one.follow(operation(&first)).await.text("/status"), "succeeded");
    for (portal, created) in &waiting {
        let ended = portal.follow(operation(created)).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
        assert!(ended.body.get("changesAhead").is_none());
    }
    assert_eq!(put(&app), ["a0", "b1", "a1", "b2", "a2", "a3"]);
    // What waited says so, and proves the absence anew before it is sent.
    assert_eq!(
        one.event_kinds(waiting[0].1.text("/id")).await,
        [
            "create.queued",
            "create.intended",
            "create.accepted",
            "create.succeeded"
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn who_asks_for_the_next_change_when_the_last_begins_has_no_more_turns_than_who_asked_for_all_at_once()
{
    let (app, one, other) = two_callers().await;
    app.hold_operations();
    let mut asked = vec![(&one, begin(&one, "a0", "g0").await)];
    app.wait_for_calls("PUT", "a0", 1).await;
    for (name, group) in [("b1", "g1"), ("b2", "g2"), ("b3", "g3")] {
        asked.push((&other, begin(&other, name, group).await));
    }
    asked.push((&one, begin(&one, "a1", "g4").await));
    app.release_operations();
    app.wait_for_calls("PUT", "a1", 1).await;
    asked.push((&one, begin(&one, "a2", "g5").await));
    for (portal, created) in &asked {
        let ended = portal.follow(operation(created)).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    }
    assert_eq!(put(&app), ["a0", "b1", "b2", "a1", "b3", "a2"]);
    app.finish().await;
}

#[tokio::test]
async fn two_replicas_hold_to_one_order() {
    let (app, one, other) = two_callers().await;
    let replica = app.replica().await;
    let there = other.at(replica.address());
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let second = begin(&there, "b1", "g1").await;
    let third = begin(&one, "a1", "g2").await;
    let fourth = begin(&there, "b2", "g3").await;
    app.release_operations();
    for (portal, created) in [
        (&one, &first),
        (&there, &second),
        (&one, &third),
        (&there, &fourth),
    ] {
        let ended = portal.follow(operation(created)).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    }
    assert_eq!(put(&app), ["a0", "b1", "a1", "b2"]);
    replica.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn a_removal_of_a_create_that_waits_cancels_it_and_sends_nothing() {
    let (app, one, other) = two_callers().await;
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    let waiting = begin(&other, "b1", "g1").await;
    let id = waiting.text("/id");
    let removed = other.remove_waiting(id, 0).await;
    assert_eq!(
        (removed.status, removed.text("/state")),
        (200, "removed"),
        "{}",
        removed.body
    );
    assert_eq!(removed.text("/lastOperation/status"), "succeeded");
    let create = other.follow(operation(&waiting)).await;
    assert_eq!(create.text("/error/code"), "notSent");
    assert_eq!(
        other.event_kinds(id).await,
        ["create.queued", "create.failed", "remove.succeeded"]
    );
    // The name is free again, and the next with it waits like everybody.
    let again = begin(&other, "b1", "g1").await;
    assert_ne!(again.text("/id"), id);
    app.release_operations();
    one.follow(operation(&first)).await;
    assert_eq!(other.follow(operation(&again)).await.text("/status"), "succeeded");
    assert_eq!(put(&app), ["a0", "b1"]);
    assert!(app.calls("DELETE", "b1").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_change_that_outlasts_its_turn_leaves_it_to_azure_whether_another_is_taken() {
    let app = App::with(|config| {
        hurried(config);
        config.worker.slot_timeout = Duration::from_millis(300);
    })
    .await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let first = begin(&portal, "a0", "$Default").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let second = begin(&portal, "a1", "cg1").await;
    // Azure takes it, since nothing was said against parallel changes here.
    app.wait_for_calls("PUT", "a1", 1).await;
    app.release_operations();
    for created in [&first, &second] {
        assert_eq!(
            portal.follow(operation(created)).await.text("/status"),
            "succeeded"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn a_busy_cluster_is_left_alone_for_as_long_as_azure_says_by_all_its_callers() {
    let (app, one, other) = two_callers().await;
    let answer = json!({ "error": { "code": "ServiceIsInMaintenance", "message": "You may retry in a few minutes." } });
    app.emulator.inject(
        Fault::arm(
            "/dataConnections/a0",
            Effect::Answer(FaultAnswer {
                status: 409,
                headers: vec![("retry-after".to_owned(), "1".to_owned())],
                body: FaultBody::Json(answer),
            }),
        )
        .method("PUT")
        .times(1),
    );
    let first = begin(&one, "a0", "g0").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let second = begin(&other, "b1", "g1").await;
    for (portal, created) in [(&one, &first), (&other, &second)] {
        assert_eq!(
            portal.follow(operation(created)).await.text("/status"),
            "succeeded"
        );
    }
    let writes = app.writes();
    let apart = writes[1].at - writes[0].at;
    assert!(apart >= chrono::TimeDelta::seconds(1), "{apart}");
    // An operation that was deferred keeps its place.
    assert_eq!(put(&app), ["a0", "a0", "b1"]);
    app.finish().await;
}

#[tokio::test]
async fn a_caller_whose_queue_is_full_is_told_to_come_back_and_others_still_get_in_line() {
    let (app, one, other) = two_callers_at(
        App::with(|config| {
            hurried(config);
            config.worker.max_queue_length = 2;
        })
        .await,
    );
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    begin(&one, "a1", "g1").await;
    begin(&one, "a2", "g2").await;
    let full = one.create_waiting(&wanted("a3", "g3"), 0).await;
    full.is_problem(429, "tooManyRequests");
    assert!(full.header("retry-after").is_some());
    let policy = "\"queue\";q=2;qu=\"concurrent-requests\"";
    assert_eq!(full.header("ratelimit-policy"), Some(policy));
    assert!(
        full.header("ratelimit")
            .is_some_and(|left| left.starts_with("\"queue\";r=0;t="))
    );
    assert!(app.scalar::<bool>("select count(*) = 3 from connections").await);
    // Others have a queue of their own, and what was asked for is still found and can be given up.
    begin(&other, "b1", "g4").await;
    assert_eq!(one.create_waiting(&wanted("a2", "g2"), 0).await.status, 202);
    let removed = one.remove_waiting(first.text("/id"), 0).await;
    assert_eq!(removed.status, 202, "{}", removed.body);
    app.release_operations();
    let ended = one.follow(operation(&first)).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    app.all_have_ended().await;
    assert_eq!(one.create(&wanted("a3", "g3")).await.status, 201);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_is_never_sent_is_given_up_after_the_time_that_it_may_wait() {
    let app = App::with(|config| {
        hurried(config);
        config.worker.max_queue_time = Duration::from_millis(700);
    })
    .await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let first = begin(&portal, "a0", "$Default").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let waiting = begin(&portal, "a1", "cg1").await;
    let ended = portal.follow(operation(&waiting)).await;
    assert_eq!(ended.text("/error/code"), "notSent");
    assert_eq!(
        portal.connection(waiting.text("/id")).await.text("/state"),
        "failed"
    );
    app.release_operations();
    portal.follow(operation(&first)).await;
    assert_eq!(put(&app), ["a0"]);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_azure_puts_off_after_its_removal_was_asked_for_ends_and_nothing_is_deleted() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let throttled = Fault::arm(
        "/dataConnections/a0",
        Effect::status(429, &[("retry-after", "1")]),
    );
    app.emulator.inject(Fault {
        latency: Some(Latency::Fixed(Duration::from_millis(700))),
        ..throttled.method("PUT").times(1)
    });
    let created = begin(&portal, "a0", "$Default").await;
    let removed = portal.remove(created.text("/id")).await;
    assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
    // The one PUT surely did nothing, so what has the name since may be somebody else's.
    assert_eq!(app.writes().len(), 1);
    let create = portal.follow(operation(&created)).await;
    assert_eq!(create.text("/error/code"), "notSent");
    assert_eq!(
        portal.event_kinds(created.text("/id")).await,
        [
            "create.intended",
            "remove.queued",
            "create.failed",
            "remove.succeeded"
        ]
    );
    app.finish().await;
}
