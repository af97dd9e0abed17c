//! Drives one operation under its lease: sends, follows, settles. Each step ends with one commit.
//! What stops here (a crash, a lost lease, missing tokens) is taken up from the row by whoever claims it next.

mod challenge;
mod commit;
mod comparison;
mod follow;
mod queue;
mod reading;
mod remove;
mod send;
mod settle;
mod tokens;

use crate::arm::Arm;
use crate::clock::Clock;
use crate::db::Db;
use crate::domain::OperationId;
use crate::domain::OperationRecord;
use crate::ledger::recorder::Recorder;
use crate::operations::Settings;
use crate::operations::replica::Replica;
use crate::operations::signals::Signals;
use crate::tokens::exchange::TokenExchange;
use crate::tokens::service_identity::ServiceIdentity;
use crate::tokens::store::Access;
use crate::tokens::store::TokenStore;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use crate::authz::Caller;
use crate::db::leases::{Claim, ClaimScope};
use crate::db::{DbError, connections, leases, within};
use crate::domain::ActorId;
use crate::domain::Awaiting;
use crate::domain::ConnectionRecord;
use crate::domain::Error;
use crate::domain::OperationKind;
use crate::domain::Phase;
use crate::operations::lease::Lease;
use crate::telemetry::metrics;
use crate::tokens::store::TokenVersion;

/// The part of the time already waited for Azure that the next wait lasts.
const PART_OF_WAIT: u32 = 10;

/// How a step left the operation.
enum NextAction {
    /// It has ended, or its lease was given back: nothing more to do here.
    Done,
    /// Look again after this long; the lease is kept meanwhile.
    RetryAfter(Duration),
}

/// Ends a step before its last line, by `?`.
enum Stop {
    /// The step is over, and this comes next.
    Next(NextAction),
    /// It failed.
    Error(Error),
}

/// What a step, or a part of one, leads to.
type Step<T = NextAction> = Result<T, Stop>;

/// What a part of a step led to, as the end of the whole step.
fn early(step: Step) -> Stop {
    step.map_or_else(|stop| stop, Stop::Next)
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// An operation under this replica's lease.
struct Job {
    driver: Driver,
    lease: Lease,
    claim: Claim,
    record: ConnectionRecord,
    tokens: StepTokens,
    /// Whether nothing was sent since the intent was committed; only the replica that committed it can know.
    unsent: bool,
    /// Whether ARM asked for the source's tenant in a removal.
    with_auxiliary: bool,
    /// Since when Azure is waited for here: each pause is a part of that time.
    since: DateTime<Utc>,
}

/// Whose tokens the steps of one operation use.
struct StepTokens {
    /// Who asked for the change. Others may bring tokens for it, but a right that they lack doesn't end it.
    requester: ActorId,
    /// The token that was missing when the operation was claimed.
    awaited: Option<Awaiting>,
    /// The tokens that the current step began with.
    tried: Option<TokenVersion>,
    /// Whether the current step uses the service's own token alone.
    by_service: bool,
    /// The tokens that ARM rejected for reads, and what it wants instead.
    unreadable: Option<(Option<TokenVersion>, Awaiting)>,
    /// Whose tokens the last write was, or is to be, made with.
    writer: Option<Caller>,
    /// The tokens of another operation of the connection that this one reads with.
    borrowed: Option<TokenVersion>,
}

/// The tokens that operations are driven with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct OperationTokens {
    /// Exchanges those that callers brought.
    pub(crate) exchange: TokenExchange,
    /// Keeps them while the operation runs.
    pub(crate) store: Arc<TokenStore>,
    /// The service's own, to read with.
    pub(crate) own: ServiceIdentity,
}

/// Drives operations to their end. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Driver {
    pub(crate) db: Db,
    pub(crate) arm: Arm,
    pub(crate) clock: Clock,
    pub(crate) settings: Arc<Settings>,
    pub(crate) tokens: OperationTokens,
    pub(crate) recorder: Recorder,
    pub(crate) replica: Replica,
    pub(crate) signals: Signals,
}

/// What a caller's tokens may be used for when they take up operations of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lending {
    /// To read at ARM, for any of them.
    Read,
    /// To carry on this operation, which they asked for or may ask for; to read, for others.
    Write(OperationId),
}

impl Driver {
    /// Goes on with what was just recorded: with a claim on it now, else when its turn comes. The caller's tokens are kept for it.
    pub(crate) fn start(
        &self,
        operation: &OperationRecord,
        claim: Option<Claim>,
        by: Caller,
        claimed_at: Instant,
    ) {
        let ids = (operation.id, operation.connection);
        self.tokens.store.keep(ids, Access::Write, by, self.clock.now());
        match claim {
            Some(claim) => self.drive(claim, claimed_at, true),
            None => self.signals.wake(),
        }
    }

    /// Drives a claimed operation in the background, for a caller who is here. `unsent` says that its intent was committed just now
    /// and nothing sent.
    pub(crate) fn drive(&self, claim: Claim, claimed_at: Instant, unsent: bool) {
        self.drive_with(None, claim, claimed_at, unsent);
    }

    fn drive_with(
        &self,
        place: Option<OwnedSemaphorePermit>,
        claim: Claim,
        claimed_at: Instant,
        unsent: bool,
    ) {
        let driver = self.clone();
        if claim.taken_over {
            metrics::operation_taken_over();
            tracing::info!(operation.id = %claim.record.id, "taken over from another replica");
        }
        let span = tracing::info_span!("operation", operation.id = %claim.record.id, otel.name = claim.record.kind.as_str());
        let task = async move {
            let operation = claim.record.id;
            let result = Job::open(driver.clone(), claim, claimed_at, unsent).await;
            let result = match result {
                Ok(job) => job.run(place).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(()) => {}
                Err(Error::Database(DbError::LeaseLost)) => {
                    metrics::lease_lost();
                    tracing::warn!(operation.id = %operation, "another replica took the operation over");
                }
                Err(Error::Database(error)) if error.is_outage() => {
                    driver.db.failed(&error, "an operation can't go on");
                    tracing::warn!(operation.id = %operation, "the operation can't go on here; it is taken up again when its lease ends");
                }
                Err(error) => {
                    tracing::error!(operation.id = %operation, error = %error, "the operation can't go on here; it is taken up again when its lease ends");
                }
            }
        };
        self.replica.tasks.spawn(task.instrument(span));
    }

    /// Claims what is due and drives it, as far as there is room; what callers began takes none of it. Gives how long until something
    /// else is due; nothing when there is no room, since it could not be taken.
    ///
    /// # Errors
    /// When the database can't answer.
    pub(crate) async fn resume_due(&self) -> Result<Option<Duration>, DbError> {
        let places = &self.replica.places;
        let room = places.available_permits();
        if room == 0 {
            return Ok(None);
        }
        let now = self.clock.now();
        let (operations, connections) = self.tokens.store.held(now);
        let own = self.tokens.own.tenants();
        let by = ClaimScope {
            replica: self.replica.id,
            operations: &operations,
            connections: &connections,
            own: &own,
            now,
        };
        let claimed_at = Instant::now();
        within(async {
            let mut db = self.db.pool().acquire().await?;
            let limit = i64::try_from(room).unwrap_or(i64::MAX);
            for claim in leases::claim_due(&mut db, limit, by, self.settings.lease).await? {
                // There is one: only this takes any.
                let place = Arc::clone(places).try_acquire_owned().ok();
                self.drive_with(place, claim, claimed_at, false);
            }
            leases::next_due(&mut db, by).await
        })
        .await
    }

    /// Goes on, here and with this caller's tokens, with whatever of a connection nobody drives. What waits for its turn goes back
    /// into the queue; a create that may have been sent is only ever read about.
    pub(crate) async fn resume(
        &self,
        connection: &ConnectionRecord,
        caller: &Caller,
        lending: Lending,
    ) -> Result<(), Error> {
        let claimed_at = Instant::now();
        let replica = self.replica.id;
        if let Lending::Write(operation) = lending {
            let ids = (operation, connection.id);
            self.tokens
                .store
                .keep(ids, Access::Write, caller.clone(), self.clock.now());
        }
        // Claims that are given up with the wait for them run out like those of a replica that has died.
        let claims = self.db.read(async |db| {
            if let Lending::Write(operation) = lending {
                leases::requeue(db, operation, replica).await?;
            }
            Ok(leases::claim_of(db, connection.id, replica, self.settings.lease).await?)
        });
        let claims = claims.await?;
        for claim in claims {
            let allowed = match lending {
                Lending::Write(operation) if operation == claim.record.id => Access::Write,
                _ => Access::Read,
            };
            // Kept only under a lease, so that they are forgotten with the operation's end.
            let ids = (claim.record.id, connection.id);
            self.tokens
                .store
                .keep(ids, allowed, caller.clone(), self.clock.now());
            self.drive(claim, claimed_at, false);
        }
        self.signals.wake();
        Ok(())
    }

    async fn record_of(&self, claim: &Claim) -> Result<ConnectionRecord, DbError> {
        within(async {
            let mut db = self.db.pool().acquire().await?;
            connections::find(&mut db, claim.record.connection)
                .await?
                .ok_or_else(|| DbError::Defect("an operation without a connection".to_owned()))
        })
        .await
    }
}

impl Job {
    async fn open(driver: Driver, claim: Claim, claimed_at: Instant, unsent: bool) -> Result<Self, Error> {
        let lease = Lease::new(driver.db.clone(), &claim, driver.settings.lease, claimed_at);
        let record = loop {
            match driver.record_of(&claim).await {
                // Whoever takes it up later may lack the tokens that are here.
                Err(error) if error.is_outage() && lease.is_held() => {
                    sleep(driver.settings.poll_min).await;
                }
                record => break record?,
            }
        };
        // What this replica has waited with before goes on at the pace that it had come to.
        let since = match claim.record.dispatched_at {
            Some(sent_at) if claim.resumed => sent_at,
            _ => driver.clock.now(),
        };
        Ok(Self {
            since,
            lease,
            record,
            unsent,
            with_auxiliary: false,
            tokens: StepTokens {
                requester: claim.record.actor,
                awaited: claim.record.awaiting.clone(),
                tried: None,
                by_service: false,
                unreadable: None,
                writer: None,
                borrowed: None,
            },
            driver,
            claim,
        })
    }

    async fn run(mut self, mut place: Option<OwnedSemaphorePermit>) -> Result<(), Error> {
        loop {
            let step = match self.step().await {
                // What was surely not sent waits in the queue: it keeps no other of its cluster waiting.
                Ok(NextAction::RetryAfter(pause)) | Err(Stop::Next(NextAction::RetryAfter(pause)))
                    if self.is_unsent() =>
                {
                    queue::requeue(&mut self, pause).await
                }
                step => step,
            };
            let next = match step {
                Ok(next) | Err(Stop::Next(next)) => next,
                // The lease is still ours as far as is known: try again until it isn't.
                Err(Stop::Error(Error::Database(error))) if error.is_outage() && self.lease.is_held() => {
                    self.driver.db.failed(&error, "an operation waits");
                    NextAction::RetryAfter(self.driver.settings.poll_min)
                }
                Err(Stop::Error(error)) => return Err(error),
            };
            match next {
                NextAction::Done => return Ok(()),
                NextAction::RetryAfter(pause) => {
                    // What Azure carries out may take long, and there is one a cluster: it keeps no other waiting for its place.
                    if self.claim.record.phase == Phase::Accepted {
                        drop(place.take());
                    }
                    let stopped = self.driver.replica.stop.clone();
                    let clock = self.driver.clock.clone();
                    let woken = stopped
                        .run_until_cancelled(self.lease.keep(clock.sleep(pause)))
                        .await;
                    match woken {
                        Some(alive) => alive?,
                        None => {
                            return match commit::hand_over(&mut self).await {
                                Ok(()) | Err(Stop::Next(_)) => Ok(()),
                                Err(Stop::Error(error)) => Err(error),
                            };
                        }
                    }
                }
            }
        }
    }

    async fn step(&mut self) -> Step {
        if self.driver.replica.stop.is_cancelled() {
            commit::hand_over(self).await?;
            return Ok(NextAction::Done);
        }
        self.tokens.tried = self.driver.tokens.store.version(self.claim.record.id);
        self.tokens.by_service = self.tokens.tried.is_none();
        match (self.claim.record.kind, self.claim.record.phase) {
            (_, Phase::Succeeded | Phase::Failed) => Ok(NextAction::Done),
            (_, Phase::Queued) if queue::claimed_early(self) => Ok(NextAction::RetryAfter(Duration::ZERO)),
            (OperationKind::Create, Phase::Queued) => queue::begin_create(self).await,
            (OperationKind::Remove, Phase::Queued) => remove::begin_removal(self).await,
            (OperationKind::Create, Phase::Dispatched) if self.unsent => {
                send::send_committed_create(self).await
            }
            (OperationKind::Remove, Phase::Dispatched) if self.unsent => {
                remove::send_committed_removal(self).await
            }
            (_, Phase::Dispatched) => {
                commit::mark_outcome_unknown(self, "the replica that sent the request recorded no answer")
                    .await
            }
            (_, Phase::Accepted) => follow::follow(self).await,
            (OperationKind::Create, Phase::Settling) => settle::settle_create(self).await,
            (OperationKind::Remove, Phase::Settling) => remove::settle_removal(self).await,
        }
    }

    /// Whether nothing of the change was sent, so that it can wait in the queue.
    fn is_unsent(&self) -> bool {
        match self.claim.record.phase {
            Phase::Queued => true,
            Phase::Dispatched => self.unsent,
            _ => false,
        }
    }

    /// Before each send to ARM: the lease must be held by the monotonic clock, with room for the request to leave.
    async fn before_send(&mut self) -> Step<()> {
        if self.driver.replica.is_stopping() {
            commit::hand_over(self).await?;
            return Err(Stop::Next(NextAction::Done));
        }
        Ok(self.lease.ensure_half().await?)
    }

    /// The next wait: a tenth of the time for which Azure is waited for already. So an end is seen after at most 1.1 times the time
    /// that it took, or the shortest wait after it.
    fn next_pause(&self) -> Duration {
        let taken = self.driver.clock.now() - self.since;
        let worker = &self.driver.settings;
        (taken.to_std().unwrap_or_default() / PART_OF_WAIT).clamp(worker.poll_min, worker.poll_max)
    }

    /// From now on Azure is waited for, for something new: the waits begin with the shortest.
    fn wait_anew(&mut self) {
        self.since = self.driver.clock.now();
    }
}
