//! This replica among others: that it lives, what it works on, and how it stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;
use uuid::Uuid;

use super::Settings;
use crate::db::{Db, DbError, replicas};
use crate::domain::{Code, Error, Refusal};

/// This replica. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Replica {
    /// As other replicas know it.
    pub(super) id: Uuid,
    db: Db,
    settings: Arc<Settings>,
    /// What runs to its end although no request waits for it.
    pub(super) tasks: TaskTracker,
    /// Places for operations that no request of this replica started.
    pub(super) places: Arc<Semaphore>,
    pub(super) stop: CancellationToken,
}

impl Replica {
    /// A replica with an id of its own.
    pub(crate) fn new(db: Db, settings: Arc<Settings>) -> Self {
        let places = usize::try_from(settings.concurrency).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            id: Uuid::new_v4(),
            db,
            settings,
            tasks: TaskTracker::new(),
            places: Arc::new(Semaphore::new(places)),
            stop: CancellationToken::new(),
        }
    }

    /// Records that this replica is alive, so that others do not claim the operations that it has tokens for. Returns the delay until
    /// the next heartbeat.
    pub(crate) async fn heartbeat(&self) -> Result<Duration, DbError> {
        let lease = self.settings.lease;
        let done = self.db.within_lease(lease, async |db| {
            replicas::heartbeat(db, self.id, lease).await?;
            self.db.give_way(db).await
        });
        done.await.inspect_err(|_| self.db.explain_outage())?;
        self.db.record_success();
        Ok(lease / 3)
    }

    /// Records that this replica has stopped. If that fails, others only wait for its leases to expire.
    pub(crate) async fn deregister(&self) {
        let left = self
            .db
            .background(async |db| replicas::deregister(db, self.id).await);
        if let Err(error) = left.await {
            tracing::warn!(error = %error, "this replica could not deregister; others take its operations over when the leases end");
        }
    }

    /// Stops driving: nothing more is started or sent, and the lease of every operation is released, so that another replica
    /// can resume it at once.
    pub(crate) fn stop_driving(&self) {
        self.stop.cancel();
    }

    /// Ends when every operation is handed over, after [`Replica::stop_driving`].
    pub(crate) async fn handed_over(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Whether this replica stops.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Ends when this replica stops.
    pub(crate) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Refuses what needs the caller's tokens here when this replica stops: a repeated request reaches another replica.
    ///
    /// # Errors
    /// [`Code::Overloaded`].
    pub(crate) fn refuse_when_stopping(&self) -> Result<(), Error> {
        if !self.is_stopping() {
            return Ok(());
        }
        let refusal = Refusal {
            retry_after: Some(self.settings.poll_min),
            ..Refusal::new(
                Code::Overloaded,
                "this replica is stopping; retry, and another one responds",
            )
        };
        Err(refusal.into())
    }

    /// Runs something beside the request that began it. It must end soon once this replica stops.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work.in_current_span());
    }

    /// Runs a change to its end although the caller hangs up, so that nothing parts the commit of an intent from what follows
    /// it. In the time in which a request that can't be recorded is refused.
    ///
    /// # Errors
    /// Those of `work`; [`Code::Overloaded`] when this replica stops.
    pub(crate) async fn spawn_uncancellable<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.refuse_when_stopping()?;
        let db = self.db.clone();
        let time = self.db.time_of_request();
        let work = time.scope(async move { db.change(work).await });
        let ended = self.tasks.spawn(work.in_current_span()).await;
        ended.unwrap_or_else(|error| Err(Error::Internal(error.to_string())))
    }
}
