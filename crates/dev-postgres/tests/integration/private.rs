//! A private server on its own.

use dev_postgres::{Options, Server, Source};
use sqlx::{Connection, PgConnection};

use crate::support::{answers, connect, folder, private, text, until};

#[tokio::test]
async fn a_server_starts_answers_and_ends_with_its_folder() {
    let server = private().await;
    let url = server.admin_url().clone();
    let mut connection = connect(&url).await;
    assert_eq!(text(&mut connection, "SELECT 'here'").await, "here");
    assert_eq!(text(&mut connection, "SHOW server_encoding").await, "UTF8");
    assert_eq!(text(&mut connection, "SHOW unix_socket_directories").await, "");
    let folder = folder(&url).await;
    assert!(folder.exists());
    server.stop().await.unwrap();
    assert!(!folder.exists());
    assert!(!answers(&url));
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_server() {
    let server = private().await;
    let other = server.clone();
    let folder = folder(server.admin_url()).await;
    drop(server);
    assert!(answers(other.admin_url()));
    drop(other);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_stopped_server_can_be_stopped_again_and_does_nothing_else() {
    let server = private().await;
    let other = server.clone();
    server.stop().await.unwrap();
    assert!(matches!(other.resume().await, Err(dev_postgres::Error::Ended)));
    assert!(other.create_database("late").await.is_err());
    other.stop().await.unwrap();
}

#[tokio::test]
async fn two_servers_run_side_by_side() {
    let (one, two) = tokio::join!(private(), private());
    assert_ne!(one.admin_url().port(), two.admin_url().port());
    let database = one.create_database("one").await.unwrap();
    connect(&database.owner_url).await;
    let mut there = database.owner_url.clone();
    there.set_port(two.admin_url().port()).unwrap();
    assert!(PgConnection::connect(there.as_str()).await.is_err());
}

#[tokio::test]
async fn only_the_right_password_gets_in() {
    let server = private().await;
    let mut wrong = server.admin_url().clone();
    for password in [None, Some("postgres")] {
        wrong.set_password(password).unwrap();
        let refused = PgConnection::connect(wrong.as_str()).await.unwrap_err();
        assert!(refused.as_database_error().is_some(), "{refused}");
    }
    let mut connection = connect(server.admin_url()).await;
    let methods = "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules";
    assert_eq!(text(&mut connection, methods).await, "scram-sha-256");
}

#[tokio::test]
async fn neither_output_nor_errors_show_a_password() {
    let server = private().await;
    let password = server.admin_url().password().unwrap().to_owned();
    let options = Options {
        source: Source::Given(server.admin_url().clone()),
        ..Options::default()
    };
    assert!(!format!("{server:?} {options:?}").contains(&password));
    server.clone().stop().await.unwrap();
    let refused = Server::start(options).await.unwrap_err();
    assert!(!format!("{refused:?} {refused}").contains(&password));
}

#[tokio::test]
async fn durability_is_what_was_asked_for() {
    for durable in [false, true] {
        let source = Source::Private;
        let server = Server::start(Options { durable, source }).await.unwrap();
        let mut connection = connect(server.admin_url()).await;
        let wanted = if durable { "on" } else { "off" };
        for setting in ["SHOW fsync", "SHOW synchronous_commit", "SHOW full_page_writes"] {
            assert_eq!(text(&mut connection, setting).await, wanted, "{setting}");
        }
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart_on_the_same_url() {
    let server = private().await;
    let before = server.process_id().unwrap();
    let mut connection = connect(server.admin_url()).await;
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 'kept' AS word")
        .execute(&mut connection)
        .await
        .unwrap();
    server.suspend().await.unwrap();
    assert!(connection.ping().await.is_err());
    assert!(!answers(server.admin_url()));
    assert_eq!(server.process_id(), None);
    server.resume().await.unwrap();
    assert_ne!(server.process_id().unwrap(), before);
    let mut connection = connect(server.admin_url()).await;
    assert_eq!(text(&mut connection, "SELECT word FROM kept").await, "kept");
}

#[tokio::test]
async fn a_server_that_was_killed_comes_back_and_still_ends_with_its_folder() {
    let server = private().await;
    let folder = folder(server.admin_url()).await;
    let process = server.process_id().unwrap().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-KILL", &process])
        .status();
    assert!(killed.unwrap().success());
    until("the server is dead", || !answers(server.admin_url()));
    server.resume().await.unwrap();
    assert!(answers(server.admin_url()));
    server.stop().await.unwrap();
    assert!(!folder.exists());
}

#[test]
fn tests_with_runtimes_of_their_own_share_a_server() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let server = runtime().block_on(private());
    let database = runtime().block_on(server.create_database("shared")).unwrap();
    let copies: Vec<_> = std::thread::scope(|scope| {
        let copy = || runtime().block_on(server.clone_database(&database)).unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(copy)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for copy in &copies {
        runtime().block_on(server.drop_database(copy)).unwrap();
    }
    runtime().block_on(server.stop()).unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_server_never_runs_as_root() {
    use std::os::unix::fs::MetadataExt;
    let server = private().await;
    let process = server.process_id().unwrap();
    let owner = std::fs::metadata(format!("/proc/{process}")).unwrap().uid();
    assert_ne!(owner, 0);
    let me = std::fs::metadata("/proc/self").unwrap().uid();
    assert!(me == 0 || me == owner);
}

#[tokio::test]
async fn what_is_put_into_the_servers_folder_goes_with_it() {
    let server = private().await;
    let file = server.folder().unwrap().join("beside");
    std::fs::write(&file, "something").unwrap();
    server.stop().await.unwrap();
    assert!(!file.exists());
}
