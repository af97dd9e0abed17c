//! Drives one operation under its lease: sends, follows, settles. Each step ends with one commit.
//! What stops here (a crash, a lost lease, missing tokens) is taken up from the row by whoever claims it next.

mod commit;
mod follow;
mod remove;
mod send;
mod settle;
mod tokens;

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::Broker;
use super::refusal::BrokerError;
use crate::connection::{ConnectionRecord, OperationKind, Phase};
use crate::db::operations::Claim;
use crate::db::{DbError, connections, operations};

/// How a step left the operation.
enum Step {
    /// It has ended, or its lease was given back: nothing more to do here.
    Over,
    /// Look again after this long; the lease is kept meanwhile.
    Again(Duration),
}

/// An operation under this replica's lease.
struct Job {
    broker: Broker,
    claim: Claim,
    record: ConnectionRecord,
    /// When the lease runs out at the latest, by this machine's monotonic clock: counted from before it was asked for.
    lease_end: Instant,
    /// Whether nothing was sent since the intent was committed; only the replica that committed it can know.
    unsent: bool,
    /// Whether ARM asked for the source's tenant in a removal.
    with_auxiliary: bool,
    /// How often a write was put off by ARM without effect.
    put_off: u32,
    /// The next wait between two looks.
    pause: Duration,
}

impl Broker {
    /// Drives a claimed operation in the background. `unsent` says that its intent was committed just now and nothing sent.
    pub(super) fn drive(&self, claim: Claim, claimed_at: Instant, unsent: bool) {
        let broker = self.clone();
        let span = tracing::info_span!("operation", operation.id = %claim.record.id, otel.name = claim.record.kind.as_str());
        let task = async move {
            let operation = claim.record.id;
            let result = Job::open(broker.clone(), claim, claimed_at, unsent).await;
            let result = match result {
                Ok(job) => job.run().await,
                Err(error) => Err(error),
            };
            match result {
                Ok(()) => {}
                Err(BrokerError::Database(DbError::LeaseLost)) => {
                    tracing::warn!(operation.id = %operation, "another replica took the operation over");
                }
                Err(error) => {
                    tracing::error!(operation.id = %operation, error = %error, "the operation can't go on here; it is taken up again when its lease ends");
                }
            }
        };
        self.0.tasks.spawn(task.instrument(span));
    }

    /// Claims what is due and drives it, as far as there is room. Gives how long until something else is due.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn take_up_due(&self) -> Result<Option<Duration>, DbError> {
        let slots = usize::try_from(self.worker.concurrency).unwrap_or(usize::MAX);
        let room = slots.saturating_sub(self.0.tasks.len());
        let claimed_at = Instant::now();
        let mut db = self.pool.acquire().await?;
        if room > 0 {
            let limit = i64::try_from(room).unwrap_or(i64::MAX);
            for claim in operations::claim_due(&mut db, limit, self.worker.lease).await? {
                self.drive(claim, claimed_at, false);
            }
        }
        operations::next_due(&mut db).await
    }
}

impl Job {
    async fn open(
        broker: Broker,
        claim: Claim,
        claimed_at: Instant,
        unsent: bool,
    ) -> Result<Self, BrokerError> {
        let mut db = broker.pool.acquire().await.map_err(DbError::from)?;
        let record = connections::find(&mut db, claim.record.connection)
            .await?
            .ok_or_else(|| DbError::Defect("an operation without a connection".to_owned()))?;
        drop(db);
        Ok(Self {
            lease_end: claimed_at + broker.worker.lease,
            pause: broker.worker.fastest_poll,
            broker,
            claim,
            record,
            unsent,
            with_auxiliary: false,
            put_off: 0,
        })
    }

    async fn run(mut self) -> Result<(), BrokerError> {
        loop {
            let step = match self.step().await {
                // The lease is still ours as far as is known: try again until it isn't.
                Err(BrokerError::Database(DbError::Unavailable(error)))
                    if Instant::now() < self.lease_end =>
                {
                    tracing::warn!(operation.id = %self.claim.record.id, error = %error, "the database is out of reach");
                    Step::Again(self.broker.worker.fastest_poll)
                }
                step => step?,
            };
            match step {
                Step::Over => return Ok(()),
                Step::Again(pause) => {
                    let stopped = self.broker.0.stop.clone();
                    let woken = stopped.run_until_cancelled(self.alive(sleep(pause))).await;
                    match woken {
                        Some(alive) => alive?,
                        None => return self.hand_over().await,
                    }
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Step, BrokerError> {
        if self.broker.0.stop.is_cancelled() {
            self.hand_over().await?;
            return Ok(Step::Over);
        }
        match (self.claim.record.kind, self.claim.record.phase) {
            (_, Phase::Succeeded | Phase::Failed) => Ok(Step::Over),
            (_, Phase::Queued) => self.begin_removal().await,
            (OperationKind::Create, Phase::Dispatched) if self.unsent => self.send_create().await,
            (OperationKind::Remove, Phase::Dispatched) if self.unsent => self.send_removal().await,
            (_, Phase::Dispatched) => {
                self.lose_track("the replica that sent the request recorded no answer")
                    .await
            }
            (_, Phase::Accepted) => self.follow().await,
            (OperationKind::Create, Phase::Settling) => self.settle_create().await,
            (OperationKind::Remove, Phase::Settling) => self.settle_removal().await,
        }
    }

    /// Runs something that takes time while the lease is kept alive.
    async fn alive<T>(&mut self, work: impl Future<Output = T>) -> Result<T, BrokerError> {
        let mut work = std::pin::pin!(work);
        loop {
            let beat = self
                .lease_end
                .checked_sub(self.broker.worker.lease * 2 / 3)
                .unwrap_or(self.lease_end);
            tokio::select! {
                done = &mut work => return Ok(done),
                () = tokio::time::sleep_until(beat) => match self.renew().await {
                    Ok(()) => {}
                    // Out of reach is not lost: what was sent goes on, and the next beat may succeed.
                    Err(BrokerError::Database(DbError::Unavailable(_))) if Instant::now() < self.lease_end => {
                        sleep(self.broker.worker.fastest_poll.min(self.broker.worker.lease / 10)).await;
                    }
                    // What was sent can't be called back; its answer is another replica's to find out.
                    Err(error) => return Err(error),
                },
            }
        }
    }

    async fn renew(&mut self) -> Result<(), BrokerError> {
        let asked_at = Instant::now();
        let mut db = self.broker.pool.acquire().await.map_err(DbError::from)?;
        operations::renew(
            &mut db,
            self.claim.record.id,
            self.claim.lease,
            self.broker.worker.lease,
        )
        .await?;
        self.lease_end = asked_at + self.broker.worker.lease;
        Ok(())
    }

    /// Before each send to ARM: the lease must be ours by the monotonic clock, with room for the request to leave.
    async fn before_send(&mut self) -> Result<(), BrokerError> {
        if Instant::now() + self.broker.worker.lease / 2 > self.lease_end {
            self.renew().await?;
        }
        Ok(())
    }

    /// The next wait: doubled each time, up to the longest.
    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(self.broker.worker.slowest_poll);
        pause
    }
}
