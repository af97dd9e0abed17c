//! Drives operations under their leases: sends, follows, settles. Each step ends with one commit. What stops here (a crash, a lost
//! lease, missing tokens) is resumed from the row by the replica that claims it next.

pub(super) mod claims;
pub(super) mod comparison;
pub(super) mod deferral;
mod follow;
pub(super) mod job;
pub(super) mod outcome;
pub(super) mod reads;
mod shared;
pub(super) mod tokens;
pub(super) mod transition;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgConnection;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::authz::Caller;
use crate::db::leases::{Claim, ClaimScope};
use crate::db::{DbError, leases, operations};
use crate::domain::{Error, OperationId, OperationKind, OperationRecord, Phase};
use crate::operations::Settings;
use crate::operations::changes::{Change, Create, Remove};
use crate::telemetry::metrics;
use crate::tokens::store::Provider;

use job::{Job, NextAction, Step, Stop};
pub(crate) use shared::{Driver, OperationTokens};

impl Driver {
    /// Starts an operation that was just recorded: at once with a claim, else when its turn comes. Stores its actor's tokens.
    pub(crate) fn start(
        &self,
        operation: &OperationRecord,
        claim: Option<Claim>,
        by: Caller,
        claimed_at: Instant,
    ) {
        self.keep_actors(operation, by);
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
            let (operation, lease) = (claim.record.id, claim.lease);
            let result = match Job::open(driver.clone(), claim, claimed_at, unsent).await {
                Ok(job) => run(job, place).await,
                Err(error) => {
                    driver.release_unreadable(operation, lease, &error).await;
                    Err(Stop::Error(error))
                }
            };
            match result {
                Ok(()) | Err(Stop::Next(_)) => {}
                Err(Stop::LeaseLost) => {
                    metrics::lease_lost();
                    tracing::warn!(operation.id = %operation, "another replica took the operation over");
                }
                Err(Stop::Error(Error::Database(error))) if error.is_outage() => {
                    driver.db.failed(&error, "an operation cannot continue");
                    tracing::warn!(operation.id = %operation, "this replica cannot continue the operation; it is resumed when its lease ends");
                }
                Err(Stop::Error(error)) => {
                    tracing::error!(operation.id = %operation, error = %error, "this replica cannot continue the operation; it is resumed when its lease ends");
                }
            }
        };
        self.replica.tasks.spawn(task.instrument(span));
    }

    /// Releases an operation whose connection this version cannot read, which a newer version may have written.
    async fn release_unreadable(&self, operation: OperationId, lease: Uuid, error: &Error) {
        if matches!(error, Error::Database(error) if error.is_outage()) {
            return;
        }
        let pause = self.settings.poll_max;
        let released = self
            .db
            .background(async |db| leases::release(db, operation, Some(lease), pause).await);
        if let Err(error) = released.await {
            self.db.failed(&error, "an operation cannot be released");
        }
    }

    /// Claims due operations and drives them, up to the limit. Operations started by requests do not count against it. Returns the delay
    /// until the next due operation; none when there is no room for one.
    pub(crate) async fn resume_due(&self) -> Result<Option<Duration>, DbError> {
        let places = &self.replica.places;
        let room = places.available_permits();
        if room == 0 {
            return Ok(None);
        }
        let claimed_at = Instant::now();
        let next_due = self.db.background(async |db| {
            // Not before there is a connection: meanwhile an operation may have discarded its tokens.
            let now = self.clock.now();
            let operations = self.tokens.store.operations(now);
            let own = self.tokens.own.tenants();
            let by = ClaimScope {
                replica: self.replica.id,
                operations: &operations,
                own: &own,
                now,
            };
            let limit = i64::try_from(room).unwrap_or(i64::MAX);
            for claim in leases::claim_due(db, limit, by, self.settings.lease, self.settings.poll_max).await?
            {
                // There is one: only this takes any.
                let place = Arc::clone(places).try_acquire_owned().ok();
                self.drive_with(place, claim, claimed_at, false);
            }
            leases::next_due(db, by).await
        });
        next_due.await
    }

    /// Resumes an operation, here and with the tokens of its recorded actor, if no replica drives it. What waits returns to the queue;
    /// a create that may have been sent is only read. The tokens are kept whatever the database does: then the operation is resumed
    /// when it is due.
    pub(crate) async fn resume(&self, operation: &OperationRecord, actor: &Caller) {
        self.keep_actors(operation, actor.clone());
        if operation.kind == OperationKind::Remove && operation.phase == Phase::Queued {
            self.settle_preceding(operation, actor).await;
        }
        self.claim_and_drive(async |db| {
            leases::requeue(db, operation.id, self.replica.id).await?;
            Ok(Some(operation.id))
        })
        .await;
    }

    /// Reads, with the tokens of a caller who may remove the connection, for the change that precedes a queued removal: so the removal
    /// is not kept waiting by a caller who never returns.
    pub(crate) async fn settle_preceding(&self, removal: &OperationRecord, caller: &Caller) {
        self.claim_and_drive(async |db| {
            let preceding = operations::another_in_flight(db, removal).await?;
            Ok(preceding.map(|preceding| {
                self.keep_removers(preceding.id, caller.clone());
                preceding.id
            }))
        })
        .await;
    }

    /// Stores the tokens of a removal's caller for the change that precedes it, to read with.
    pub(crate) fn keep_removers(&self, preceding: OperationId, caller: Caller) {
        let store = &self.tokens.store;
        store.keep(preceding, Provider::Remover, caller, self.clock.now());
    }

    /// Claims what `find` returns, due or not, and drives it. If the database fails, leases that were claimed expire.
    async fn claim_and_drive(
        &self,
        find: impl AsyncFnOnce(&mut PgConnection) -> Result<Option<OperationId>, Error>,
    ) {
        let claimed_at = Instant::now();
        let claim = self.db.read(async |db| {
            let Some(operation) = find(db).await? else {
                return Ok(None);
            };
            let Settings { lease, poll_max, .. } = *self.settings;
            Ok(leases::claim(db, operation, self.replica.id, lease, poll_max).await?)
        });
        match claim.await {
            Ok(Some(claim)) => self.drive(claim, claimed_at, false),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "an operation is resumed later than its caller asked"),
        }
        self.signals.wake();
    }

    fn keep_actors(&self, operation: &OperationRecord, actor: Caller) {
        let provider = Provider::Actor(operation.actor);
        let store = &self.tokens.store;
        store.keep(operation.id, provider, actor, self.clock.now());
    }
}

async fn run(mut job: Job, mut place: Option<OwnedSemaphorePermit>) -> Step<()> {
    loop {
        let step = match step(&mut job).await {
            // What was surely not sent waits in the queue and does not block the cluster.
            Ok(NextAction::RetryAfter(pause)) | Err(Stop::Next(NextAction::RetryAfter(pause)))
                if job.is_unsent() =>
            {
                outcome::requeue(&mut job, pause).await
            }
            step => step,
        };
        let next = match step {
            Ok(next) | Err(Stop::Next(next)) => next,
            // The lease is still ours as far as is known: try again until it isn't.
            Err(Stop::Error(Error::Database(error))) if error.is_outage() && job.lease.is_held() => {
                job.driver.db.failed(&error, "an operation waits");
                NextAction::RetryAfter(job.driver.settings.poll_min)
            }
            Err(stop) => return Err(stop),
        };
        match next {
            NextAction::Done => return Ok(()),
            NextAction::Step => {}
            NextAction::RetryAfter(pause) => {
                // What Azure carries out may take long, and there is one per cluster: it does not count against the limit.
                if job.claim.record.phase == Phase::Accepted {
                    drop(place.take());
                }
                let stopped = job.driver.replica.stop.clone();
                let clock = job.driver.clock.clone();
                let woken = stopped
                    .run_until_cancelled(job.lease.keep(clock.sleep(pause)))
                    .await;
                match woken {
                    Some(alive) => alive?,
                    None => return outcome::hand_over(&mut job).await,
                }
            }
        }
    }
}

/// One step of the operation, by the phase that it is in.
async fn step(job: &mut Job) -> Step {
    if job.driver.replica.is_stopping() {
        outcome::hand_over(job).await?;
        return Ok(NextAction::Done);
    }
    let stored = job
        .driver
        .tokens
        .store
        .for_reads(job.claim.record.id, job.claim.record.actor, job.now());
    job.tokens.tried = stored.map(|tokens| tokens.version);
    job.tokens.by_service = job.tokens.tried.is_none();
    match job.claim.record.kind {
        OperationKind::Create => step_of::<Create>(job).await,
        OperationKind::Remove => step_of::<Remove>(job).await,
    }
}

async fn step_of<C: Change>(job: &mut Job) -> Step {
    match job.claim.record.phase {
        Phase::Succeeded | Phase::Failed => Ok(NextAction::Done),
        Phase::Queued if claimed_early(job) => Ok(NextAction::RetryAfter(Duration::ZERO)),
        Phase::Queued => C::begin(job).await,
        Phase::Dispatched if job.unsent => C::send(job).await,
        Phase::Dispatched => {
            let why = "the replica that sent the request recorded no answer";
            outcome::mark_outcome_unknown(job, why).await
        }
        Phase::Accepted => follow::follow::<C>(job).await,
        Phase::Settling => C::settle(job).await,
    }
}

/// Whether a queued operation was claimed before its turn, as one that a dead replica left or that waits for a caller, and has
/// tokens here: it returns to the queue.
fn claimed_early(job: &Job) -> bool {
    let in_turn = job.claim.resumed && job.claim.record.awaiting.is_none();
    let is_over = job.claim.record.kind == OperationKind::Create && job.is_overdue();
    let stored = job
        .driver
        .tokens
        .store
        .for_writes(job.claim.record.id, job.claim.record.actor, job.now());
    !in_turn && !is_over && stored.is_some()
}
