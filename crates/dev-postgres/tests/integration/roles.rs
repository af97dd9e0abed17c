//! Databases, their copies and their two roles.

use dev_postgres::Error;
use sqlx::{Connection, PgConnection};

use crate::support::{connect, made, private, text};

async fn run(connection: &mut PgConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(statement).execute(connection).await.map(drop)
}

#[tokio::test]
async fn the_owner_migrates_and_the_serving_role_gets_what_it_is_granted() {
    let server = private().await;
    let database = server.create_database("app").await.unwrap();
    let mut owner = connect(&database.owner_url).await;
    let mut serving = connect(&database.serving_url).await;
    run(&mut owner, "CREATE TABLE notes (word text); CREATE SCHEMA ledger")
        .await
        .unwrap();
    assert!(run(&mut serving, "SELECT FROM notes").await.is_err());
    let grant = format!("GRANT SELECT, INSERT ON notes TO {}", database.serving_role);
    sqlx::raw_sql(sqlx::AssertSqlSafe(grant))
        .execute(&mut owner)
        .await
        .unwrap();
    run(&mut serving, "INSERT INTO notes VALUES ('granted')")
        .await
        .unwrap();
    assert!(run(&mut serving, "DELETE FROM notes").await.is_err());
}

#[tokio::test]
async fn the_serving_role_can_create_nothing() {
    let server = private().await;
    let database = server.create_database("app").await.unwrap();
    let mut serving = connect(&database.serving_url).await;
    for statement in [
        "CREATE TABLE mine ()",
        "CREATE TABLE public.mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "SELECT pg_read_file('pg_hba.conf')",
    ] {
        let refused = run(&mut serving, statement).await.unwrap_err();
        let code = refused
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .unwrap()
            .into_owned();
        assert_eq!(code, "42501", "{statement}");
    }
}

#[tokio::test]
async fn the_roles_of_one_database_do_not_reach_another() {
    let server = private().await;
    let one = server.create_database("one").await.unwrap();
    let two = server.create_database("two").await.unwrap();
    for url in [&one.owner_url, &one.serving_url] {
        let mut elsewhere = url.clone();
        elsewhere.set_path(&two.name);
        assert!(PgConnection::connect(elsewhere.as_str()).await.is_err());
    }
}

#[tokio::test]
async fn a_copy_carries_tables_rows_and_grants_and_is_a_database_of_its_own() {
    let server = private().await;
    let template = server.create_database("template").await.unwrap();
    let mut owner = connect(&template.owner_url).await;
    let table = format!(
        "CREATE TABLE notes AS SELECT 'copied' AS word; GRANT SELECT ON notes TO {}",
        template.serving_role
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(table))
        .execute(&mut owner)
        .await
        .unwrap();
    owner.close().await.unwrap();

    let (one, two) = tokio::join!(server.clone_database(&template), server.clone_database(&template));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.name, two.name);
    assert_eq!(one.serving_role, template.serving_role);
    let mut serving = connect(&one.serving_url).await;
    assert_eq!(text(&mut serving, "SELECT word FROM notes").await, "copied");
    assert!(run(&mut serving, "CREATE TEMPORARY TABLE mine ()").await.is_err());
    let mut owner = connect(&one.owner_url).await;
    run(&mut owner, "DROP TABLE notes").await.unwrap();
    let mut other = connect(&two.owner_url).await;
    assert_eq!(text(&mut other, "SELECT word FROM notes").await, "copied");
}

#[tokio::test]
async fn a_copy_waits_for_others_to_leave_the_template() {
    let server = private().await;
    let template = server.create_database("template").await.unwrap();
    let mut owner = connect(&template.owner_url).await;
    let leaves = async {
        // Not a moment to wait for, but work that keeps the connection for a while.
        run(&mut owner, "SELECT pg_sleep(0.3)").await.unwrap();
        owner.close().await.unwrap();
    };
    let (copy, ()) = tokio::join!(server.clone_database(&template), leaves);
    connect(&copy.unwrap().owner_url).await;
}

#[tokio::test]
async fn dropping_ignores_who_is_connected_and_keeps_roles_that_a_copy_needs() {
    let server = private().await;
    let template = server.create_database("template").await.unwrap();
    let copy = server.clone_database(&template).await.unwrap();
    let mut admin = connect(server.admin_url()).await;
    assert_eq!(made(&mut admin).await, 4);
    let mut guest = connect(&template.serving_url).await;
    server.drop_database(&template).await.unwrap();
    assert!(guest.ping().await.is_err());
    connect(&copy.serving_url).await;
    server.drop_database(&copy).await.unwrap();
    assert_eq!(made(&mut admin).await, 0);
    server.drop_database(&copy).await.unwrap();
}

#[tokio::test]
async fn a_prefix_that_is_no_name_is_refused() {
    let server = private().await;
    let refused = server.create_database("x; DROP DATABASE postgres").await;
    assert!(matches!(refused, Err(Error::Prefix { .. })));
}
