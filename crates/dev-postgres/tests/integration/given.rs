//! A server that is given by its URL. Here it is a private one; to the code it is somebody's.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dev_postgres::{Error, Options, Server, Source};
use sqlx::{Connection, Executor, PgConnection};
use url::Url;

use crate::support::{binary, connect, made, private};

async fn given(url: &Url) -> Server {
    let options = Options {
        source: Source::Given(url.clone()),
        ..Options::default()
    };
    Server::start(options).await.unwrap()
}

/// A role that may create databases and roles but is no superuser.
async fn creator(server: &Server) -> Url {
    let mut admin = connect(server.admin_url()).await;
    admin
        .execute("CREATE ROLE creator LOGIN CREATEDB CREATEROLE PASSWORD 'creator'")
        .await
        .unwrap();
    let mut url = server.admin_url().clone();
    url.set_username("creator").unwrap();
    url.set_password(Some("creator")).unwrap();
    url
}

#[tokio::test]
async fn what_was_created_on_a_given_server_is_gone_at_the_end_and_the_server_stays() {
    let host = private().await;
    let mut admin = connect(host.admin_url()).await;
    let server = given(host.admin_url()).await;
    let database = server.create_database("given").await.unwrap();
    let copy = server.clone_database(&database).await.unwrap();
    let guest = connect(&copy.serving_url).await;
    assert_eq!(made(&mut admin).await, 4);
    server.stop().await.unwrap();
    assert_eq!(made(&mut admin).await, 0);
    drop(guest);
}

#[tokio::test]
async fn dropping_the_last_handle_clears_a_given_server_too() {
    let host = private().await;
    let mut admin = connect(host.admin_url()).await;
    let server = given(host.admin_url()).await;
    server.create_database("given").await.unwrap();
    drop(server);
    assert_eq!(made(&mut admin).await, 0);
}

#[tokio::test]
async fn a_role_that_may_create_databases_and_roles_is_enough() {
    let host = private().await;
    let server = given(&creator(&host).await).await;
    let database = server.create_database("given").await.unwrap();
    let mut owner = connect(&database.owner_url).await;
    owner.execute("CREATE TABLE notes ()").await.unwrap();
    owner.close().await.unwrap();
    let mut serving = connect(&database.serving_url).await;
    assert!(serving.execute("CREATE TABLE mine ()").await.is_err());
    assert!(serving.execute("CREATE TEMPORARY TABLE mine ()").await.is_err());
    serving.close().await.unwrap();
    let copy = server.clone_database(&database).await.unwrap();
    connect(&copy.owner_url).await;
    server.drop_database(&database).await.unwrap();
    server.stop().await.unwrap();
    assert_eq!(made(&mut connect(host.admin_url()).await).await, 0);
}

#[tokio::test]
async fn what_a_killed_run_left_is_swept_by_the_next_and_running_ones_are_spared() {
    let host = private().await;
    let mut admin = connect(host.admin_url()).await;
    let running = given(host.admin_url()).await;
    let kept = running.create_database("kept").await.unwrap();
    // Without psql nobody clears up after it.
    let no_psql = tempfile::tempdir().unwrap();
    let mut command = binary();
    command.env("DEV_POSTGRES_BIN_DIR", no_psql.path());
    killed_run(&mut command, host.admin_url());
    until_lock_is_free(&mut admin).await;
    // In another database, advisory locks are others; the sweep has to see them all the same.
    let mut elsewhere = host.admin_url().clone();
    elsewhere.set_path("template1");
    let next = given(&elsewhere).await;
    assert_eq!(made(&mut admin).await, 3);
    connect(&kept.owner_url).await;
    drop((running, next));
}

/// Runs the binary on the given server until it has a database there, and kills it.
fn killed_run(command: &mut Command, url: &Url) {
    let mut child = command
        .env("TENANT_BRIDGE_TEST_DATABASE_URL", url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    assert!(line.starts_with("DATABASE_URL="), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_killed_run_leaves_nothing_on_a_given_server_where_there_is_psql() {
    let host = private().await;
    let mut admin = connect(host.admin_url()).await;
    killed_run(&mut binary(), host.admin_url());
    let deadline = Instant::now() + Duration::from_secs(20);
    while made(&mut admin).await > 0 {
        assert!(Instant::now() < deadline);
    }
}

async fn until_lock_is_free(admin: &mut PgConnection) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let held: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            .fetch_one(&mut *admin)
            .await
            .unwrap();
        if held == 1 {
            return;
        }
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn a_given_server_is_not_stopped_or_restarted_from_here() {
    let host = private().await;
    let server = given(host.admin_url()).await;
    assert!(matches!(server.restart().await, Err(Error::NotPrivate)));
    assert_eq!(server.process_id(), None);
}

#[tokio::test]
async fn a_url_without_a_server_behind_it_is_refused() {
    for (text, what) in [
        ("postgres:///postgres", "no host"),
        ("postgres://nobody@127.0.0.1:1/postgres", "no server"),
    ] {
        let source = Source::Given(Url::parse(text).unwrap());
        let started = Server::start(Options {
            durable: false,
            source,
        })
        .await;
        assert!(started.is_err(), "{what}");
    }
}
