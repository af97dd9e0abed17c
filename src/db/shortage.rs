//! Postgres without connections left for this service (SQLSTATE 53300): reported by name, waited for at the start, and eased by
//! giving back what is not in use.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres};
use tokio::time::timeout;

use super::DbError;
use super::session::{self, SessionError};

/// `too_many_connections` (PostgreSQL, appendix A), also of a role's or a database's own limit.
const NONE_LEFT: &str = "53300";
/// How often it is said again that none is left.
const SAID_AGAIN: Duration = Duration::from_secs(10);
/// The server is short when it has fewer left than this, so that there is one for a replica that starts, and one to look with.
const FEW: i64 = 2;

/// The first connection of a process. While Postgres has none left, it is waited for: the other replicas give theirs back when
/// they don't need them, and to end would only mean to be started again.
///
/// # Errors
/// When Postgres can't be used for another reason, such as sessions that are not what they have to be.
pub async fn first_connection(pool: &PgPool) -> Result<PoolConnection<Postgres>, SessionError> {
    // Without the pool, which would retry without saying why. It finds out by itself what else is wrong.
    match session::check((*pool.connect_options()).clone()).await {
        Ok(()) | Err(SessionError::Database(_)) => {}
        Err(wrong) => return Err(wrong),
    }
    loop {
        match pool.acquire().await {
            Err(sqlx::Error::PoolTimedOut) => match has_none_left(pool).await {
                Some(true) => say_none_left(),
                // There may be one again by now.
                Some(false) => return Ok(pool.acquire().await.map_err(DbError::from)?),
                None => return Err(DbError::from(sqlx::Error::PoolTimedOut).into()),
            },
            other => return Ok(other.map_err(DbError::from)?),
        }
    }
}

/// Finds out why there was no connection, which the pool does not say: it retries until its time is over.
#[derive(Debug, Default)]
pub struct Explainer(Mutex<Option<Instant>>);

impl Explainer {
    /// Says in the log if Postgres has no connection left, or none that can be used as it is; not more often than every few
    /// seconds.
    pub async fn explain(&self, pool: &PgPool) {
        if !self.is_due() {
            return;
        }
        match session::check((*pool.connect_options()).clone()).await {
            Ok(()) => {}
            Err(SessionError::Database(_)) => {
                if has_none_left(pool).await == Some(true) {
                    say_none_left();
                }
            }
            Err(wrong) => tracing::error!(error = %wrong, "no connection to Postgres can be used"),
        }
    }

    fn is_due(&self) -> bool {
        let mut asked_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = asked_at.is_none_or(|at| at.elapsed() >= SAID_AGAIN);
        if due {
            *asked_at = Some(Instant::now());
        }
        due
    }
}

/// Asks for a connection beside the pool. `None` if the answer is another, or none.
async fn has_none_left(pool: &PgPool) -> Option<bool> {
    let options = pool.connect_options();
    let longest = pool.options().get_acquire_timeout();
    match timeout(longest, PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => {
            // It goes in any case.
            let _ = timeout(longest, connection.close()).await;
            Some(false)
        }
        Ok(Err(sqlx::Error::Database(error))) if error.code().as_deref() == Some(NONE_LEFT) => Some(true),
        Ok(Err(_)) | Err(_) => None,
    }
}

fn say_none_left() {
    tracing::error!(
        db.sqlstate = NONE_LEFT,
        "Postgres has no connection left for this service: its max_connections, and the limits of the role and the database, must be at least replicas x (database.max_connections + 1)"
    );
}

/// Closes connections that are not in use at a server that is short of them, all but one: another replica may need one to
/// start. The pool makes new ones when they are needed.
pub(super) async fn give_way(db: &mut PgConnection, pool: &PgPool) -> Result<(), DbError> {
    if !is_short(db).await? {
        return Ok(());
    }
    let mut given_back = 0_u32;
    for _ in 1..pool.num_idle() {
        let Some(connection) = pool.try_acquire() else {
            break;
        };
        // It is gone from here in any case.
        let _ = connection.close().await;
        given_back += 1;
    }
    if given_back > 0 {
        tracing::warn!(
            db.given_back = given_back,
            "Postgres is short of connections; those that were not in use were given back"
        );
    }
    Ok(())
}

/// Whether the server, the database or the role has few connections left. Those that are reserved for administrators don't count.
async fn is_short(db: &mut PgConnection) -> Result<bool, DbError> {
    let left = sqlx::query_scalar(
        "select least(
            current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
                - coalesce(current_setting('reserved_connections', true)::bigint, 0)
                - (select coalesce(sum(numbackends), 0)::bigint from pg_stat_database),
            (select d.datconnlimit - s.numbackends from pg_database d join pg_stat_database s on s.datid = d.oid
                where d.datname = current_database() and d.datconnlimit >= 0),
            (select r.rolconnlimit - (select count(*) from pg_stat_activity a where a.usesysid = r.oid)
                from pg_roles r where r.rolname = current_user and r.rolconnlimit >= 0))",
    );
    let left: i64 = left.fetch_one(db).await?;
    Ok(left < FEW)
}
