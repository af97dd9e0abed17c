//! A stop in order: who waits is answered, nothing more is sent, and the other replicas go on at once.

use std::time::{Duration, Instant};

use azure_emulator::{Effect, Fault};
use tenant_bridge::failpoints::Action;
use tenant_bridge::failpoints::arm;
use tokio::join;
use tokio::runtime::Handle;

use crate::support::{App, PATIENCE, eventually, request};

/// Only the replica that doesn't stop is known to live.
const LEFT: &str = "select count(*) = 1 from replicas";

#[tokio::test]
async fn a_request_that_waits_is_answered_when_its_replica_stops_and_another_goes_on() {
    let app = App::hurried().await;
    let replica = app.replica().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let (there, wanted) = (portal.at(replica.address()), request("telemetry"));
    let begun = Instant::now();
    let (created, ()) = join!(there.create_waiting(&wanted, 20), async {
        app.wait_for_calls("PUT", "telemetry", 1).await;
        replica.stop().await;
    });
    assert_eq!(created.status, 202, "{}", created.body);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    app.release_operations();
    let ended = portal.continue_to_end(created.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "succeeded");
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_replica_that_is_about_to_stop_says_so_and_serves_as_ever_until_nobody_asks_it_any_more() {
    let app = App::hurried().await;
    let replica = app
        .mortal_where(|config| config.server.drain = PATIENCE * 10)
        .await;
    let address = replica.address();
    let served = async {
        let unready = eventually(async || {
            // A connection of its own each time: the listener is open.
            let answer = app.portal().at(address).get("/readyz").await;
            (answer.status != 200).then_some(answer)
        });
        let unready = unready.await.expect("it says that it is not ready");
        unready.is_problem(503, "overloaded");
        assert_eq!(app.portal().at(address).get("/livez").await.status, 200);
        let there = app.how_to_portal().at(address);
        let created = there.create(&request("telemetry")).await;
        assert_eq!(created.status, 201, "{}", created.body);
        assert_eq!(there.remove(created.text("/id")).await.status, 200);
    };
    tokio::select! {
        () = served => {}
        () = replica.stop() => panic!("it stopped before its time"),
    }
    app.finish().await;
}

#[tokio::test]
async fn after_that_it_takes_no_more_requests() {
    let app = App::hurried().await;
    let replica = app
        .mortal_where(|config| config.server.drain = Duration::from_millis(100))
        .await;
    let address = replica.address();
    replica.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_is_being_looked_into_when_its_replica_stops_is_refused_and_nothing_is_sent() {
    let app = App::hurried().await;
    let replica = app.replica().await;
    let portal = app.how_to_portal();
    let (there, wanted) = (portal.at(replica.address()), request("telemetry"));
    let point = arm(
        &Handle::current(),
        "entra/POST token/before",
        Action::Pause(None),
        1,
    );
    let (refused, (), ()) = join!(
        there.create(&wanted),
        async {
            point.met().await;
            replica.stop().await;
        },
        async {
            point.met().await;
            app.wait_until(LEFT).await;
            point.release();
        }
    );
    refused.is_problem(503, "overloaded");
    assert!(refused.header("retry-after").is_some());
    assert!(app.writes().is_empty());
    // It was no refusal of the caller, and is in no ledger as one.
    let none = "select count(*) = 0 from ledger_events";
    assert!(app.scalar::<bool>(none).await);
    assert_eq!(portal.create(&wanted).await.status, 201);
    app.finish().await;
}

#[tokio::test]
async fn a_create_whose_turn_has_come_when_its_replica_stops_is_not_sent_by_it() {
    for point in [
        // The proof of absence: of the first one's reads only its last is one of these.
        ("arm/GET data connection/before", 2),
        ("commit/the create is sent/after", 1),
    ] {
        let app = App::hurried().await;
        let replica = app.replica().await;
        app.hold_operations();
        let portal = app.how_to_portal();
        let there = portal.at(replica.address());
        let first = there.create_waiting(&request("first"), 0).await;
        app.wait_for_calls("PUT", "first", 1).await;
        let mut wanted = request("second");
        wanted["source"]["eventHub"]["consumerGroup"] = "cg1".into();
        let second = there.create_waiting(&wanted, 0).await;
        assert_eq!(second.text("/lastOperation/status"), "notStarted");
        let (name, nth) = point;
        let point = arm(&Handle::current(), name, Action::Pause(None), nth);
        app.release_operations();
        point.met().await;
        join!(replica.stop(), async {
            app.wait_until(LEFT).await;
            point.release();
        });
        assert!(app.calls("PUT", "second").is_empty(), "{name}");
        app.wait_until("select exists (select from operations where phase = 'queued' and awaiting_tenant_id is not null)")
            .await;
        // The caller continues it by the same request.
        let again = portal.create(&wanted).await;
        assert_eq!(again.body["id"], second.body["id"], "{}", again.body);
        let ended = portal.continue_to_end(second.text("/lastOperation/id")).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
        let ended = portal.continue_to_end(first.text("/lastOperation/id")).await;
        assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
        app.finish().await;
    }
}

#[tokio::test]
async fn an_azure_that_keeps_a_write_waiting_keeps_no_stop_waiting_and_others_find_out_what_came_of_it() {
    let app = App::hurried_with(|config| {
        config.worker.lease = Duration::from_secs(1);
        config.server.grace = Duration::from_millis(300);
        config.upstream.timeout = Duration::from_secs(60);
        config.worker.max_request_lifetime = Duration::from_secs(90);
    })
    .await;
    let replica = app.mortal().await;
    let portal = app.how_to_portal();
    let silence = Fault::arm("/dataConnections/telemetry", Effect::SilenceAfterEffect);
    app.emulator.inject(silence.method("PUT"));
    let there = portal.at(replica.address());
    let created = there.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    let begun = Instant::now();
    replica.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let ended = portal.continue_to_end(created.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}
