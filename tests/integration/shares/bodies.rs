//! Bodies that do not come.

use std::time::{Duration, Instant};

use azure_emulator::how_to;
use futures_util::stream;
use http::{Method, Version};
use hyper::body::{Bytes, Frame};
use tokio::task::JoinSet;

use crate::support::{Answer, App, PATIENCE, Stalled, eventually, hurried, request};

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

/// A service where bodies may take longer than the test.
async fn patient() -> App {
    App::with(|config| {
        hurried(config);
        config.server.body_timeout = PATIENCE * 10;
        config.server.longest_request = PATIENCE * 20;
        config.server.grace = Duration::from_millis(300);
    })
    .await
}

/// Waits until so many of them were sent away: then the others have taken all there is.
async fn are_sent_away(sent: &mut JoinSet<Answer>, count: usize) {
    for _ in 0..count {
        let answer = sent.join_next().await.expect("one of them").expect("an answer");
        answer.is_problem(503, "overloaded");
    }
}

/// Others are served as ever: those who only look, and those who have a body to send.
async fn others_are_answered(app: &App) {
    let other = app.signed_in("acc3@domain1.com");
    for _ in 0..20 {
        let answer = other.get("/v1/connections").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
}

#[tokio::test]
async fn six_connections_of_http_2_whose_bodies_never_come_keep_nobody_out() {
    let app = patient().await;
    // A user of an allowed tenant, who may do nothing at Azure.
    let token = app.token("acc6@domain1.com", how_to::DOMAIN1);
    let (mut connections, mut sent) = (Vec::new(), JoinSet::new());
    for _ in 0..6 {
        let mut connection = Stalled::connect(app.address(), Version::HTTP_2).await;
        for _ in 0..100 {
            sent.spawn(connection.create(&token));
        }
        connections.push(connection);
    }
    are_sent_away(&mut sent, 600 - 512).await;
    others_are_answered(&app).await;
    assert_eq!(sent.len(), 512, "they still wait for their bodies");
    drop(sent);
    app.finish().await;
}

#[tokio::test]
async fn five_hundred_and_twenty_posts_of_http_1_whose_bodies_never_come_keep_nobody_out() {
    let app = patient().await;
    let token = app.token("acc6@domain1.com", how_to::DOMAIN1);
    let (mut connections, mut sent) = (Vec::new(), JoinSet::new());
    for _ in 0..520 {
        let mut connection = Stalled::connect(app.address(), Version::HTTP_11).await;
        sent.spawn(connection.create(&token));
        connections.push(connection);
    }
    are_sent_away(&mut sent, 520 - 512).await;
    others_are_answered(&app).await;
    assert_eq!(sent.len(), 512, "they still wait for their bodies");
    drop(sent);
    app.finish().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_told_as_that_and_nothing_is_recorded() {
    let app = App::with(|config| config.server.body_timeout = Duration::from_millis(300)).await;
    let token = app.token("acc1@domain1.com", how_to::DOMAIN1);
    for version in VERSIONS {
        let mut connection = Stalled::connect(app.address(), version).await;
        let asked_at = Instant::now();
        let answer = connection.create(&token).await;
        answer.is_problem(408, "requestTimeout");
        assert_eq!(answer.body["retryable"], true);
        assert!(asked_at.elapsed() >= Duration::from_millis(300), "{version:?}");
        // Of HTTP/1.1 nothing more can be read in order; other streams of HTTP/2 go on.
        if version == Version::HTTP_11 {
            assert_eq!(answer.header("connection"), Some("close"));
            let closed = eventually(async || connection.is_closed().then_some(()));
            assert!(closed.await.is_some(), "the connection is closed");
        } else {
            connection.create(&token).await.is_problem(408, "requestTimeout");
        }
    }
    let recorded: i64 = app.scalar("select count(*) from ledger_events").await;
    assert_eq!(recorded, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_not_waited_for_longer() {
    let app = App::with(|config| config.server.body_timeout = Duration::from_millis(300)).await;
    let token = app.token("acc1@domain1.com", how_to::DOMAIN1);
    for version in VERSIONS {
        let mut connection = Stalled::connect(app.address(), version).await;
        let pace = tokio::time::interval(Duration::from_millis(30));
        let trickle = stream::unfold(pace, async |mut pace| {
            pace.tick().await;
            Some((Ok(Frame::data(Bytes::from_static(b" "))), pace))
        });
        let path = "/v1/connections";
        let answer = connection
            .send(&Method::POST, path, &token, Box::pin(trickle))
            .await;
        answer.is_problem(408, "requestTimeout");
    }
    app.finish().await;
}

#[tokio::test]
async fn who_shows_no_valid_token_is_not_even_asked_for_a_body() {
    let app = patient().await;
    for version in VERSIONS {
        let mut connection = Stalled::connect(app.address(), version).await;
        connection.create("a.b.c").await.is_problem(401, "invalidToken");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_body_where_none_means_anything_is_not_waited_for() {
    let app = patient().await;
    let token = app.token("acc1@domain1.com", how_to::DOMAIN1);
    for version in VERSIONS {
        let mut connection = Stalled::connect(app.address(), version).await;
        let never = Box::pin(stream::pending());
        let answer = connection
            .send(&Method::GET, "/v1/connections", &token, never)
            .await;
        assert_eq!(answer.status, 200, "{version:?}: {}", answer.body);
    }
    app.finish().await;
}
