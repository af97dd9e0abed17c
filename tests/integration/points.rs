//! What a failure point looks like to the service: an outage of the database before and after a commit, a call that did not leave,
//! and an answer that did not come.

use tenant_bridge::failpoints::Action;
use tenant_bridge::failpoints::arm;
use tokio::runtime::Handle;

use crate::support::{App, request};

#[tokio::test]
async fn a_commit_that_a_point_fails_is_not_made_and_nothing_is_sent() {
    let app = App::hurried().await;
    let point = arm(
        &Handle::current(),
        "commit/record create intent/before",
        Action::Fail,
        1,
    );
    let refused = app.how_to_portal().create(&request("telemetry")).await;
    refused.is_problem(503, "databaseUnavailable");
    point.met().await;
    assert_eq!(app.scalar::<i64>("select count(*) from connections").await, 0);
    assert!(app.writes().is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_commit_whose_answer_a_point_takes_away_is_made_all_the_same() {
    let app = App::hurried().await;
    let _point = arm(
        &Handle::current(),
        "commit/Azure took the create/after",
        Action::Fail,
        1,
    );
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let events = app.how_to_portal().event_kinds(created.text("/id")).await;
    assert_eq!(events, ["create.intended", "create.accepted", "create.succeeded"]);
    app.finish().await;
}

#[tokio::test]
async fn a_call_that_a_point_fails_does_not_leave_and_is_made_again() {
    let app = App::hurried().await;
    let _point = arm(
        &Handle::current(),
        "arm/PUT data connection/before",
        Action::Fail,
        1,
    );
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.text("/state"), "active", "{}", created.body);
    // Each time that it might have left has its event, and one of them did not.
    let events = portal.event_kinds(created.text("/id")).await;
    assert_eq!(events[..2], ["create.intended", "create.repeated"]);
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn an_answer_that_a_point_takes_away_leaves_the_outcome_unknown_until_a_read_settles_it() {
    let app = App::hurried().await;
    let _point = arm(
        &Handle::current(),
        "arm/PUT data connection/after",
        Action::Fail,
        1,
    );
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    portal.follow(created.operation()).await;
    let events = portal.event_kinds(created.text("/id")).await;
    assert_eq!(events, ["create.intended", "outcome.unknown", "create.succeeded"]);
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn whoever_is_held_before_a_send_sends_nothing_until_it_is_released() {
    let app = App::hurried().await;
    let point = arm(
        &Handle::current(),
        "arm/PUT data connection/before",
        Action::Pause(None),
        1,
    );
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    point.met().await;
    assert!(app.writes().is_empty());
    point.release();
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/status"), "succeeded");
    app.finish().await;
}
