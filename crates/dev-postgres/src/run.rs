//! One use of a given server: what it creates there is dropped when it ends, and what a killed
//! one left is dropped by the next, if it wasn't by its reaper.
//!
//! A run holds an advisory lock for as long as it lives. Databases and roles carry the run's
//! number in their names, so the next run drops those whose lock no process holds.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use sqlx::{Connection, PgConnection};
use tokio::sync::oneshot;
use url::Url;

use crate::error::Error;
use crate::reaper::Reaper;
use crate::sql;

/// First half of every run's advisory lock, which tells these locks from others': "devp".
const LOCK_CLASS: i32 = 0x6465_7670;

/// What every database and role made here is called. Nothing that needs quoting matches.
const NAMES: &str = "^devpg_[0-9a-f]{8}_[a-z0-9_]+$";

/// A run on a given server, cleared by a [`Reaper`] if its process ends first. Ends with [`end`](Self::end) or when it is dropped.
#[derive(Debug)]
pub(crate) struct Run {
    name: String,
    /// Its connection lives on a thread with a runtime of its own, since the one that began the
    /// run may be gone long before the run is. `None` once it was ended.
    keeper: Mutex<Option<Keeper>>,
}

#[derive(Debug)]
struct Keeper {
    end: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), Error>>,
    reaper: Option<Reaper>,
}

impl Run {
    /// A run's name that no other has: `devpg_` and eight hexadecimal digits.
    pub(crate) fn random_name() -> String {
        let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
        format!("devpg_{:08x}", random >> 32)
    }

    /// Takes the lock and drops what killed runs left.
    pub(crate) async fn begin(url: Url) -> Result<Self, Error> {
        if !url.has_host() {
            return Err(Error::GivenUrl {
                cause: "it has no host",
            });
        }
        let name = Self::random_name();
        let (end, ended) = oneshot::channel();
        let (ready, begun) = oneshot::channel();
        let (run, reaped) = (name.clone(), url.clone());
        let thread = std::thread::Builder::new()
            .name("dev-postgres".to_owned())
            .spawn(move || keep(&url, &run, ready, ended))
            .map_err(Error::process("starting a thread"))?;
        let mut keeper = Keeper {
            end,
            thread,
            reaper: None,
        };
        if begun.await.is_err() {
            // The thread gave up and says why.
            return Err(keeper.end().err().unwrap_or(Error::Ended));
        }
        let run = name.clone();
        keeper.reaper = tokio::task::spawn_blocking(move || Reaper::start(&reaped, &run))
            .await
            .unwrap_or(Err(Error::Ended))?;
        Ok(Self {
            name,
            keeper: Mutex::new(Some(keeper)),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Drops everything that this run made. Again: nothing happens.
    pub(crate) async fn end(&self) -> Result<(), Error> {
        match self.take() {
            Some(keeper) => tokio::task::spawn_blocking(move || keeper.end())
                .await
                .unwrap_or(Err(Error::Ended)),
            None => Ok(()),
        }
    }

    fn take(&self) -> Option<Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.take().map(Keeper::end) {
            tracing::warn!(error = %error, "databases of a test run may be left on the given server");
        }
    }
}

impl Keeper {
    fn end(self) -> Result<(), Error> {
        drop(self.end);
        let cleared = self.thread.join().unwrap_or(Err(Error::Ended));
        let reaped = self.reaper.map(|reaper| reaper.end(cleared.is_ok()));
        cleared.and(reaped.unwrap_or(Ok(())))
    }
}

fn keep(url: &Url, run: &str, ready: oneshot::Sender<()>, ended: oneshot::Receiver<()>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::process("starting a runtime"))?;
    runtime.block_on(async {
        let mut connection = sql::connect(url).await?;
        lock(&mut connection, run).await?;
        sweep(&mut connection).await?;
        if ready.send(()).is_ok() {
            // Either way the run is over.
            let _ = ended.await;
        }
        drop_run(&mut connection, run).await?;
        connection
            .close()
            .await
            .map_err(Error::sql("closing the connection"))
    })
}

/// The session may be idle for as long as the tests take.
async fn lock(connection: &mut PgConnection, run: &str) -> Result<(), Error> {
    sqlx::raw_sql("SET idle_session_timeout = 0")
        .execute(&mut *connection)
        .await
        .map_err(Error::sql("keeping the session"))?;
    sqlx::query("SELECT pg_advisory_lock($1, $2)")
        .bind(LOCK_CLASS)
        .bind(lock_key(run))
        .execute(connection)
        .await
        .map(drop)
        .map_err(Error::sql("taking the run's lock"))
}

/// Drops what runs left whose lock nobody holds. What can't be dropped, because another role made
/// it or another sweep is at it, stays for the next.
async fn sweep(connection: &mut PgConnection) -> Result<(), Error> {
    // The names first: a run takes its lock before it makes anything.
    let mut runs: BTreeSet<String> = BTreeSet::new();
    for name in names(connection, NAMES).await? {
        runs.extend(name.get(..RUN_NAME).map(ToOwned::to_owned));
    }
    let held = held_locks(connection).await?;
    for run in runs.iter().filter(|run| !held.contains(&lock_key(run))) {
        if let Err(error) = drop_run(connection, run).await {
            tracing::debug!(run, error = %error, "a killed run's databases could not be dropped");
        }
    }
    Ok(())
}

/// Bytes of a run's name.
const RUN_NAME: usize = "devpg_00000000".len();

/// Locks of this kind that are held, whichever database their holders are connected to: advisory
/// locks of the same number in two databases are two locks, so trying to take them says too little.
async fn held_locks(connection: &mut PgConnection) -> Result<BTreeSet<i32>, Error> {
    let keys: Vec<i32> = sqlx::query_scalar(
        "SELECT objid::bigint::bit(32)::int FROM pg_locks
         WHERE locktype = 'advisory' AND objsubid = 2 AND classid::bigint = $1 AND granted",
    )
    .bind(i64::from(LOCK_CLASS))
    .fetch_all(connection)
    .await
    .map_err(Error::sql("looking for running runs"))?;
    Ok(keys.into_iter().collect())
}

async fn drop_run(connection: &mut PgConnection, run: &str) -> Result<(), Error> {
    let pattern = format!("^{run}_[a-z0-9_]+$");
    for name in databases(connection, &pattern).await? {
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        sql::run(connection, "dropping a database", statement).await?;
    }
    for name in roles(connection, &pattern).await? {
        let statement = format!("DROP ROLE IF EXISTS {name}");
        sql::run(connection, "dropping a role", statement).await?;
    }
    Ok(())
}

async fn names(connection: &mut PgConnection, pattern: &str) -> Result<Vec<String>, Error> {
    let mut names = databases(connection, pattern).await?;
    names.extend(roles(connection, pattern).await?);
    Ok(names)
}

async fn databases(connection: &mut PgConnection, pattern: &str) -> Result<Vec<String>, Error> {
    sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname ~ $1")
        .bind(pattern)
        .fetch_all(connection)
        .await
        .map_err(Error::sql("listing databases"))
}

async fn roles(connection: &mut PgConnection, pattern: &str) -> Result<Vec<String>, Error> {
    sqlx::query_scalar("SELECT rolname::text FROM pg_roles WHERE rolname ~ $1")
        .bind(pattern)
        .fetch_all(connection)
        .await
        .map_err(Error::sql("listing roles"))
}

/// The run's number, which is the second half of its lock.
fn lock_key(run: &str) -> i32 {
    let digits = run.get("devpg_".len()..RUN_NAME).unwrap_or_default();
    u32::from_str_radix(digits, 16).unwrap_or_default().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_of_a_run_is_its_number() {
        assert_eq!(lock_key("devpg_0000002a"), 42);
        assert_eq!(lock_key("devpg_ffffffff_api_1"), -1);
        assert_eq!(Run::random_name().len(), RUN_NAME);
    }
}
