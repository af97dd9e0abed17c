//! Callers, tokens and replicas that are gone: they hold nobody up, and what they left waits in line.

use std::time::Duration;

use azure_emulator::{Effect, Fault, ParallelWrites, how_to};
use chrono::TimeDelta;
use sqlx::{AssertSqlSafe, PgConnection};
use tenant_bridge::clock::Clock;
use tenant_bridge::db::leases::{self, ClaimScope};
use uuid::Uuid;

use super::{begin, operation, put, two_callers, two_callers_at, wanted};
use crate::support::{Answer, App, PATIENCE, connect, hurried};

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
    assert_eq!(
        waits.body["lastOperation"]["awaiting"][0]["tenantId"],
        how_to::DOMAIN1
    );

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
    app.as_owner("update operations set phase = 'failed', finished_at = now(), arm_operation_url = null where phase = 'accepted'")
        .await;
    app.finish().await;
}

#[tokio::test]
async fn those_behind_one_who_steps_out_are_called_at_another_replica_without_waiting_for_its_next_look() {
    let (app, one, other) = two_callers_at(
        App::with(|config| {
            hurried(config);
            // Far longer than the test: an operation that is not woken does not run.
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
        let other = ClaimScope {
            replica: Uuid::new_v4(),
            operations: &[],
            own: &[],
            now: Clock::system().now(),
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

#[tokio::test]
async fn what_waits_for_a_caller_is_looked_at_no_sooner_than_it_is_due_though_its_tokens_are_here() {
    let (mut app, one, _) = two_callers().await;
    app.hold_operations();
    let first = begin(&one, "a0", "g0").await;
    app.wait_for_calls("PUT", "a0", 1).await;
    let second = begin(&one, "a1", "g1").await;
    app.stop_service().await;
    app.as_owner(
        "update operations set awaiting_tenant_id = c.target_tenant_id, holder = null, due_at = now() + interval '1 minute'
         from connections c where c.id = connection_id",
    )
    .await;
    let waiting: Uuid = operation(&second).parse().expect("an id");
    let with_tokens = ClaimScope {
        replica: Uuid::new_v4(),
        operations: &[waiting],
        own: &[],
        now: Clock::system().now(),
    };
    let mut serving = connect(&app.database.serving_url).await;
    let next = leases::next_due(&mut serving, with_tokens).await;
    let next = next.expect("an answer").expect("something is open");
    assert!(next > Duration::from_secs(20), "{next:?}");

    app.release_operations();
    app.start_service().await;
    let portal = one.at(app.address());
    let ended = portal.continue_to_end(operation(&first)).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    let again = portal.create(&wanted("a1", "g1")).await;
    assert_eq!(again.body["id"], second.body["id"], "{}", again.body);
    let ended = portal.follow(operation(&second)).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    app.finish().await;
}
