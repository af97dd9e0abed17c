//! A pooler in front of Postgres: in session mode it changes nothing; in transaction mode it is refused, at the start and on each new
//! connection, and nothing is read or written through it.

use std::time::Duration;

use dev_postgres::{Database, Server};
use sqlx::PgPool;
use tenant_bridge::app::StartError;
use tenant_bridge::db::{self, PoolOptions};
use url::Url;

use super::database::is_taken_again;
use crate::support::{App, Pooler, eventually, impatient, migrated, own_server, program, request};

/// What has to be set so that the start of a connection is taken; the first is what other services need.
const TOLERANT: &str = "ignore_startup_parameters = extra_float_digits,options";

fn in_mode(mode: &str) -> String {
    format!("pool_mode = {mode}\n{TOLERANT}\n")
}

async fn behind(settings: &str) -> Option<(Server, Database, Pooler)> {
    let server = own_server().await;
    let database = migrated(&server).await;
    let pooler = Pooler::start(&server, &database, settings).await?;
    Some((server, database, pooler))
}

fn pool_of(url: &Url, max_connections: u32, acquire_timeout: Duration) -> PgPool {
    db::connect(&PoolOptions {
        url: url.as_str().into(),
        max_connections,
        acquire_timeout,
    })
    .expect("a pool")
}

async fn setting(pool: &PgPool, name: &str) -> String {
    let setting = sqlx::query_scalar("select current_setting($1)").bind(name.to_owned());
    setting.fetch_one(pool).await.expect("a setting")
}

/// Why a service does not start behind the pooler.
async fn refusal(app: &App, url: &Url) -> String {
    let started = app.start_another(|config| config.database.pool.url = url.as_str().into());
    let refused = started.await.expect_err("it must not start");
    assert!(matches!(refused, StartError::Session(_)), "{refused}");
    refused.to_string()
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_refused_at_the_start_however_it_hands_out_its_connections() {
    let mode = in_mode("transaction");
    let Some((server, database, mut pooler)) = behind(&mode).await else {
        return;
    };
    let app = App::on(database.clone(), |_| {}).await;
    let url = pooler.over(&database.serving_url);
    for hands_out in [
        "",
        "server_round_robin = 1",
        "default_pool_size = 1",
        "min_pool_size = 5",
        "min_pool_size = 5\nserver_round_robin = 1",
    ] {
        pooler.restart(&database, &format!("{mode}{hands_out}")).await;
        // A pooler that was just started, and one that has connections from before.
        for _ in 0..2 {
            let said = refusal(&app, &url).await;
            assert!(said.contains("pool_mode = session"), "{hands_out}: {said}");
            assert!(said.contains("transaction mode"), "{hands_out}: {said}");
        }
    }
    // Nor is anything migrated through it.
    let migrate = program()
        .args(["migrate", "--log-format", "text"])
        .env(
            "TENANT_BRIDGE__DATABASE__OWNER_URL",
            pooler.over(&database.owner_url).as_str(),
        )
        .env("TENANT_BRIDGE__DATABASE__SERVING_ROLE", &database.serving_role)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&migrate.stderr).into_owned();
    assert!(!migrate.status.success(), "{said}");
    assert!(said.contains("pool_mode = session"), "{said}");
    drop(pooler);
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_pooler_in_statement_mode_or_that_refuses_the_start_of_a_connection_is_told_by_what_to_set() {
    let Some((server, database, mut pooler)) = behind(&in_mode("statement")).await else {
        return;
    };
    let app = App::on(database.clone(), |_| {}).await;
    let url = pooler.over(&database.serving_url);
    for _ in 0..2 {
        let said = refusal(&app, &url).await;
        assert!(said.contains("pool_mode = session"), "{said}");
    }
    pooler.restart(&database, "pool_mode = session").await;
    let said = refusal(&app, &url).await;
    assert!(said.contains("ignore_startup_parameters = options"), "{said}");
    assert!(!said.contains("transaction mode"), "{said}");
    drop(pooler);
    app.finish().await;
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn behind_a_pooler_in_session_mode_all_is_as_without_it_also_the_timeouts() {
    let Some((server, database, pooler)) = behind(&in_mode("session")).await else {
        return;
    };
    let url = pooler.over(&database.serving_url);
    let app = App::on(database.clone(), |config| {
        config.database.pool.url = url.as_str().into();
    })
    .await;
    app.operations_take(Duration::from_millis(60));
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let shown = (created.status, created.text("/state"));
    assert_eq!(shown, (201, "active"), "{}", created.body);
    let removed = portal.remove(created.text("/id")).await;
    assert_eq!(removed.text("/state"), "removed", "{}", removed.body);
    app.all_have_ended().await;

    // One connection, so that each look is at the one that was changed, unless that was given up.
    let pool = pool_of(&url, 1, Duration::from_secs(30));
    let set = [
        ("statement_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ];
    for (name, value) in set {
        assert_eq!(setting(&pool, name).await, value, "{name}");
        // They are verified each time that a connection is used.
        let lost = sqlx::query("select set_config($1, '0', false)").bind(name);
        lost.execute(&pool).await.expect("it is set");
        assert_eq!(setting(&pool, name).await, value, "{name}, lost");
    }
    let slow = sqlx::query("select pg_sleep(20)").execute(&pool).await;
    let slow = slow.expect_err("it takes too long");
    let code = slow
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("57014"), "{slow}");
    pool.close().await;
    app.finish().await;
    drop(pooler);
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_pooler_that_comes_back_in_transaction_mode_is_an_outage_and_the_log_says_which() {
    let Some((server, database, mut pooler)) = behind(&in_mode("session")).await else {
        return;
    };
    let url = pooler.over(&database.serving_url);
    let app = App::on(database.clone(), |config| {
        impatient(config);
        config.database.pool.url = url.as_str().into();
    })
    .await;
    app.operations_take(Duration::from_millis(60));
    let portal = app.how_to_portal();
    let created = portal.create_at_last(&request("telemetry"), &[202, 503]).await;
    let connection = format!("/v1/connections/{}", created.text("/id"));
    app.all_have_ended().await;
    pooler.restart(&database, &in_mode("transaction")).await;
    // Once for a connection of before, and once for none.
    for path in ["/readyz", &connection, "/v1/connections", "/readyz"] {
        portal.get(path).await.is_problem(503, "databaseUnavailable");
    }
    let refused = portal.create(&request("another")).await;
    refused.is_problem(503, "databaseUnavailable");
    let said = "no connection to Postgres can be used";
    app.wait_for_log(said, "pool_mode = session").await;
    assert_eq!(app.writes().len(), 1, "the first create's");
    pooler.restart(&database, &in_mode("session")).await;
    is_taken_again(&portal, "again").await;
    app.all_have_ended().await;
    app.finish().await;
    drop(pooler);
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_pooler_that_changes_to_transaction_mode_under_its_connections_is_noticed_by_their_use() {
    let Some((server, database, pooler)) = behind(&in_mode("session")).await else {
        return;
    };
    let pool = pool_of(
        &pooler.over(&database.serving_url),
        3,
        Duration::from_millis(1500),
    );
    // Whether as many transactions as the pool has connections could be begun at once.
    let all_at_once = async || {
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(pool.begin().await.ok()?);
        }
        for transaction in held {
            let _ = transaction.commit().await;
        }
        Some(())
    };
    assert!(eventually(all_at_once).await.is_some(), "in session mode");
    pooler.reload(&database, &in_mode("transaction"));
    let noticed = eventually(async || all_at_once().await.is_none().then_some(())).await;
    assert!(noticed.is_some(), "it is used in transaction mode");
    // A connection that was given up is not replaced.
    assert!(all_at_once().await.is_none(), "it is used again");
    pooler.reload(&database, &in_mode("session"));
    assert!(eventually(all_at_once).await.is_some(), "in session mode again");
    pool.close().await;
    drop(pooler);
    server.stop().await.expect("it ends");
}
