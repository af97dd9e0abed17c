//! One caller keeps nobody out, with or without rights, by sending nothing, or much, or often.

mod bodies;
mod limits;

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use tokio::task::JoinSet;

use crate::support::{App, PATIENCE, hurried, request};

#[tokio::test]
async fn one_person_whose_requests_take_up_every_place_keeps_nobody_out() {
    let app = App::with(|config| {
        hurried(config);
        config.server.max_requests = 16;
        config.upstream_limits.read_timeout = PATIENCE;
        config.server.grace = Duration::from_millis(300);
    })
    .await;
    // What this person asks for takes Azure its time.
    app.emulator
        .inject(Fault::arm("/clusters/adx1?", Effect::Delay(Duration::from_secs(20))).always());
    let portal = app.how_to_portal();
    let mut hoard = JoinSet::new();
    for _ in 0..40 {
        let portal = portal.clone();
        hoard.spawn(async move { portal.create_waiting(&request("telemetry"), 0).await });
    }
    app.wait_for_log("server.max_requests", "503").await;
    // Of sixteen inside and sixteen who wait for a place, the latter are sent away in the end: all places are taken then.
    for _ in 0..24 {
        let shed = hoard.join_next().await.expect("one of them").expect("an answer");
        shed.is_problem(503, "overloaded");
    }
    for user in ["acc3@domain1.com", "acc5@domain1.com", "acc6@domain1.com"] {
        let other = app.signed_in(user);
        for _ in 0..10 {
            let answer = other.get("/v1/connections").await;
            assert_eq!(answer.status, 200, "{user}: {}", answer.body);
        }
    }
    hoard.shutdown().await;
    app.emulator.clear_faults();
    app.all_have_ended().await;
    app.finish().await;
}

#[tokio::test]
async fn tokens_that_can_not_be_checked_now_take_no_places_of_those_that_can() {
    let app = App::with(|config| {
        hurried(config);
        config.server.max_requests = 8;
        config.upstream_limits.read_timeout = PATIENCE;
        config.server.grace = Duration::from_millis(300);
    })
    .await;
    let known = app.signed_in("acc1@domain1.com");
    assert_eq!(known.get("/v1/connections").await.status, 200);
    // The keys of the other tenant have never been fetched, and don't come.
    let keys = format!("/{}/discovery", how_to::DOMAIN2);
    app.emulator
        .inject(Fault::entra(&keys, Effect::Delay(Duration::from_secs(20))).always());
    let unknown = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let unknown = unknown.clone();
        waiting.spawn(async move { unknown.get("/v1/connections").await });
    }
    for _ in 0..12 {
        let shed = waiting
            .join_next()
            .await
            .expect("one of them")
            .expect("an answer");
        shed.is_problem(503, "overloaded");
    }
    for _ in 0..10 {
        let answer = known.get("/v1/connections").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    waiting.shutdown().await;
    app.emulator.clear_faults();
    app.finish().await;
}
