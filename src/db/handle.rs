//! The database as services use it: work in the time that a request may take, and one log line per outage.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{PgConnection, PgPool};
use tokio_util::task::TaskTracker;

use super::pool::with_lease_timeout;
use super::shortage::give_way;
use super::{
    DbError, Explainer, RequestTime, Transaction, begin, cluster_locks, in_request_time, with_timeout,
};
use crate::domain::Error;
use crate::telemetry::Outage;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Shared>);

struct Shared {
    pool: PgPool,
    outage: Outage,
    /// Finds out why the database can't be used.
    explainer: Explainer,
    tasks: TaskTracker,
}

impl Db {
    /// The database behind a pool of the serving role's connections.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self(Arc::new(Shared {
            pool,
            outage: Outage::default(),
            explainer: Explainer::default(),
            tasks: TaskTracker::new(),
        }))
    }

    /// How many connections the pool holds: those in use, and those that are idle.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let idle = u32::try_from(self.0.pool.num_idle()).unwrap_or(u32::MAX);
        (self.0.pool.size().saturating_sub(idle), idle)
    }

    /// Listens to the other replicas, over a connection beside the pool.
    pub(crate) async fn listener(&self) -> Result<PgListener, DbError> {
        with_timeout(cluster_locks::listener(&self.0.pool)).await
    }

    /// Closes idle connections if the server is short of them, for other replicas. `db` is a connection to ask with.
    pub(crate) async fn give_way(&self, db: &mut PgConnection) -> Result<(), DbError> {
        give_way(db, &self.0.pool).await
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self, name: &'static str) -> Result<Transaction, DbError> {
        begin(&self.0.pool, name).await
    }

    /// Reads for a request, in the time that it may wait for the database.
    ///
    /// # Errors
    /// Those of `work`; an outage where the database does not answer in time.
    pub(crate) fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Error>,
    ) -> impl Future<Output = Result<T, Error>> {
        self.lookup(async move {
            let mut connection = self.0.pool.acquire().await.map_err(DbError::from)?;
            work(&mut connection).await
        })
    }

    /// Does work that no request waits for, over one connection, in bounded time: on a dead connection no answer ever comes.
    ///
    /// # Errors
    /// Those of `work`; [`DbError::Unavailable`] where the database does not answer in time.
    pub(crate) fn background<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, DbError>,
    ) -> impl Future<Output = Result<T, DbError>> {
        with_timeout(self.over_a_connection(work))
    }

    /// The same for work that must be done while a lease lasts: it ends early enough to be tried again over another connection.
    ///
    /// # Errors
    /// As [`Db::background`].
    pub(crate) fn within_lease<T>(
        &self,
        lease: Duration,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, DbError>,
    ) -> impl Future<Output = Result<T, DbError>> {
        with_lease_timeout(lease, self.over_a_connection(work))
    }

    async fn over_a_connection<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let mut connection = self.0.pool.acquire().await?;
        work(&mut connection).await
    }

    /// Does work for a request whose repetition changes nothing more, in the time that it may wait for the database.
    ///
    /// # Errors
    /// Those of `work`; an outage where the database does not answer in time.
    pub(crate) fn lookup<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        self.with_deadline(DbError::timed_out, work)
    }

    /// Does work that changes something for a request, in the time that it may wait for the database.
    ///
    /// # Errors
    /// Those of `work`; [`DbError::Unconfirmed`] where the database does not answer in time.
    pub(crate) fn change<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        self.with_deadline(DbError::unconfirmed, work)
    }

    fn with_deadline<T>(
        &self,
        late: fn() -> DbError,
        work: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        // Boxed: the waiting future would otherwise hold all of it inline.
        let work = in_request_time(self.request_time(), Box::pin(work));
        async move {
            let done = work.await.unwrap_or_else(|| Err(late().into()));
            if let Err(Error::Database(error)) = &done
                && error.is_outage()
            {
                self.failed(error, "a request can't be answered");
                self.explain_outage();
            }
            done
        }
    }

    /// How long a request may wait for the database altogether: 1.9 seconds with the default settings, because what can't be
    /// recorded is refused within two.
    fn request_time(&self) -> Duration {
        self.0.pool.options().get_acquire_timeout() + Duration::from_millis(400)
    }

    /// Answers a request, which may wait for the database for so long altogether, however often it does.
    pub fn for_a_request<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        RequestTime::new(self.request_time()).scope(work)
    }

    /// The time left of the request that is being answered; a whole one where there is none.
    pub(crate) fn time_of_request(&self) -> Arc<RequestTime> {
        RequestTime::current().unwrap_or_else(|| RequestTime::new(self.request_time()))
    }

    /// Whether requests can be recorded: the database answers, and takes writes.
    ///
    /// # Errors
    /// When it doesn't.
    pub async fn ready(&self) -> Result<(), DbError> {
        // The pool itself asks whether a connection can be written with.
        self.0.pool.acquire().await?;
        Ok(())
    }

    /// Logs an outage once, however many requests meet it; no other failure is logged here.
    pub fn failed(&self, error: &DbError, what: &'static str) {
        if !error.is_outage() {
            return;
        }
        let name = self.0.pool.connect_options();
        let name = name.get_database().unwrap_or_default();
        if self.0.outage.begins() {
            tracing::error!(
                db.name = name,
                error = %error,
                "the database can't be used; requests are answered with 503 until it can"
            );
        } else {
            tracing::debug!(db.name = name, error = %error, "{what}: the database still can't be used");
        }
    }

    /// Logs the end of an outage. Called every few seconds, whenever the database was used.
    pub(crate) fn record_success(&self) {
        if let Some((lasted, failures)) = self.0.outage.ends() {
            let name = self.0.pool.connect_options();
            tracing::warn!(
                db.name = name.get_database().unwrap_or_default(),
                outage.duration_ms = u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
                outage.failures = failures,
                "the database can be used again"
            );
        }
    }

    /// Logs why the database can't be used, where that can be found out. In the background.
    pub(crate) fn explain_outage(&self) {
        let db = self.clone();
        self.0
            .tasks
            .spawn(async move { db.0.explainer.explain(&db.0.pool).await });
    }

    /// Ends when nothing runs in the background any more, and closes the pool.
    pub(crate) async fn close(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.pool.close().await;
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Db")
    }
}
