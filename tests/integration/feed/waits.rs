//! `Prefer: wait=n` on the feed and on operations.

use std::time::Duration;

use http::Method;
use tokio::time::Instant;

use super::{auditor, ids, one, read, run};
use crate::support::{App, PATIENCE, connect, eventually, request};

/// Well before a wait of 20 seconds ends, also on a busy machine.
const SOON: Duration = Duration::from_secs(12);

#[tokio::test]
async fn a_read_waits_for_events_and_ends_when_the_replica_stops() {
    let mut app = App::hurried().await;
    let portal = auditor(&app);
    let mut db = connect(&app.database.serving_url).await;
    let began = Instant::now();
    let (waited, ()) = tokio::join!(read(&portal, None), async {
        // It makes no difference whether the read has begun by now.
        run(&mut db, &one("awaited")).await;
    });
    assert_eq!(ids(&waited), ["awaited"]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(waited.header("preference-applied"), Some("wait=20"));
    // What others do ends no wait.
    let stranger = app.signed_in("acc4@domain1.com");
    let cursor = stranger.get("/v1/events").await.text("/cursor").to_owned();
    let path = format!("/v1/events?after={cursor}");
    let call = stranger.call(Method::GET, &path).header("prefer", "wait=2");
    let began = Instant::now();
    let (nothing, ()) = tokio::join!(stranger.send(call), async {
        run(&mut db, &one("of others")).await;
    });
    assert_eq!(ids(&nothing), [""; 0]);
    assert!(began.elapsed() >= Duration::from_secs(2));
    assert_ne!(nothing.text("/cursor"), cursor, "it passed over what others did");
    // Without the preference nothing is waited for.
    let at_once = stranger
        .get(&format!("/v1/events?after={}", nothing.text("/cursor")))
        .await;
    assert_eq!(
        (at_once.status, at_once.header("preference-applied")),
        (200, None)
    );
    let began = Instant::now();
    let cursor = nothing.text("/cursor").to_owned();
    let (ended, ()) = tokio::join!(read(&stranger, Some(&cursor)), app.stop_service());
    assert_eq!(ids(&ended), [""; 0]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    app.finish().await;
}

#[tokio::test]
async fn a_read_that_waits_sees_an_event_whose_notification_was_lost() {
    let app = App::hurried().await;
    let portal = auditor(&app);
    let began = Instant::now();
    let (waited, ()) = tokio::join!(read(&portal, None), async {
        app.wait_until("select exists (select from feed_epochs)").await;
        // As the sequencer does, without the notification.
        app.as_owner(&format!(
            "select pg_advisory_xact_lock(x'66656564'::bigint);
             {}
             insert into feed (epoch, position, event_sequence, event_occurred_at, hash, hash_version)
             select f.epoch, 1, e.sequence, e.occurred_at, sha256(''), 1 from ledger_events e, feed_epochs f",
            one("unannounced")
        ))
        .await;
    });
    assert_eq!(ids(&waited), ["unannounced"]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    app.finish().await;
}

#[tokio::test]
async fn many_reads_that_wait_all_see_the_same_events() {
    let app = App::hurried().await;
    let portal = auditor(&app);
    let mut db = connect(&app.database.serving_url).await;
    let reads = futures_util::future::join_all((0..12).map(|_| read(&portal, None)));
    let began = Instant::now();
    let (read, ()) = tokio::join!(reads, async {
        run(&mut db, &one("awaited")).await;
    });
    for answer in &read {
        assert_eq!(ids(answer), ["awaited"]);
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    app.finish().await;
}

#[tokio::test]
async fn a_read_of_an_operation_waits_for_its_end_if_it_says_so() {
    let app = App::hurried().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let creating = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(creating.status, 202, "{}", creating.body);
    let path = format!("/v1/operations/{}", creating.text("/lastOperation/id"));
    let running = portal.get(&path).await;
    assert_eq!(
        (running.text("/status"), running.header("preference-applied")),
        ("running", None)
    );
    let call = |wait: &str| portal.call(Method::GET, &path).header("prefer", wait.to_owned());
    let still = portal.send(call("wait=1")).await;
    assert_eq!(
        (still.text("/status"), still.header("preference-applied")),
        ("running", Some("wait=1"))
    );
    assert!(still.header("retry-after").is_some());
    let (ended, ()) = tokio::join!(portal.send(call("wait=20")), async { app.release_operations() });
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    assert_eq!(ended.header("retry-after"), None);
    app.finish().await;
}

#[tokio::test]
async fn a_wait_for_an_operation_ends_when_only_a_caller_can_go_on_with_it() {
    let mut app = App::hurried().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let creating = portal.create_waiting(&request("telemetry"), 0).await;
    let path = format!("/v1/operations/{}", creating.text("/lastOperation/id"));
    // Another replica has none of its tokens.
    app.stop_service().await;
    app.start_service().await;
    let portal = app.how_to_portal();
    let waiting = eventually(async || {
        let call = portal.call(Method::GET, &path).header("prefer", "wait=10");
        let answer = portal.send(call).await;
        (answer.body["status"] == "awaitingCaller").then_some(answer)
    });
    let began = Instant::now();
    let waiting = waiting.await.expect("it waits for its caller");
    assert_eq!(waiting.status, 200);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    app.release_operations();
    portal.continue_to_end(creating.text("/lastOperation/id")).await;
    app.finish().await;
}
