//! One change of a cluster at a time, across replicas: new operations acquire their cluster's slot or wait in its queue.

use crate::clock::Clock;
use crate::db::Db;
use crate::operations::Settings;
use crate::operations::replica::Replica;
use crate::operations::signals::Signals;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgConnection;
use sqlx::postgres::PgNotification;
use tokio::time::timeout;
use uuid::Uuid;

use crate::authz::Caller;
use crate::db::operations::NewOperation;
use crate::db::{DbError, cluster_locks, feed, operations, with_timeout};
use crate::domain::{
    ActorId, ClusterId, Code, ConnectionId, Error, Exceeded, OperationId, OperationKind, OperationRecord,
    Phase, Refusal,
};
use crate::telemetry::metrics;

/// After so long without a notification the connection is tested.
const SILENCE: Duration = Duration::from_secs(30);

/// The queue of each cluster, and how operations come into it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Queue {
    db: Db,
    clock: Clock,
    settings: Arc<Settings>,
    signals: Signals,
    /// This replica, which holds what it starts.
    replica: Uuid,
    /// The version of ARM's API that requests are made in.
    api_version: String,
}

impl Queue {
    /// The queues as this replica uses them.
    pub(crate) fn new(
        db: Db,
        clock: Clock,
        settings: Arc<Settings>,
        signals: Signals,
        replica: &Replica,
        api_version: &str,
    ) -> Self {
        Self {
            db,
            clock,
            settings,
            signals,
            replica: replica.id,
            api_version: api_version.to_owned(),
        }
    }

    /// The version of ARM's API that requests are made in.
    pub(crate) fn api_version(&self) -> &str {
        &self.api_version
    }

    /// Listens for notifications that an operation may be due, which wake the driver, or that the feed advanced. A hint: what is missed is
    /// found periodically.
    ///
    /// # Errors
    /// When the connection to the database is lost. It never ends otherwise.
    pub(crate) async fn listen(&self) -> Result<(), DbError> {
        let mut listener = self.db.listener().await?;
        // Whatever was notified before is missed.
        self.signals.feed_advanced();
        self.signals.wake();
        loop {
            match timeout(SILENCE, listener.try_recv()).await {
                // Nothing means that the connection was lost and made anew: something may have been missed.
                Ok(heard) => {
                    let heard = heard?;
                    let is_of_feed = |heard: &PgNotification| heard.channel() == feed::CHANNEL;
                    if heard.as_ref().is_none_or(is_of_feed) {
                        self.signals.feed_advanced();
                    }
                    if !heard.as_ref().is_some_and(is_of_feed) {
                        self.signals.wake();
                    }
                }
                // Silence is usual, and so is a connection that died unnoticed.
                Err(_) => {
                    let asked = async { Ok(sqlx::query("select 1").execute(&mut listener).await?) };
                    with_timeout::<_, DbError>(asked).await?;
                }
            }
        }
    }

    /// A new operation of this caller, about to be sent if its cluster is free. `request_hash` is what who continues it names.
    pub(crate) fn new_operation(
        &self,
        connection: ConnectionId,
        kind: OperationKind,
        request_hash: String,
        actor: ActorId,
        caller: &Caller,
    ) -> OperationRecord {
        let now = self.clock.now();
        OperationRecord {
            id: OperationId::new(self.clock.new_id()),
            connection,
            kind,
            phase: Phase::Dispatched,
            actor,
            app: caller.app(),
            correlation_id: Uuid::new_v4(),
            created_at: now,
            dispatched_at: Some(now),
            finished_at: None,
            deadline_at: now + self.settings.deadline,
            failure: None,
            awaiting: None,
            driven: false,
            ahead: None,
            request_hash,
        }
    }

    /// Acquires the cluster's slot for a new operation, in the transaction that records it; without it the operation is queued.
    pub(crate) async fn acquire_slot(
        &self,
        db: &mut PgConnection,
        cluster: &ClusterId,
        operation: &mut OperationRecord,
    ) -> Result<(), DbError> {
        if !cluster_locks::acquire_unqueued(db, cluster, operation.id, self.settings.slot_timeout).await? {
            self.set_queued(operation);
        }
        Ok(())
    }

    /// Bounds a caller's queue at a cluster, since it is held in memory here, with its tokens. For creates; removals are bounded by
    /// what was created.
    ///
    /// # Errors
    /// [`Code::TooManyRequests`] when it is full.
    pub(crate) async fn refuse_longer_queue(
        &self,
        db: &mut PgConnection,
        cluster: &ClusterId,
        actor: ActorId,
    ) -> Result<(), Error> {
        let waiting = cluster_locks::waiting(db, cluster, actor).await?;
        let quota = self.settings.max_queue_length;
        if waiting < i64::from(quota) {
            return Ok(());
        }
        metrics::request_limited("queue");
        tracing::warn!(
            http.limit = "queue",
            arm.cluster = cluster.resource().canonical(),
            "as many changes of one caller wait for a cluster as worker.max_queue_length allows; another create is answered with 429"
        );
        let detail = format!(
            "{waiting} of your changes wait for this cluster, which processes one at a time; retry when some have ended"
        );
        let refusal = Refusal {
            retry_after: Some(self.settings.poll_max),
            exceeded: Some(Exceeded {
                name: "queue",
                quota,
                window: None,
            }),
            ..Refusal::new(Code::TooManyRequests, detail)
        };
        Err(refusal.into())
    }

    /// A new operation as it is recorded, without what only a create has. Under a lease if it is to be sent now.
    pub(crate) fn to_record(&self, record: OperationRecord) -> NewOperation {
        NewOperation {
            lease: (record.phase == Phase::Dispatched).then(Uuid::new_v4),
            holder: self.replica,
            api_version: self.api_version.clone(),
            record,
            body: None,
            body_hash: None,
            absence_seen_at: None,
            accepted_fingerprint: None,
        }
    }

    /// Records a new operation, in the queue if it has to wait.
    ///
    /// # Errors
    /// As [`operations::insert`].
    pub(crate) async fn insert(
        &self,
        db: &mut PgConnection,
        new: &NewOperation,
        cluster: &ClusterId,
    ) -> Result<(), DbError> {
        operations::insert(db, new, cluster, self.settings.lease).await?;
        if new.record.phase == Phase::Queued {
            cluster_locks::queue(db, cluster, new.record.id, new.record.actor).await?;
        }
        Ok(())
    }

    /// Makes a new operation one that waits for its turn.
    pub(crate) fn set_queued(&self, operation: &mut OperationRecord) {
        operation.phase = Phase::Queued;
        operation.dispatched_at = None;
        operation.deadline_at = operation.created_at + self.settings.max_queue_time;
    }
}
