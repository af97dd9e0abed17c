//! What holds when Postgres, Entra or ARM don't: nothing leaves without a record, an outage is a 503, and no answer is lost.

use std::time::{Duration, Instant};

use azure_emulator::{Effect, Fault, Host};
use http::Method;
use sqlx::PgConnection;

use crate::support::{Answer, App, connect, hurried, impatient, migrated, own_server, request};

/// What ARM answers can't be recorded while this is held; when the server goes down, it takes the lock with it.
async fn hold_results(app: &App) -> PgConnection {
    let mut owner = connect(&app.database.owner_url).await;
    sqlx::raw_sql("begin; select from connections for update")
        .execute(&mut owner)
        .await
        .expect("a lock");
    owner
}

#[track_caller]
fn is_outage(answer: &Answer, code: &str, asked_at: Instant) {
    answer.is_problem(503, code);
    assert_eq!(answer.body["retryable"], true);
    assert!(answer.header("retry-after").is_some());
    assert!(asked_at.elapsed() < Duration::from_secs(10));
}

async fn leaves_nothing(app: &App) {
    assert!(app.writes().is_empty());
    assert_eq!(app.scalar::<i64>("select count(*) from connections").await, 0);
}

#[tokio::test]
async fn without_a_ledger_event_no_put_is_sent() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let role = app.database.serving_role.clone();
    app.as_owner(&format!("revoke insert on ledger_events from {role}"))
        .await;
    let asked_at = Instant::now();
    let refused = portal.create(&request("telemetry")).await;
    is_outage(&refused, "databaseUnavailable", asked_at);
    leaves_nothing(&app).await;

    app.as_owner(&format!("grant insert on ledger_events to {role}"))
        .await;
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    // The same for a removal.
    app.as_owner(&format!("revoke insert on ledger_events from {role}"))
        .await;
    let asked_at = Instant::now();
    let refused = portal.remove(created.text("/id")).await;
    is_outage(&refused, "databaseUnavailable", asked_at);
    assert!(app.calls("DELETE", "telemetry").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_ledger_that_hangs_holds_nobody_for_long_and_no_put_is_sent() {
    let app = App::with(impatient).await;
    let portal = app.how_to_portal();
    let mut owner = connect(&app.database.owner_url).await;
    sqlx::raw_sql("begin; lock table ledger_events in access exclusive mode")
        .execute(&mut owner)
        .await
        .expect("a lock");
    let asked_at = Instant::now();
    let refused = portal.create(&request("telemetry")).await;
    assert!(
        asked_at.elapsed() < Duration::from_secs(4),
        "{:?}",
        asked_at.elapsed()
    );
    is_outage(&refused, "databaseUnavailable", asked_at);
    sqlx::raw_sql("rollback")
        .execute(&mut owner)
        .await
        .expect("an end");
    leaves_nothing(&app).await;
    app.finish().await;
}

#[tokio::test]
async fn a_database_out_of_reach_is_a_503_and_no_put_is_sent() {
    let server = own_server().await;
    let app = App::on(migrated(&server).await, impatient).await;
    let portal = app.how_to_portal();
    server.suspend().await.expect("it stops");
    for method in [Method::POST, Method::GET] {
        let asked_at = Instant::now();
        let call = portal.call(method, "/v1/connections").json(&request("telemetry"));
        is_outage(&portal.send(call).await, "databaseUnavailable", asked_at);
    }
    assert!(app.writes().is_empty());
    server.resume().await.expect("it starts");
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn what_azure_answered_while_the_database_was_away_is_recorded_when_it_is_back() {
    let server = own_server().await;
    let app = App::on(migrated(&server).await, hurried).await;
    let portal = app.how_to_portal();
    app.operations_take(Duration::from_millis(100));
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::Delay(Duration::from_millis(300))).method("PUT"));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    let _held = hold_results(&app).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    server.suspend().await.expect("it stops");
    server.resume().await.expect("it starts");
    let ended = portal.follow(created.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded");
    assert_eq!(
        portal.event_kinds(created.text("/id")).await,
        ["create.intended", "create.accepted", "create.succeeded"]
    );
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn after_an_outage_that_outlasts_the_lease_the_replica_that_has_the_tokens_goes_on_by_itself() {
    let server = own_server().await;
    let app = App::on(migrated(&server).await, |config| {
        hurried(config);
        config.worker.lease = Duration::from_secs(1);
        config.database.pool.acquire_timeout = Duration::from_secs(1);
    })
    .await;
    let portal = app.how_to_portal();
    app.operations_take(Duration::from_millis(100));
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::Delay(Duration::from_millis(300))).method("PUT"));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    let _held = hold_results(&app).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    server.suspend().await.expect("it stops");
    app.wait_for_log(
        created.text("/lastOperation/id"),
        "this replica cannot continue the operation",
    )
    .await;
    server.resume().await.expect("it starts");
    // Looking at the connection brings no tokens.
    let path = format!("/v1/connections/{}", created.text("/id"));
    portal.wait_for(&path, |body| body["state"] == "active").await;
    let kinds = portal.event_kinds(created.text("/id")).await;
    // The server ends its sessions one by one: the lock may go a moment before the commit that waits for it.
    assert!(
        matches!(kinds[1].as_str(), "outcome.unknown" | "create.accepted"),
        "{kinds:?}"
    );
    assert_eq!(
        (kinds.len(), kinds[0].as_str(), kinds[2].as_str()),
        (3, "create.intended", "create.succeeded")
    );
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn an_outage_of_azure_before_the_put_is_a_503_that_leaves_nothing() {
    let mut app = App::hurried().await;
    let outages = [
        (
            Host::Arm,
            "/dataConnections/",
            Effect::status(503, &[("retry-after", "7")]),
        ),
        (Host::Arm, "/clusters/adx1?", Effect::status(500, &[])),
        (Host::Arm, "/eventhubs/hub1", Effect::ResetBeforeEffect),
        (Host::Entra, "/token", Effect::status(503, &[])),
        (
            Host::Entra,
            "/token",
            Effect::status(429, &[("retry-after", "7")]),
        ),
        (Host::Entra, "/token", Effect::ResetBeforeEffect),
        (
            Host::Arm,
            "/permissions",
            Effect::status(429, &[("retry-after", "7")]),
        ),
    ];
    for (host, path, effect) in outages {
        let fault = match host {
            Host::Arm => Fault::arm(path, effect.clone()),
            Host::Entra => Fault::entra(path, effect.clone()),
        };
        app.emulator.inject(fault.always());
        let asked_at = Instant::now();
        // A new token each time, so that no exchanged one is at hand.
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        is_outage(&answer, "upstreamUnavailable", asked_at);
        if format!("{effect:?}").contains("retry-after") {
            assert_eq!(answer.header("retry-after"), Some("7"));
        }
        app.emulator.clear_faults();
    }
    leaves_nothing(&app).await;
    // A replica that was not told to wait.
    app.stop_service().await;
    app.start_service().await;
    assert_eq!(
        app.how_to_portal().create(&request("telemetry")).await.status,
        201
    );
    app.finish().await;
}

/// Azure names who made a data connection; names of people are kept in the erasable table only.
#[tokio::test]
async fn snapshots_name_no_people() {
    let app = App::hurried_with(|config| config.arm.kusto_api_version = "2025-02-14".to_owned()).await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.text("/state"), "active", "{}", created.body);
    let snapshot: serde_json::Value = app
        .scalar("select snapshot from connection_revisions where snapshot is not null")
        .await;
    assert!(!snapshot.to_string().contains("createdBy\""), "{snapshot}");
    app.finish().await;
}
