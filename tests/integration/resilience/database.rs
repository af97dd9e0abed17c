//! Postgres that hangs, takes no writes, or has no connection left: refused within the time, nothing sent, and all goes on by itself.

use std::time::{Duration, Instant};

use azure_emulator::{Effect, Fault, how_to};
use dev_postgres::{Server, Wire};
use http::Method;
use sqlx::PgPool;
use tenant_bridge::config::Config;
use tenant_bridge::db::{self, DbError, PoolOptions};
use tenant_bridge::failpoints::Action;
use tenant_bridge::failpoints::arm;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::support::{
    Answer, App, PATIENCE, Portal, connect, eventually, hurried, impatient, migrated, own_server, request,
};

/// A service whose line to its Postgres can die.
pub(super) async fn over_a_wire(change: impl FnOnce(&mut Config)) -> (Server, Wire, App) {
    let server = own_server().await;
    let database = migrated(&server).await;
    let wire = Wire::to(&database.serving_url).await.expect("a line");
    let url = wire.over(&database.serving_url);
    let app = App::on(database, |config| {
        impatient(config);
        config.database.pool.url = url.as_str().into();
        change(config);
    })
    .await;
    (server, wire, app)
}

/// Two seconds are promised; a loaded machine may need some more.
#[track_caller]
fn is_outage(answer: &Answer, asked_at: Instant) {
    answer.is_problem(503, "databaseUnavailable");
    assert!(answer.header("retry-after").is_some());
    assert!(
        asked_at.elapsed() < Duration::from_secs(6),
        "{:?}",
        asked_at.elapsed()
    );
}

/// Every route refuses for the database's sake.
async fn every_route_is_out(portal: &Portal, created: &Answer) {
    let connection = format!("/v1/connections/{}", created.text("/id"));
    let operation = format!("/v1/operations/{}", created.text("/lastOperation/id"));
    for (method, path) in [
        (Method::POST, "/v1/connections".to_owned()),
        (Method::GET, "/v1/connections".to_owned()),
        (Method::GET, connection.clone()),
        (Method::GET, format!("{connection}/events")),
        (Method::DELETE, connection),
        (Method::GET, operation.clone()),
        (Method::POST, format!("{operation}/continue")),
    ] {
        let asked_at = Instant::now();
        let mut call = portal.call(method.clone(), &path);
        if path == "/v1/connections" && method == Method::POST {
            call = call.json(&request("another"));
        }
        is_outage(&portal.send(call).await, asked_at);
    }
}

/// Creates until one is taken: the service finds by itself that the database is back.
pub(super) async fn is_taken_again(portal: &Portal, name: &str) {
    let mut body = request(name);
    body["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    portal.create_at_last(&body, &[202, 503]).await;
}

#[tokio::test]
async fn a_dead_line_to_postgres_holds_nobody_and_is_given_up_for_a_new_one() {
    let (server, wire, app) = over_a_wire(|config| config.database.pool.max_connections = 4).await;
    app.operations_take(Duration::from_millis(60));
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    wire.die();
    // More often than the pool has connections, so that each of them is found dead.
    for _ in 0..2 {
        every_route_is_out(&portal, &created).await;
    }
    portal.get("/readyz").await.is_problem(503, "databaseUnavailable");
    assert_eq!(portal.get("/livez").await.status, 200);
    assert_eq!(app.writes().len(), 1, "the first create's");
    wire.mend();
    is_taken_again(&portal, "again").await;
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_line_that_dies_under_an_operation_does_not_keep_it() {
    let (server, wire, app) = over_a_wire(|config| config.worker.lease = Duration::from_secs(6)).await;
    app.operations_take(Duration::from_millis(100));
    let portal = app.how_to_portal();
    let leaving = arm(
        &Handle::current(),
        "arm/PUT data connection/before",
        Action::Pause(None),
        1,
    );
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    leaving.met().await;
    wire.die();
    leaving.release();
    app.wait_for_calls("PUT", "telemetry", 1).await;
    wire.mend();
    let ended = portal.follow(created.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_dead_line_to_postgres_keeps_no_stop_waiting() {
    let (server, wire, app) = over_a_wire(|config| config.server.grace = Duration::from_millis(300)).await;
    let replica = app.mortal().await;
    wire.die();
    let there = app.how_to_portal().at(replica.address());
    there.get("/readyz").await.is_problem(503, "databaseUnavailable");
    let begun = Instant::now();
    replica.stop().await;
    // The grace, 3 s for what is handed over and 5 s for what is closed, whatever else waits for the database.
    assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
    wire.mend();
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_out_of_reach_until_it_does() {
    let server = own_server().await;
    let app = App::on(migrated(&server).await, impatient).await;
    app.operations_take(Duration::from_millis(60));
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let mut admin = connect(server.admin_url()).await;
    let mut set = async |value: &str| {
        let set = format!("alter system set default_transaction_read_only = {value}");
        for statement in [set.as_str(), "select pg_reload_conf()"] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
                .execute(&mut admin)
                .await
                .expect("the administrator may");
        }
    };
    // As the old primary after a failover, to which the pool's connections still lead.
    set("on").await;
    let unready = eventually(async || (portal.get("/readyz").await.status != 200).then_some(())).await;
    assert!(unready.is_some(), "it stays ready");
    every_route_is_out(&portal, &created).await;
    assert_eq!(app.writes().len(), 1, "the first create's");
    // The administrator's own connection takes no writes by default; this is none.
    set("off").await;
    is_taken_again(&portal, "again").await;
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn without_a_free_connection_a_request_is_refused_and_nothing_is_sent() {
    let app = App::with(|config| {
        impatient(config);
        config.database.pool.max_connections = 2;
    })
    .await;
    let portal = app.how_to_portal();
    let mut owner = connect(&app.database.owner_url).await;
    sqlx::raw_sql("begin; lock table ledger_events, connections in access exclusive mode")
        .execute(&mut owner)
        .await
        .expect("a lock");
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let portal = app.how_to_portal();
        waiting.spawn(async move {
            let asked_at = Instant::now();
            (portal.create(&request("telemetry")).await, asked_at)
        });
    }
    while let Some(answered) = waiting.join_next().await {
        let (answer, asked_at) = answered.expect("an answer");
        is_outage(&answer, asked_at);
    }
    assert!(app.writes().is_empty());
    sqlx::raw_sql("rollback")
        .execute(&mut owner)
        .await
        .expect("an end");
    is_taken_again(&portal, "telemetry").await;
    app.finish().await;
}

#[tokio::test]
async fn a_change_is_refused_in_the_time_that_all_its_waits_for_the_database_have_together() {
    let app = App::with(|config| {
        hurried(config);
        // Four seconds and a bit altogether, so that a slow machine changes nothing.
        config.database.pool.acquire_timeout = Duration::from_secs(4);
    })
    .await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    // What comes first is slow…
    let mut slow = connect(&app.database.owner_url).await;
    let mut run = async |statements| sqlx::raw_sql(statements).execute(&mut slow).await;
    run("begin; lock table connections in access exclusive mode")
        .await
        .expect("a lock");
    // …and what comes last never ends.
    let mut hanging = connect(&app.database.owner_url).await;
    sqlx::raw_sql("begin; lock table ledger_events in access exclusive mode")
        .execute(&mut hanging)
        .await
        .expect("a lock");
    let mut other = request("other");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let asked_at = Instant::now();
    let (create, remove, slept) = tokio::join!(
        async { (portal.create(&other).await, asked_at.elapsed()) },
        async { (portal.remove(created.text("/id")).await, asked_at.elapsed()) },
        run("select pg_sleep(3); commit"),
    );
    slept.expect("it ends");
    for (answer, took) in [create, remove] {
        answer.is_problem(503, "databaseUnavailable");
        assert!(took >= Duration::from_secs(3), "{took:?}");
        // One wait after the other would be seven.
        assert!(took < Duration::from_millis(6500), "{took:?}");
    }
    sqlx::raw_sql("rollback")
        .execute(&mut hanging)
        .await
        .expect("an end");
    assert_eq!(app.writes().len(), 1, "the first create's");
    app.finish().await;
}

#[tokio::test]
async fn requests_that_wait_for_azure_hold_no_connection_to_postgres() {
    let app = App::with(|config| {
        hurried(config);
        config.database.pool.max_connections = 2;
        config.database.pool.acquire_timeout = Duration::from_secs(3);
        config.upstream_limits.read_timeout = Duration::from_secs(6);
    })
    .await;
    let hang = |path: &str| Fault::arm(path, Effect::Delay(Duration::from_secs(6))).always();
    app.emulator.inject(hang("/clusters/adx1?"));
    app.emulator.inject(hang("/eventhubs/hub1?"));
    let mut hanging = JoinSet::new();
    for _ in 0..6 {
        let portal = app.how_to_portal();
        hanging.spawn(async move { portal.create(&request("telemetry")).await });
    }
    let asked = app
        .emulator
        .journal()
        .wait_for(|_| app.exchanges_at(how_to::DOMAIN2) >= 6, PATIENCE);
    assert!(asked.await.is_some(), "nothing hangs");
    let portal = app.signed_in("acc1@domain1.com");
    for _ in 0..10 {
        let answer = portal.get("/v1/connections").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    app.emulator.clear_faults();
    while let Some(answer) = hanging.join_next().await {
        let answer = answer.expect("an answer");
        assert!(
            answer.status < 300 || answer.status == 503 || answer.status == 409,
            "{}",
            answer.body
        );
    }
    app.all_have_ended().await;
    app.finish().await;
}

#[tokio::test]
async fn a_commit_is_on_disk_before_it_counts_whatever_the_server_is_set_to() {
    let app = App::start().await;
    for (asked, kept) in [
        ("off", "on"),
        ("local", "local"),
        ("remote_apply", "remote_apply"),
    ] {
        let mut url = app.database.serving_url.clone();
        url.query_pairs_mut()
            .append_pair("options", &format!("-c synchronous_commit={asked}"));
        let pool = db::connect(&PoolOptions {
            url: url.as_str().into(),
            max_connections: 1,
            acquire_timeout: Duration::from_secs(15),
        })
        .expect("a pool");
        assert_eq!(synchronous_commit(&pool).await, kept, "new, {asked}");
        // As when the server's setting changes while a connection is in the pool.
        let set = sqlx::query("select set_config('synchronous_commit', $1, false)").bind(asked);
        set.execute(&pool).await.expect("it is set");
        assert_eq!(synchronous_commit(&pool).await, kept, "used again, {asked}");
        pool.close().await;
    }
    app.finish().await;
}

async fn synchronous_commit(pool: &PgPool) -> String {
    let setting = sqlx::query_scalar("show synchronous_commit");
    setting.fetch_one(pool).await.expect("a setting")
}

#[tokio::test]
async fn what_is_the_servers_condition_is_an_outage_and_what_is_our_fault_is_none() {
    let app = App::start().await;
    let mut owner = connect(&app.database.owner_url).await;
    for (code, is_outage) in [
        ("08006", true),
        ("25006", true),
        // Another session's prepared statement.
        ("26000", true),
        ("40001", true),
        ("40P01", true),
        ("53100", true),
        ("53200", true),
        ("53300", true),
        ("42P05", true),
        ("55P03", true),
        ("57014", true),
        ("57P01", true),
        ("57P02", true),
        ("57P03", true),
        ("58030", true),
        ("22001", false),
        ("23514", false),
        ("42601", false),
    ] {
        let statement = format!("do $$ begin raise exception 'as told' using errcode = '{code}'; end $$");
        let error = sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut owner)
            .await
            .expect_err("as told");
        assert_eq!(DbError::from(error).is_outage(), is_outage, "{code}");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_outage_is_one_line_of_the_log_when_it_begins_and_one_when_it_is_over() {
    let (server, wire, app) = over_a_wire(|config| config.worker.lease = Duration::from_secs(6)).await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let name = app.database.name.clone();
    wire.die();
    for _ in 0..2 {
        every_route_is_out(&portal, &created).await;
        portal.get("/readyz").await.is_problem(503, "databaseUnavailable");
    }
    assert_eq!(app.log_lines(&name, "the database can't be used; "), 1);
    assert_eq!(app.log_lines(&name, "the database can be used again"), 0);
    wire.mend();
    app.wait_for_log(&name, "the database can be used again").await;
    app.finish().await;
    server.stop().await.expect("it ends");
}
