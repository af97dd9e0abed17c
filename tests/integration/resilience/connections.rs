//! Connections to Postgres that are dead, or of which none are left.

use std::time::{Duration, Instant};

use dev_postgres::Server;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::task::JoinSet;

use super::database::over_a_wire;
use crate::support::{App, connect, eventually, impatient, migrated, own_server};

/// Makes the service hold as many connections as it may: requests that wait for a lock hold one each.
async fn fill_the_pool(app: &App, connections: i64) {
    let mut owner = connect(&app.database.owner_url).await;
    sqlx::raw_sql("begin; lock table people in access exclusive mode")
        .execute(&mut owner)
        .await
        .expect("a lock");
    let mut waiting = JoinSet::new();
    for _ in 0..connections * 2 {
        let portal = app.signed_in("acc1@domain1.com");
        waiting.spawn(async move { portal.get("/v1/connections").await });
    }
    // Over another connection: in a transaction one always sees the same.
    let mut looking = connect(&app.database.owner_url).await;
    let held = eventually(async || (held(app, &mut looking).await >= connections).then_some(()));
    assert!(held.await.is_some(), "the pool does not grow");
    sqlx::raw_sql("rollback")
        .execute(&mut owner)
        .await
        .expect("an end");
    waiting.join_all().await;
}

/// How many connections the serving role has.
async fn held(app: &App, db: &mut PgConnection) -> i64 {
    let held = sqlx::query_scalar("select count(*) from pg_stat_activity where usename = $1");
    let held = held.bind(&app.database.serving_role).fetch_one(db).await;
    held.expect("a number")
}

/// Lets the serving role have so many connections; -1 is as many as there are.
async fn allow(server: &Server, app: &App, connections: i64) {
    let role = &app.database.serving_role;
    let statement = format!("alter role \"{role}\" connection limit {connections}");
    let mut admin = connect(server.admin_url()).await;
    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut admin).await;
    done.expect("the administrator may");
}

#[tokio::test]
async fn connections_that_died_while_nobody_used_them_cost_no_request_its_answer() {
    let (server, wire, app) = over_a_wire(|config| {
        config.database.pool.max_connections = 4;
        config.database.pool.acquire_timeout = Duration::from_secs(6);
    })
    .await;
    fill_the_pool(&app, 4).await;
    // All of them are dead, and new ones are not.
    wire.die();
    wire.mend();
    let portal = app.signed_in("acc1@domain1.com");
    let asked_at = Instant::now();
    for _ in 0..8 {
        let answer = portal.get("/v1/connections").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let took = asked_at.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_replica_that_finds_no_connection_left_says_so_and_starts_when_there_is_one() {
    let server = own_server().await;
    let app = App::on(migrated(&server).await, impatient).await;
    allow(&server, &app, 1).await;
    let (started, ()) = tokio::join!(app.start_another(|_| ()), async {
        app.wait_for_log("\"db.sqlstate\":\"53300\"", "max_connections")
            .await;
        allow(&server, &app, -1).await;
    });
    started.expect("it starts").stop().await;
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_request_that_gets_no_connection_because_none_is_left_is_explained_in_the_log() {
    let server = own_server().await;
    let app = App::on(migrated(&server).await, impatient).await;
    allow(&server, &app, 0).await;
    // Those that stand are taken away, and no new one can be had.
    let mut admin = connect(server.admin_url()).await;
    let end = sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where usename = $1");
    end.bind(&app.database.serving_role)
        .execute(&mut admin)
        .await
        .expect("the administrator may");
    let answer = app.signed_in("acc1@domain1.com").get("/v1/connections").await;
    answer.is_problem(503, "databaseUnavailable");
    app.wait_for_log("\"db.sqlstate\":\"53300\"", "max_connections")
        .await;
    allow(&server, &app, -1).await;
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_replica_gives_connections_that_it_does_not_use_back_to_a_server_that_is_short_of_them() {
    let server = own_server().await;
    let app = App::on(migrated(&server).await, |config| {
        config.worker.lease = Duration::from_secs(1);
        config.upstream.connect_timeout = Duration::from_millis(400);
    })
    .await;
    fill_the_pool(&app, 8).await;
    let mut owner = connect(&app.database.owner_url).await;
    let now = held(&app, &mut owner).await;
    allow(&server, &app, now).await;
    // There is none for another replica, until this one's are given back.
    let replica = app.start_another(|_| ()).await.expect("it starts");
    app.wait_for_log("db.given_back", "not in use").await;
    replica.stop().await;
    allow(&server, &app, -1).await;
    app.finish().await;
    server.stop().await.expect("it ends");
}
