//! Creates with a key: one connection, one operation and one PUT, also when the duplicate comes late.

use azure_emulator::how_to;
use futures_util::future::join_all;

use super::{are_one, stands_as};
use crate::support::{App, PATIENCE, hurried, request};

#[tokio::test]
async fn a_create_is_repeated_with_its_key_while_it_runs_when_it_stands_with_a_new_token_and_elsewhere() {
    let app = App::hurried().await;
    let replica = app.replica().await;
    app.hold_operations();
    let portal = app.how_to_portal().keyed("one-wish");
    let first = portal.create_waiting(&request("telemetry"), 0).await;
    stands_as(&first, 202, "creating");
    let running = portal
        .at(replica.address())
        .create_waiting(&request("telemetry"), 0)
        .await;
    stands_as(&running, 202, "creating");
    app.release_operations();
    // `Prefer: wait` waits as the first one would have.
    let waited = portal.create(&request("telemetry")).await;
    stands_as(&waited, 201, "active");
    let refreshed = app.how_to_portal().keyed("\"one-wish\"");
    let standing = refreshed
        .at(replica.address())
        .create(&request("telemetry"))
        .await;
    stands_as(&standing, 201, "active");
    for repeat in [&running, &waited, &standing] {
        are_one(&first, repeat);
    }
    assert_eq!(app.writes().len(), 1);
    let kept: String = app
        .scalar("select string_agg(k::text, '') from idempotency_keys k")
        .await;
    assert!(!kept.contains("one-wish"), "{kept}");
    let events = portal.event_kinds(first.text("/id")).await;
    assert_eq!(events, ["create.intended", "create.accepted", "create.succeeded"]);
    replica.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn many_copies_at_once_over_two_replicas_are_one() {
    let app = App::with(|config| {
        hurried(config);
        // Twenty at once may keep a slow machine busy for longer than a caller should have to wait.
        config.database.pool.acquire_timeout = PATIENCE;
    })
    .await;
    let replica = app.replica().await;
    let portal = app.how_to_portal().keyed("one-wish");
    let elsewhere = portal.at(replica.address());
    let wanted = request("telemetry");
    let calls = (0..20).map(|number| {
        let portal = if number % 2 == 0 { &portal } else { &elsewhere };
        portal.create(&wanted)
    });
    let answers = join_all(calls).await;
    for answer in &answers {
        stands_as(answer, 201, "active");
        are_one(&answers[0], answer);
    }
    assert_eq!(app.writes().len(), 1);
    let recorded: Vec<i64> = app
        .scalar(
            "select array[(select count(*) from connections), (select count(*) from operations),
                (select count(*) from idempotency_keys)]",
        )
        .await;
    assert_eq!(recorded, [1, 1, 1]);
    replica.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn a_late_duplicate_after_a_removal_makes_nothing_anew() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let (made, found) = (portal.keyed("that-made-it"), portal.keyed("that-found-it"));
    let first = made.create(&request("telemetry")).await;
    stands_as(&found.create(&request("telemetry")).await, 200, "active");
    stands_as(&portal.remove(first.text("/id")).await, 200, "removed");

    let late = made.create(&request("telemetry")).await;
    stands_as(&late, 201, "removed");
    are_one(&first, &late);
    let late = found.create(&request("telemetry")).await;
    stands_as(&late, 200, "removed");
    are_one(&first, &late);
    assert_eq!(app.calls("PUT", "telemetry").len(), 1);
    // A new key is a new wish.
    let anew = portal.keyed("another").create(&request("telemetry")).await;
    stands_as(&anew, 201, "active");
    assert_ne!(anew.body["id"], first.body["id"]);
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_failed_is_tried_again_only_with_a_new_key() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .edit(|world| world.remove_table(how_to::DATABASE, "Events"))
        .expect("a table");
    let failed = portal.keyed("one-wish").create(&request("telemetry")).await;
    failed.is_problem(422, "createFailed");
    app.emulator
        .edit(|world| world.set_table(how_to::DATABASE, "Events", &["EventsMapping"]))
        .expect("a database");
    let again = portal.keyed("one-wish").create(&request("telemetry")).await;
    again.is_problem(422, "createFailed");
    are_one(&failed, &again);
    stands_as(
        &portal.keyed("another").create(&request("telemetry")).await,
        201,
        "active",
    );

    // What was never made needs no removal, and a key for it stands for the create that failed.
    let id = failed.connection();
    for _ in 0..2 {
        let removed = portal.keyed("gone").remove(id).await;
        stands_as(&removed, 200, "failed");
        are_one(&failed, &removed);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_operation_that_waits_for_its_caller_goes_on_when_the_request_is_repeated_with_its_key() {
    let mut app = App::hurried().await;
    app.hold_operations();
    let keyed = |app: &App| app.how_to_portal().keyed("one-wish");
    let created = keyed(&app).create_waiting(&request("telemetry"), 0).await;
    let id = created.text("/id");
    app.wait_for_calls("PUT", "telemetry", 1).await;
    let queued = keyed(&app).remove_waiting(id, 0).await;
    // The create's own operation: the queued removal may be found to wait before it.
    let waits = "select awaiting_tenant_id is not null from operations where kind = 'create'";
    app.stop_service().await;
    app.start_service().await;
    app.wait_until(waits).await;
    app.release_operations();
    let made = keyed(&app).create(&request("telemetry")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    are_one(&created, &made);
    // A create's repeat never deletes; the removal's own does.
    assert!(app.calls("DELETE", "telemetry").is_empty());
    let removed = keyed(&app).remove(id).await;
    stands_as(&removed, 200, "removed");
    are_one(&queued, &removed);
    assert_eq!(app.writes().len(), 2);
    app.finish().await;
}
