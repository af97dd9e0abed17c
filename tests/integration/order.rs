//! One change of a cluster at a time: who waits, in which order, and what keeps nobody waiting.

use std::time::Duration;

use azure_emulator::{Effect, Fault, FaultAnswer, FaultBody, Latency, ParallelWrites, how_to};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use tenant_bridge::db::leases::{self, Claimant};
use uuid::Uuid;

use crate::support::{Answer, App, PATIENCE, Portal, connect, hurried, request};

/// A service that hurries, where two people may create.
async fn two_callers() -> (App, Portal, Portal) {
    two_callers_at(App::hurried().await)
}

/// Two people who may create, with a consumer group for each of their connections.
fn two_callers_at(app: App) -> (App, Portal, Portal) {
    app.operations_take(Duration::from_millis(60));
    let granted = app.emulator.edit(|world| {
        world.set_parallel_writes(ParallelWrites::Refused);
        for group in ["g0", "g1", "g2", "g3", "g4", "g5"] {
            world.add_consumer_group(how_to::HUB1, group).expect("a hub");
        }
        world.assign_role("acc4@domain1.com", "Contributor", how_to::CLUSTER)
    });
    granted.expect("a role");
    let one = app.how_to_portal();
    let other = app
        .signed_in("acc4@domain1.com")
        .with_auxiliary(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    (app, one, other)
}

fn wanted(name: &str, group: &str) -> Value {
    let mut wanted = request(name);
    wanted["source"]["eventHub"]["consumerGroup"] = group.into();
    wanted
}

async fn begin(portal: &Portal, name: &str, group: &str) -> Answer {
    let created = portal.create_waiting(&wanted(name, group), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    created
}

fn operation(created: &Answer) -> &str {
    created.text("/lastOperation/id")
}

/// The names of the data connections that were PUT, in order.
fn put(app: &App) -> Vec<String> {
    let writes = app.writes().into_iter().filter(|call| call.method == "PUT");
    writes
        .map(|call| call.path().rsplit('/').next().unwrap_or_default().to_owned())
        .collect()
}

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
    // One is in flight; of those that wait, b1 shares the first round with a1, and b2 the second with a2.
    let mut ahead = Vec::new();
    for (portal, created) in &waiting {
        let path = format!("/v1/operations/{}", operation(created));
        let answer = portal.get(&path).await;
        assert_eq!(answer.text("/status"), "notStarted");
        ahead.push(answer.body["changesAhead"].as_u64().expect("a number"));
    }
    assert_eq!(ahead, [1, 3, 5, 2, 4]);
    assert_eq!(put(&app), ["a0"]);

    app.release_operations();
    assert_eq!(one.follow(operation(&first)).await.text("/status"), "succeeded");
    for (portal, created) in &waiting {
        let ended = portal.follow(operation(created)).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
        assert!(ended.body.get("changesAhead").is_none());
    }
    assert_eq!(put(&app), ["a0", "a1", "b1", "a2", "b2", "a3"]);
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
async fn an_operation_without_a_usable_token_steps_out_of_the_queue_and_holds_nobody_up() {
    let (app, one, other) = two_callers().await;
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let dead = begin(&one, "a1", "g1").await;
    let behind = begin(&one, "a2", "g2").await;
    let others = begin(&other, "b1", "g3").await;
    // From now on nothing is exchanged for the first caller at the target, and what was is believed no longer.
    app.emulator.inject(
        Fault::arm(
            "/dataConnections/a1",
            Effect::status(401, &[("www-authenticate", "Bearer")]),
        )
        .method("GET")
        .always(),
    );
    app.release_operations();
    one.follow(operation(&first)).await;
    assert_eq!(one.follow(operation(&behind)).await.text("/status"), "succeeded");
    assert_eq!(
        other.follow(operation(&others)).await.text("/status"),
        "succeeded"
    );
    let path = format!("/v1/connections/{}", dead.text("/id"));
    let waits = one
        .wait_for(&path, |body| body["lastOperation"]["status"] == "awaitingCaller")
        .await;
    assert_eq!(waits.body["lastOperation"]["awaitingTenantId"], how_to::DOMAIN1);

    // A look brings no tokens to write with; to ask again for the same does.
    app.emulator.clear_faults();
    let looked = one.get(&format!("/v1/operations/{}", operation(&dead))).await;
    assert_eq!(looked.text("/status"), "awaitingCaller");
    assert!(app.calls("PUT", "a1").is_empty());
    let again = one.create(&wanted("a1", "g1")).await;
    assert_eq!(again.text("/id"), dead.text("/id"));
    assert_eq!(one.follow(operation(&dead)).await.text("/status"), "succeeded");
    assert_eq!(app.calls("PUT", "a1").len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_change_that_outlasts_its_turn_leaves_it_to_azure_whether_another_is_taken() {
    let app = App::with(|config| {
        hurried(config);
        config.worker.turn = Duration::from_millis(300);
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
    // Whoever was put off has kept their place.
    assert_eq!(put(&app), ["a0", "a0", "b1"]);
    app.finish().await;
}

#[tokio::test]
async fn what_waits_at_a_replica_that_is_killed_waits_for_its_caller_within_its_lease() {
    let app = App::with(|config| {
        hurried(config);
        config.worker.lease = Duration::from_secs(1);
    })
    .await;
    let mortal = app.mortal().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let first = begin(&portal, "a0", "$Default").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let there = portal.at(mortal.address());
    let waiting = begin(&there, "a1", "cg1").await;
    mortal.kill();
    let path = format!("/v1/connections/{}", waiting.text("/id"));
    portal
        .wait_for(&path, |body| body["lastOperation"]["status"] == "awaitingCaller")
        .await;
    app.release_operations();
    portal.follow(operation(&first)).await;
    let again = portal.create(&wanted("a1", "cg1")).await;
    assert_eq!(again.text("/id"), waiting.text("/id"));
    assert_eq!(
        portal.follow(operation(&waiting)).await.text("/status"),
        "succeeded"
    );
    assert_eq!(put(&app), ["a0", "a1"]);
    app.finish().await;
}

#[tokio::test]
async fn a_caller_whose_queue_is_full_is_told_to_come_back_and_others_still_get_in_line() {
    let (app, one, other) = two_callers_at(
        App::with(|config| {
            hurried(config);
            config.worker.longest_queue = 2;
        })
        .await,
    );
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    begin(&one, "a1", "g1").await;
    begin(&one, "a2", "g2").await;
    let full = one.create_waiting(&wanted("a3", "g3"), 0).await;
    full.is_problem(503, "overloaded");
    assert!(full.header("retry-after").is_some());
    assert!(app.scalar::<bool>("select count(*) = 3 from connections").await);
    // Others have a queue of their own, and what was asked for is still found and can be given up.
    begin(&other, "b1", "g4").await;
    assert_eq!(one.create_waiting(&wanted("a2", "g2"), 0).await.status, 202);
    let removed = one.remove_waiting(first.text("/id"), 0).await;
    assert_eq!(removed.status, 202, "{}", removed.body);
    app.release_operations();
    let ended = one.follow(operation(&first)).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    app.wait_until("select not exists (select from operations where phase not in ('succeeded', 'failed'))")
        .await;
    assert_eq!(one.create(&wanted("a3", "g3")).await.status, 201);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_is_never_sent_is_given_up_after_the_time_that_it_may_wait() {
    let app = App::with(|config| {
        hurried(config);
        config.worker.patience = Duration::from_millis(700);
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

#[tokio::test]
async fn a_change_in_flight_whose_caller_is_gone_keeps_others_waiting_no_longer_than_its_request_lives() {
    let (app, one, other) = two_callers().await;
    app.hold_operations();
    begin(&one, "a0", "g0").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let waiting = begin(&other, "b1", "g1").await;
    app.emulator
        .edit(|world| world.revoke_sessions("acc1@domain1.com"))
        .expect("a user");
    let refused = Fault::arm(
        "/operation",
        Effect::status(401, &[("www-authenticate", "Bearer")]),
    );
    app.emulator.inject(refused.times(1));
    // Its turn would last for five minutes. Azure decides now, and has something against it until the first has ended.
    app.wait_for_calls("PUT", "b1", 1).await;
    app.release_operations();
    assert_eq!(
        other.follow(operation(&waiting)).await.text("/status"),
        "succeeded"
    );
    app.emulator
        .edit(|world| world.set_parallel_writes(ParallelWrites::Allowed));
    app.as_owner("update operations set phase = 'failed', finished_at = now() where phase = 'accepted'")
        .await;
    app.finish().await;
}

#[tokio::test]
async fn those_behind_one_who_steps_out_are_called_at_another_replica_without_waiting_for_its_next_look() {
    let (app, one, other) = two_callers_at(
        App::with(|config| {
            hurried(config);
            // Far longer than the test: whoever isn't called doesn't come.
            config.worker.interval = PATIENCE * 2;
        })
        .await,
    );
    let replica = app.replica().await;
    let there = other.at(replica.address());
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let dead = begin(&there, "b1", "g1").await;
    let behind = begin(&one, "a1", "g2").await;
    let challenge = Effect::status(401, &[("www-authenticate", "Bearer")]);
    let unreadable = Fault::arm("/dataConnections/b1", challenge).method("GET");
    app.emulator.inject(unreadable.always());
    app.release_operations();
    assert_eq!(one.follow(operation(&first)).await.text("/status"), "succeeded");
    assert_eq!(one.follow(operation(&behind)).await.text("/status"), "succeeded");
    let path = format!("/v1/operations/{}", operation(&dead));
    there
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    assert_eq!(put(&app), ["a0", "a1"]);

    app.emulator.clear_faults();
    there.create(&wanted("b1", "g1")).await;
    assert_eq!(there.follow(operation(&dead)).await.text("/status"), "succeeded");
    replica.stop().await;
    app.finish().await;
}

/// As if a replica had died with an operation whose tokens are here too.
async fn orphan(owner: &mut PgConnection, created: &Answer) {
    let orphaned = format!(
        "update operations set holder = gen_random_uuid() where id = '{}'",
        operation(created)
    );
    sqlx::raw_sql(AssertSqlSafe(orphaned))
        .execute(owner)
        .await
        .expect("the owner may");
}

#[tokio::test]
async fn what_a_dead_replica_left_does_not_overtake_those_in_line() {
    let (app, one, _) = two_callers().await;
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let second = begin(&one, "a1", "g1").await;
    let third = begin(&one, "a2", "g2").await;
    // The next in line is slow to prove that its name is free, and the cluster is free meanwhile.
    let slow = Effect::Delay(Duration::from_millis(1500));
    app.emulator
        .inject(Fault::arm("/dataConnections/a1", slow).method("GET"));
    app.release_operations();
    one.follow(operation(&first)).await;
    app.wait_until("select exists (select from operations where phase = 'queued' and lease_until > now())")
        .await;
    let mut owner = connect(&app.database.owner_url).await;
    orphan(&mut owner, &third).await;
    for created in [&second, &third] {
        let ended = one.follow(operation(created)).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    }
    assert_eq!(put(&app), ["a0", "a1", "a2"]);
    app.finish().await;
}

#[tokio::test]
async fn what_a_dead_replica_left_leaves_a_busy_cluster_alone_for_as_long_as_azure_asked() {
    let (app, one, _) = two_callers().await;
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let second = begin(&one, "a1", "g1").await;
    let mut owner = connect(&app.database.owner_url).await;
    sqlx::raw_sql("update cluster_slots set operation_id = null, held_until = null, not_before = now() + interval '2 seconds'")
        .execute(&mut owner)
        .await
        .expect("the owner may");
    orphan(&mut owner, &second).await;
    app.release_operations();
    for created in [&first, &second] {
        let ended = one.follow(operation(created)).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    }
    let puts: Vec<_> = app.writes().iter().map(|call| call.at).collect();
    assert!(puts[1] - puts[0] >= TimeDelta::seconds(2), "{puts:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_replica_that_nothing_waits_for_does_not_look_again_and_again() {
    let (app, one, _) = two_callers().await;
    let mut serving = connect(&app.database.serving_url).await;
    let mut next = async || {
        let other = Claimant {
            replica: Uuid::new_v4(),
            operations: &[],
            connections: &[],
            own: &[],
            now: Utc::now(),
        };
        leases::next_due(&mut serving, other).await.expect("an answer")
    };
    assert_eq!(next().await, None, "nothing is open");
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    let second = begin(&one, "a1", "g1").await;
    assert_eq!(
        next().await,
        None,
        "both are the living replica's that has their tokens"
    );
    app.release_operations();
    for created in [&first, &second] {
        one.follow(operation(created)).await;
    }
    assert_eq!(next().await, None, "both have ended");
    app.finish().await;
}
