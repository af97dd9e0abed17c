//! One Postgres for the whole run; for each test a copy of one migrated database.

use std::time::Duration;

use dev_postgres::{Database, Options, Server, Source};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tenant_bridge::db::{self, PoolOptions, schema};
use tokio::sync::OnceCell;
use url::Url;

static TEMPLATE: OnceCell<(Server, Database)> = OnceCell::const_new();

async fn template() -> &'static (Server, Database) {
    TEMPLATE
        .get_or_init(|| async {
            let server = Server::start(Options::default()).await.expect("a Postgres");
            let database = migrated(&server).await;
            (server, database)
        })
        .await
}

/// A server of the test's own, which may be suspended.
pub(crate) async fn own_server() -> Server {
    Server::start(Options {
        source: Source::Private,
        ..Options::default()
    })
    .await
    .expect("a Postgres")
}

/// A new database on this server, with the schema.
pub(crate) async fn migrated(server: &Server) -> Database {
    let database = server.create_database("tb_test").await.expect("a database");
    migrate(&database).await;
    database
}

/// Brings a database's schema up to date, as `tenant-bridge migrate` does.
pub(crate) async fn migrate(database: &Database) {
    let owner = db::connect(&PoolOptions {
        url: database.owner_url.as_str().into(),
        max_connections: 1,
        acquire_timeout: Duration::from_secs(10),
    })
    .expect("a pool");
    schema::migrate(&owner, &database.serving_role)
        .await
        .expect("the schema");
    owner.close().await;
}

/// A database of one's own, migrated.
pub(super) async fn fresh() -> Database {
    let (server, template) = template().await;
    server
        .clone_database(template)
        .await
        .expect("a copy of the template")
}

pub(super) async fn drop(database: &Database) {
    let (server, _) = template().await;
    server.drop_database(database).await.expect("the database goes");
}

async fn owner(database: &Database) -> PgConnection {
    connect(&database.owner_url).await
}

/// A connection of one's own.
pub(crate) async fn connect(url: &Url) -> PgConnection {
    PgConnection::connect(url.as_str())
        .await
        .expect("the database lets one in")
}

/// The administrator's URL of a database on the tests' server.
pub(crate) async fn admin_url(database: &Database) -> Url {
    let (server, _) = template().await;
    let mut url = server.admin_url().clone();
    url.set_path(&database.name);
    url
}

pub(super) async fn run(database: &Database, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(&mut owner(database).await)
        .await
        .expect("the owner may");
}

pub(super) async fn scalar<T>(database: &Database, query: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    sqlx::query_scalar(query)
        .fetch_one(&mut owner(database).await)
        .await
        .expect("a value")
}

/// Looks for the tokens in every row of every table.
pub(super) async fn assert_free_of(database: &Database, tokens: &[String]) {
    let mut owner = owner(database).await;
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
            .fetch_all(&mut owner)
            .await
            .expect("the tables");
    for table in tables {
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("select t::text from \"{table}\" t")))
                .fetch_all(&mut owner)
                .await
                .expect("the rows");
        for row in rows {
            assert!(
                !tokens.iter().any(|token| holds(&row, token)),
                "a token stands in table {table}"
            );
        }
    }
}

/// Whether a text holds a token, or the part of it without which it is worth nothing to anybody: its signature.
pub(crate) fn holds(text: &str, token: &str) -> bool {
    let signature = token.rsplit('.').next().unwrap_or(token);
    text.contains(if signature.len() > 20 { signature } else { token })
}
