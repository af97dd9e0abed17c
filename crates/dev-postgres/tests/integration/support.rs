//! What several tests need: private servers whatever the environment says, and polling.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dev_postgres::{Options, Server, Source};
use sqlx::{Connection, PgConnection};
use url::Url;

/// Starts a server of the test's own.
pub(crate) async fn private() -> Server {
    let options = Options {
        source: Source::Private,
        ..Options::default()
    };
    Server::start(options).await.unwrap()
}

/// Connects, or panics.
pub(crate) async fn connect(url: &Url) -> PgConnection {
    PgConnection::connect(url.as_str()).await.unwrap()
}

/// The one value that a query gives as text.
pub(crate) async fn text(connection: &mut PgConnection, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

/// How many databases and roles on the server were made by this crate.
pub(crate) async fn made(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM pg_database WHERE datname ~ '^devpg_')
              + (SELECT count(*) FROM pg_roles WHERE rolname ~ '^devpg_')",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

/// The server's own folder.
pub(crate) async fn folder(admin: &Url) -> PathBuf {
    let mut connection = connect(admin).await;
    let data = PathBuf::from(text(&mut connection, "SHOW data_directory").await);
    data.parent().unwrap().to_path_buf()
}

/// Whether somebody accepts connections there.
pub(crate) fn answers(url: &Url) -> bool {
    std::net::TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).is_ok()
}

/// Polls until the condition holds; fails the test if it doesn't within 20 seconds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The built `dev-postgres`, which is to start a private server. Built tests that were carried
/// elsewhere are told by the environment where it is now.
pub(crate) fn binary() -> Command {
    let here = std::env::var_os("CARGO_BIN_EXE_dev-postgres");
    let program = here.unwrap_or_else(|| env!("CARGO_BIN_EXE_dev-postgres").into());
    let mut command = Command::new(program);
    command
        .env_remove("TENANT_BRIDGE_TEST_DATABASE_URL")
        .stdin(Stdio::null());
    command
}
