//! The pool, and transactions with a name.

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};

use super::DbError;

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

/// The connection inside a transaction.
pub type Transaction = PgConnection;

/// How often a transaction that met a concurrent one is tried before that is an outage.
const TRIES: u32 = 4;

/// Runs `work` in a transaction and commits; tried again when Postgres asks for it.
///
/// # Errors
/// What `work` returns, after a rollback; [`DbError::Unavailable`] if the commit can't be confirmed.
pub async fn transaction<T, E, F>(pool: &PgPool, name: &'static str, mut work: F) -> Result<T, E>
where
    E: From<DbError> + AsRetry,
    F: AsyncFnMut(&mut Transaction) -> Result<T, E>,
{
    let started = Instant::now();
    let mut tries = 1;
    loop {
        let mut open = pool.begin().await.map_err(|error| E::from(error.into()))?;
        let result = match work(&mut open).await {
            Ok(value) => open
                .commit()
                .await
                .map(|()| value)
                .map_err(|error| E::from(error.into())),
            Err(error) => Err(error),
        };
        match result {
            Err(error) if error.may_retry() && tries < TRIES => tries += 1,
            result => {
                tracing::debug!(
                    db.transaction = name,
                    db.tries = tries,
                    db.committed = result.is_ok(),
                    db.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                    "transaction ended"
                );
                return result;
            }
        }
    }
}

/// Errors that can say whether the transaction may simply be run again.
pub trait AsRetry {
    /// Whether it lost against a concurrent one and nothing was committed.
    fn may_retry(&self) -> bool;
}

impl AsRetry for DbError {
    fn may_retry(&self) -> bool {
        matches!(self, Self::Retry(_))
    }
}
