//! Creates that Azure carries out after their record was closed.

use std::time::Duration;

use azure_emulator::{Effect, Fault, FaultAnswer, how_to};
use serde_json::Value;
use tenant_bridge::config::Config;

use super::{is_removed, make, ours_but, theirs};
use crate::support::{Answer, App, Portal, continue_operation, hurried, request};

/// The service reads by itself where the target's tenant lets it.
fn reads_by_itself(config: &mut Config) {
    hurried(config);
    config.tenants.service_reads = [how_to::DOMAIN1.parse().expect("a GUID")].into();
}

/// A create that got no answer and whose effect no read shows while its request may live: the record is closed as failed.
async fn closed_in_doubt(app: &App) -> (Portal, Answer) {
    app.operations_take(Duration::from_millis(2500));
    app.emulator
        .edit(|world| world.set_read_lag(Duration::from_millis(500)));
    closed_after(app, &request("telemetry"), unanswered()).await
}

/// ARM carries the request out and answers with an error.
fn unanswered() -> Effect {
    Effect::AnswerAfterEffect(FaultAnswer {
        status: 503,
        ..FaultAnswer::default()
    })
}

/// A create whose PUT has this effect, and whose record is closed as failed.
async fn closed_after(app: &App, wanted: &Value, effect: Effect) -> (Portal, Answer) {
    let fault = Fault::arm("/dataConnections/", effect).method("PUT");
    app.emulator.inject(fault);
    let portal = app.how_to_portal();
    let created = portal.create_waiting(wanted, 0).await;
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/status"), "failed", "{}", operation.body);
    let connection = portal.connection(created.connection()).await;
    assert_eq!(connection.text("/state"), "failed", "{}", connection.body);
    (portal, created)
}

/// The effect can be seen, and the record is due.
async fn appear(app: &App) {
    app.emulator.edit(|world| {
        world.set_read_lag(Duration::ZERO);
        world.finish_operations(|_| true);
    });
    app.visible("telemetry").await;
    app.as_owner("update connections set recheck_at = now() where recheck_at is not null")
        .await;
}

#[tokio::test]
async fn what_came_late_is_found_by_the_service_itself() {
    let app = App::with(reads_by_itself).await;
    app.emulator
        .edit(|world| world.assign_role(how_to::TENANT_BRIDGE, "Reader", how_to::CLUSTER))
        .expect("a role");
    let (portal, created) = closed_in_doubt(&app).await;
    let due: i64 = app
        .scalar(
            "select count(*) from connections where recheck_at between now() and now() + interval '1 minute'",
        )
        .await;
    assert_eq!(due, 1, "a minute after it was closed");
    appear(&app).await;
    let path = format!("/v1/connections/{}", created.connection());
    portal.wait_for(&path, |body| body["state"] == "unsettled").await;
    let events = portal.event_kinds(created.connection()).await;
    assert_eq!(events.last().map(String::as_str), Some("create.appeared"));
    app.wait_for_log("after its record had been closed", created.connection())
        .await;
    // It is the record's, so it can be removed.
    is_removed(&portal.remove(created.connection()).await);
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}

#[tokio::test]
async fn what_came_late_is_found_by_the_next_who_asks() {
    for ask in ["create", "remove", "continue"] {
        let app = App::hurried().await;
        let (portal, created) = closed_in_doubt(&app).await;
        appear(&app).await;
        match ask {
            "create" => {
                let again = portal.create(&request("telemetry")).await;
                again.is_problem(409, "connectionExists");
                let detail = again.text("/detail");
                assert!(detail.contains(created.connection()), "{detail}");
            }
            "remove" => is_removed(&portal.remove(created.connection()).await),
            _ => {
                let asked = continue_operation(&portal, created.operation(), None, 0).await;
                assert_eq!(asked.status, 200, "{}", asked.body);
            }
        }
        let state = portal.connection(created.connection()).await;
        if ask == "remove" {
            assert!(app.at_arm("telemetry").is_none());
            assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
        } else {
            assert_eq!(state.text("/state"), "unsettled", "{ask}");
        }
        app.finish().await;
    }
}

#[tokio::test]
async fn somebody_elses_under_the_name_of_a_closed_record_opens_nothing_and_the_looks_come_to_an_end() {
    let app = App::with(reads_by_itself).await;
    app.emulator
        .edit(|world| world.assign_role(how_to::TENANT_BRIDGE, "Reader", how_to::CLUSTER))
        .expect("a role");
    let (portal, created) = closed_in_doubt(&app).await;
    make(&app, &theirs());
    for step in 1..=5_i16 {
        appear(&app).await;
        let looked = app.eventually_scalar(
            "select coalesce(max(recheck_step), 0::int2) from connections",
            move |at: i16| at == step,
        );
        looked.await;
    }
    let left: i64 = app
        .scalar("select count(*) from connections where recheck_at is not null")
        .await;
    assert_eq!(left, 0);
    assert_eq!(
        portal.connection(created.connection()).await.text("/state"),
        "failed"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_look_that_fails_is_no_look() {
    let app = App::with(reads_by_itself).await;
    app.emulator
        .edit(|world| world.assign_role(how_to::TENANT_BRIDGE, "Reader", how_to::CLUSTER))
        .expect("a role");
    let (portal, created) = closed_in_doubt(&app).await;
    let fault = Fault::arm("/dataConnections/telemetry?", Effect::status(503, &[]));
    app.emulator.inject(fault.method("GET").times(1));
    let before = app.calls("GET", "telemetry").len();
    app.emulator.edit(|world| {
        world.set_read_lag(Duration::ZERO);
        world.finish_operations(|_| true);
    });
    app.as_owner("update connections set recheck_at = now() where recheck_at is not null")
        .await;
    app.wait_for_calls("GET", "telemetry", before + 1).await;
    let later = app.eventually_scalar(
        "select count(*) from connections where recheck_step = 0 and recheck_at > now() + interval '30 seconds'",
        |later: i64| later == 1,
    );
    later.await;
    appear(&app).await;
    let path = format!("/v1/connections/{}", created.connection());
    portal.wait_for(&path, |body| body["state"] == "unsettled").await;
    is_removed(&portal.remove(created.connection()).await);
    app.finish().await;
}

/// A data connection that has the name after a completed removal was made by somebody else.
#[tokio::test]
async fn a_repeated_removal_deletes_nothing_more_after_the_first_was_carried_out() {
    let app = App::hurried().await;
    let (portal, created) = closed_in_doubt(&app).await;
    app.operations_take(Duration::from_millis(60));
    appear(&app).await;
    let id = created.connection();
    assert_eq!(portal.remove(id).await.text("/state"), "removed");
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    // Another person makes an equal one by hand.
    make(&app, &ours_but(|_| ()));
    let again = portal.remove(id).await;
    assert_eq!(
        app.calls("DELETE", "telemetry").len(),
        1,
        "{} {}",
        again.status,
        again.body
    );
    assert_eq!(again.text("/state"), "removed", "{}", again.body);
    app.finish().await;
}

/// Two creates of a name ended with an unknown outcome; the first is the one that was carried out.
#[tokio::test]
async fn the_next_create_rechecks_every_closed_record_of_its_name() {
    let app = App::hurried().await;
    app.operations_take(Duration::from_secs(8));
    app.emulator
        .edit(|world| world.set_read_lag(Duration::from_secs(8)));
    let (portal, first) = closed_after(&app, &request("telemetry"), unanswered()).await;
    let mut other = request("telemetry");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    closed_after(&app, &other, Effect::ResetBeforeEffect).await;
    appear(&app).await;
    let again = portal.create(&request("telemetry")).await;
    assert_eq!(
        portal.connection(first.connection()).await.text("/state"),
        "unsettled",
        "{} {}",
        again.status,
        again.body
    );
    app.finish().await;
}

/// The outcome became unknown to a replica of the version before, which did not record that.
#[tokio::test]
async fn a_create_whose_outcome_became_unknown_before_the_upgrade_is_rechecked() {
    // Long enough to be seen as it settles, however busy the machine is.
    let app = App::hurried_with(|config| {
        config.worker.max_request_lifetime = Duration::from_secs(4);
    })
    .await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::ResetBeforeEffect).method("PUT"));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_until("select phase = 'settling' from operations").await;
    app.as_owner("update connections set recheck_step = null").await;
    portal.follow(created.operation()).await;
    let due: bool = app
        .scalar("select closed_at is not null and recheck_at is not null from connections")
        .await;
    assert!(due);
    app.finish().await;
}

/// There was nothing to remove when the request came first.
#[tokio::test]
async fn a_removal_repeated_with_its_key_removes_what_came_late() {
    let app = App::hurried().await;
    let (portal, created) = closed_in_doubt(&app).await;
    let keyed = portal.keyed("gone");
    let nothing = keyed.remove(created.connection()).await;
    assert_eq!(
        (nothing.status, nothing.text("/state")),
        (200, "failed"),
        "{}",
        nothing.body
    );
    appear(&app).await;
    app.operations_take(Duration::from_millis(60));
    let asked = continue_operation(&portal, created.operation(), None, 0).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let remedy = asked.text("/error/remedy");
    assert!(remedy.contains(created.connection()), "{remedy}");
    let reopened = portal.connection(created.connection()).await;
    assert_eq!(reopened.text("/state"), "unsettled");
    let removed = keyed.remove(created.connection()).await;
    is_removed(&removed);
    assert!(app.at_arm("telemetry").is_none());
    // From then on the key stands for that removal.
    assert_eq!(
        keyed.remove(created.connection()).await.operation(),
        removed.operation()
    );
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    app.finish().await;
}
