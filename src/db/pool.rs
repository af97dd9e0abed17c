//! The pool, and transactions with a name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres};
use tokio::time::timeout;

use super::probe::Probe;
use super::session::{SessionError, Sessions};
use super::{DbError, address};
use crate::failpoints::{Failed, Moment, failpoint};

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
    let sessions = Arc::new(Sessions::new(address::options(&options.url)?));
    let connect = sessions.options();
    let probe = Arc::new(Probe::new(options.acquire_timeout));
    let distrusted = Arc::clone(&probe);
    Ok(PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(Duration::from_secs(300))
        .after_connect(move |connection, _| {
            let (sessions, probe) = (Arc::clone(&sessions), Arc::clone(&distrusted));
            Box::pin(async move {
                let begun = sessions.begin(connection).await;
                if matches!(begun, Err(SessionError::TransactionPooler)) {
                    // Those of before lead through it, too.
                    probe.distrust();
                }
                begun.map_err(unusable)?;
                if takes_lasting_writes(connection).await? {
                    return Ok(());
                }
                Err(unusable("the server takes no writes"))
            })
        })
        // Asks more than the pool's own test would: a server that has failed over still answers old connections.
        .test_before_acquire(false)
        .before_acquire(move |connection, rest| {
            let probe = Arc::clone(&probe);
            Box::pin(async move { probe.passes(connection, rest, takes_lasting_writes).await })
        })
        .after_release(|connection, _| Box::pin(is_usable(connection)))
        .connect_lazy_with(connect))
}

/// Why a new connection is not used, as the pool logs it.
fn unusable(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::other(why))
}

/// Whether the server takes writes: not a standby, nor one that was made read-only. To read from it would be to read what was. And
/// a commit has to be on its disk before a request leaves for ARM: where the server, the database or the role asks for less, this
/// session asks for that much, and leaves stronger settings as they are.
///
/// And whether the session has what [`Sessions::begin`] gave it, still from the process that was verified: a pooler that is configured to
/// change to transaction mode does so under the connections that there are.
async fn takes_lasting_writes(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let settings = sqlx::query_scalar(
        "select current_setting('transaction_read_only') = 'off'
            and current_setting('statement_timeout') = '5s' and current_setting('idle_in_transaction_session_timeout') = '10s'
            and current_setting('application_name') = coalesce(current_setting('tenant_bridge.session', true), '')
            and case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', false) = 'on'
            else true end",
    );
    settings.fetch_one(connection).await
}

/// How long a connection may take to become idle after its use.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// Whether a connection can be used again. One that was given up in the middle of a statement first has to take that one's
/// answer; on a line that is dead it never comes, and the connection would keep its place in the pool for as long.
async fn is_usable(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let at_rest = timeout(LONGEST_REST, connection.ping()).await;
    at_rest.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
}

/// The longest that work in the background waits for the database: longer than any statement may take there.
const LONGEST_WORK: Duration = Duration::from_secs(8);

/// Runs background work with a deadline: on a dead connection no response ever arrives.
///
/// # Errors
/// Those of the work; [`DbError::Unavailable`] when it takes too long.
pub fn with_timeout<T, E: From<DbError>>(
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    run_with_timeout(LONGEST_WORK, work)
}

/// The same for work within a lease: there is time to retry it over another connection.
///
/// # Errors
/// As [`with_timeout`].
pub(super) fn with_lease_timeout<T, E: From<DbError>>(
    lease: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    let part = (lease / 3).clamp(Duration::from_secs(1), LONGEST_WORK);
    run_with_timeout(part, work)
}

fn run_with_timeout<T, E: From<DbError>>(
    longest: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    // Boxed: what waits would carry all of it.
    let work = timeout(longest, Box::pin(work));
    async move { work.await.unwrap_or_else(|_| Err(DbError::timed_out().into())) }
}

/// The longest time for a commit in the background; a request has a shorter deadline, as a whole.
const LONGEST_COMMIT: Duration = Duration::from_secs(5);

/// The kind of the failure points around a commit.
const COMMIT: &str = "commit";

/// Runs a statement that commits by itself, with a name for its failure points. Its changes stand, even if the caller gets an outage.
pub(super) async fn autocommit<T>(
    name: &'static str,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DbError> {
    failpoint(COMMIT, name, Moment::Before).await.map_err(outage)?;
    let done = statement.await?;
    failpoint(COMMIT, name, Moment::After).await.map_err(outage)?;
    Ok(done)
}

/// The error that a failure point causes.
fn outage(_: Failed) -> DbError {
    DbError::timed_out()
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
        failpoint(COMMIT, self.name, Moment::Before)
            .await
            .map_err(outage)?;
        let result = match timeout(LONGEST_COMMIT, self.inner.commit()).await {
            Ok(Ok(())) => failpoint(COMMIT, self.name, Moment::After)
                .await
                .map_err(|_| DbError::unconfirmed()),
            // An answer of Postgres is a definite no.
            Ok(Err(error)) if error.as_database_error().is_some() => Err(error.into()),
            Ok(Err(_)) | Err(_) => Err(DbError::unconfirmed()),
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
