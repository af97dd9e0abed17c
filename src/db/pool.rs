//! The pool, and transactions with a name.

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::timeout;

use super::DbError;
use crate::failure_points::{Failed, Moment, point};

/// How to reach Postgres.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// `postgres://user:password@host:port/database`.
    pub url: SecretString,
    /// The most connections to hold at once.
    pub max_connections: u32,
    /// The longest wait for one of them.
    pub acquire_timeout: Duration,
}

/// Prepares a pool; connections are made when they are needed, so this succeeds while Postgres is down.
///
/// # Errors
/// When the URL can't be read.
pub fn connect(options: &PoolOptions) -> Result<PgPool, DbError> {
    // The URL may hold the password, and so may the parser's error: neither is passed on.
    let connect: PgConnectOptions = options
        .url
        .expose_secret()
        .parse()
        .map_err(|_| DbError::Defect("database.url is no Postgres URL".to_owned()))?;
    let connect = connect
        .application_name("tenant-bridge")
        // No statement of this service takes long; one that does waits for a lock or a sick server.
        .options([
            ("statement_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "10s"),
        ]);
    Ok(PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(Duration::from_secs(300))
        .connect_lazy_with(connect))
}

/// The longest that a commit is waited for where nobody waits for it; a request is bounded more tightly, and as a whole.
const LONGEST_COMMIT: Duration = Duration::from_secs(5);

/// The kind of the failure points around a commit.
const COMMIT: &str = "commit";

/// Runs a statement that commits by itself, with a name for its failure points. What it changed stands, also if it is an outage
/// for whoever asked.
///
/// # Errors
/// As the statement's.
pub(super) async fn alone<T>(
    name: &'static str,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DbError> {
    point(COMMIT, name, Moment::Before).await.map_err(outage)?;
    let done = statement.await?;
    point(COMMIT, name, Moment::After).await.map_err(outage)?;
    Ok(done)
}

/// What a failure point looks like to whoever asked the database.
fn outage(_: Failed) -> DbError {
    DbError::Unavailable(sqlx::Error::PoolTimedOut)
}

/// A transaction with a name, for the log. Dropped without [`Transaction::commit`], it is rolled back.
#[derive(Debug)]
pub struct Transaction {
    name: &'static str,
    begun_at: Instant,
    inner: sqlx::Transaction<'static, Postgres>,
}

/// Begins a transaction.
///
/// # Errors
/// When no connection can be had in time.
pub async fn begin(pool: &PgPool, name: &'static str) -> Result<Transaction, DbError> {
    let begun_at = Instant::now();
    Ok(Transaction {
        name,
        begun_at,
        inner: pool.begin().await?,
    })
}

impl Transaction {
    /// Commits.
    ///
    /// # Errors
    /// [`DbError::Unconfirmed`] if no answer came: it may have happened.
    pub async fn commit(self) -> Result<(), DbError> {
        point(COMMIT, self.name, Moment::Before).await.map_err(outage)?;
        let result = match timeout(LONGEST_COMMIT, self.inner.commit()).await {
            Ok(Ok(())) => point(COMMIT, self.name, Moment::After)
                .await
                .map_err(|_| DbError::Unconfirmed),
            // An answer of Postgres is a definite no.
            Ok(Err(error)) if error.as_database_error().is_some() => Err(error.into()),
            Ok(Err(_)) | Err(_) => Err(DbError::Unconfirmed),
        };
        tracing::debug!(
            db.transaction = self.name,
            db.committed = result.is_ok(),
            db.duration_ms = u64::try_from(self.begun_at.elapsed().as_millis()).unwrap_or(u64::MAX),
            "transaction ended"
        );
        result
    }
}

impl std::ops::Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl std::ops::DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
