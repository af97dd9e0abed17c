//! One change of a cluster at a time, across replicas: a replica says that it lives, hears when a turn is over, and records
//! what has to wait.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::authz::Caller;
use crate::db::DbError;
use crate::db::cluster_locks;
use crate::db::give_way;
use crate::db::leases::Claim;
use crate::db::operations;
use crate::db::operations::NewOperation;
use crate::db::replicas;
use crate::db::within;
use crate::db::within_a_lease;
use crate::domain::ActorId;
use crate::domain::ClusterId;
use crate::domain::Code;
use crate::domain::ConnectionId;
use crate::domain::Error;
use crate::domain::Exceeded;
use crate::domain::OperationId;
use crate::domain::OperationKind;
use crate::domain::OperationRecord;
use crate::domain::Phase;
use crate::domain::Refusal;
use crate::domain::removal_hash;
use crate::telemetry::metrics;
use crate::tokens::store::Access;
use crate::usecases::Broker;

/// After so long without a word the line is tried.
const SILENCE: Duration = Duration::from_secs(30);

impl Broker {
    /// Says that this replica lives, so that others leave to it what it has tokens for. Gives how soon to say so again.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn heartbeat(&self) -> Result<Duration, DbError> {
        let beaten = within_a_lease(self.worker.lease, async {
            let mut db = self.pool.acquire().await?;
            replicas::heartbeat(&mut db, self.0.replica, self.worker.lease).await?;
            give_way(&mut db, &self.pool).await
        });
        beaten.await.inspect_err(|_| self.explain_outage())?;
        self.database_works();
        Ok(self.worker.lease / 3)
    }

    /// Says that this replica has stopped. That others don't hear of it only makes them wait.
    pub async fn deregister(&self) {
        let left = async {
            let mut db = self.pool.acquire().await?;
            replicas::deregister(&mut db, self.0.replica).await
        };
        if let Err(error) = within(left).await {
            tracing::warn!(error = %error, "others wait a moment longer for what this replica had");
        }
    }

    /// Hears from the other replicas when somebody's turn may have come, and makes the worker look. A hint: what is not heard is
    /// found by looking.
    ///
    /// # Errors
    /// When the database can't be heard. It never ends otherwise.
    pub async fn listen(&self) -> Result<(), DbError> {
        let mut listener = within(cluster_locks::listener(&self.pool)).await?;
        loop {
            match timeout(SILENCE, listener.try_recv()).await {
                // Nothing means that the connection was lost and made anew: something may have been missed.
                Ok(heard) => {
                    heard?;
                    self.notify_queue();
                }
                // Silence is usual, and so is a line that is dead without anybody saying so.
                Err(_) => {
                    let asked = async { Ok(sqlx::query("select 1").execute(&mut listener).await?) };
                    within::<_, DbError>(asked).await?;
                }
            }
        }
    }

    /// Makes the worker look at once.
    pub(crate) fn notify_queue(&self) {
        self.0.turns.notify_one();
    }

    /// Ends when somebody's turn may have come since the last time.
    pub async fn queue_notified(&self) {
        self.0.turns.notified().await;
    }

    /// A new operation of this caller, about to be sent if its cluster is free.
    pub(crate) fn new_operation(
        &self,
        connection: ConnectionId,
        kind: OperationKind,
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
            deadline_at: now + self.worker.deadline,
            failure: None,
            awaiting: None,
            driven: false,
            ahead: None,
            request_hash: removal_hash(connection),
        }
    }

    /// Takes the cluster's turn for a new operation, in the transaction that records it; one that can't have it is to be
    /// recorded as queued.
    ///
    /// # Errors
    /// When the database can't answer.
    pub(crate) async fn take_turn(
        &self,
        db: &mut PgConnection,
        cluster: &ClusterId,
        operation: &mut OperationRecord,
    ) -> Result<(), DbError> {
        if !cluster_locks::take_unqueued(db, cluster, operation.id, self.worker.turn).await? {
            self.wait_for_turn(operation);
        }
        Ok(())
    }

    /// A caller's queue at a cluster has an end: what stands in it is held in memory here, with its tokens. For creates; what is
    /// to be removed is bounded by what was made.
    ///
    /// # Errors
    /// [`Code::TooManyRequests`] when it is full.
    pub(crate) async fn refuse_a_longer_queue(
        &self,
        db: &mut PgConnection,
        cluster: &ClusterId,
        actor: ActorId,
    ) -> Result<(), Error> {
        let waiting = cluster_locks::waiting(db, cluster, actor).await?;
        let quota = self.worker.longest_queue;
        if waiting < i64::from(quota) {
            return Ok(());
        }
        metrics::request_limited("queue");
        tracing::warn!(
            http.limit = "queue",
            arm.cluster = cluster.resource().canonical(),
            "as many changes of one caller wait for a cluster as worker.longest_queue allows; another create is answered with 429"
        );
        let detail = format!(
            "{waiting} changes of yours wait for this cluster, which takes one at a time; ask again when some have ended"
        );
        let refusal = Refusal {
            retry_after: Some(self.worker.slowest_poll),
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
            holder: self.0.replica,
            api_version: self.arm.kusto_api_version().to_owned(),
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
    pub(crate) async fn insert_operation(
        &self,
        db: &mut PgConnection,
        new: &NewOperation,
        cluster: &ClusterId,
    ) -> Result<(), DbError> {
        operations::insert(db, new, cluster, self.worker.lease).await?;
        if new.record.phase == Phase::Queued {
            cluster_locks::queue(db, cluster, new.record.id, new.record.actor).await?;
        }
        Ok(())
    }

    /// Goes on with what was just recorded: with a claim on it now, else when its turn comes. The caller's tokens are kept for it.
    pub(crate) fn start_or_enqueue(
        &self,
        operation: &OperationRecord,
        claim: Option<Claim>,
        by: Caller,
        claimed_at: Instant,
    ) {
        let ids = (operation.id, operation.connection);
        self.0.store.keep(ids, Access::Write, by, self.clock.now());
        match claim {
            Some(claim) => self.drive(claim, claimed_at, true),
            None => self.notify_queue(),
        }
    }

    /// Makes of a new operation one that waits for its turn.
    pub(crate) fn wait_for_turn(&self, operation: &mut OperationRecord) {
        operation.phase = Phase::Queued;
        operation.dispatched_at = None;
        operation.deadline_at = operation.created_at + self.worker.patience;
    }
}
