//! What a step leaves behind, in one transaction: the operation, the connection and the ledger event together or not at all.

use crate::db::leases::{self, Claim};
use crate::db::{cluster_locks, connections, ledger_events, revisions, with_timeout};
use crate::domain::{
    ActorId, Code, Desired, Error, Event, EventKind, Failure, FoundResource, Observed, OperationKind, Phase,
};
use crate::ledger::details;
use crate::operations::driver::job::{Job, NextAction, Step, Stop};
use crate::telemetry::metrics;
use serde_json::Value;
use sqlx::PgConnection;
use std::time::Duration;
use tokio::time::Instant;
use tokio::time::sleep;
use uuid::Uuid;

/// What a step commits: the operation's next value, and what changes with it.
#[derive(Debug, Clone)]
pub(crate) struct Transition {
    pub(crate) name: &'static str,
    /// The operation from then on.
    pub(crate) next: Claim,
    /// Release the lease and be due after this long; `None` keeps it.
    pub(crate) release_for: Option<Duration>,
    /// How long ARM defers changes of the cluster whose slot is released.
    pub(crate) cluster_pause: Option<Duration>,
    pub(crate) desired: Option<Desired>,
    /// What was seen, and whether the connection is finally absent with it.
    pub(crate) observed: Option<(Observed, bool)>,
    /// What a read found although the record says otherwise.
    pub(crate) found: Option<FoundResource>,
    /// What a read showed that confirms the revision.
    pub(crate) snapshot: Option<Value>,
    pub(crate) event: Option<(EventKind, Value)>,
    /// The request whose tokens the change is made with, if it is another than the one that began the operation.
    pub(crate) request_id: Option<String>,
}

impl Transition {
    /// Whether the request is sent after this, so the cluster must be free.
    fn dispatches(&self, job: &Job) -> bool {
        self.next.dispatches > job.claim.dispatches
    }

    /// Whether it leaves the cluster to the next: the operation has ended, or waits for a turn of its own.
    fn releases_slot(&self) -> bool {
        let phase = self.next.record.phase;
        phase.is_terminal() || phase == Phase::Queued
    }
}

/// A change to this phase and nothing else.
pub(crate) fn to_phase(job: &Job, name: &'static str, phase: Phase) -> Transition {
    let mut next = job.claim.clone();
    let record = &mut next.record;
    record.phase = phase;
    record.awaiting = None;
    if phase == Phase::Queued {
        record.dispatched_at = None;
        if record.kind == OperationKind::Create {
            record.deadline_at = record.created_at + job.driver.settings.max_queue_time;
        }
    }
    if phase.is_terminal() {
        record.finished_at = Some(job.now());
        next.arm_operation_url = None;
    }
    Transition {
        name,
        next,
        release_for: None,
        cluster_pause: None,
        desired: None,
        observed: None,
        found: None,
        snapshot: None,
        event: None,
        request_id: None,
    }
}

/// The commit directly before the request is sent.
pub(crate) fn to_dispatched(job: &Job, name: &'static str) -> Transition {
    let mut change = to_phase(job, name, Phase::Dispatched);
    let now = job.now();
    change.next.dispatches += 1;
    change.next.record.dispatched_at = Some(now);
    change.next.record.deadline_at = now + job.driver.settings.deadline;
    change
}

/// Commits a change under the lease. While the database is out of reach it is tried again as long as the lease may last:
/// what ARM has answered must not be lost for a moment's outage.
///
/// A create that would wait or be sent although its connection is to be removed ends here instead: nothing was made, and
/// the removal behind it must find nothing to remove.
pub(crate) async fn commit(job: &mut Job, change: Transition) -> Step<()> {
    match save(job, change).await {
        Err(NotCommitted::Unwanted) => {
            let failure = Failure::new(
                Code::NotSent,
                "the connection was removed before its create was sent",
            );
            let mut ended = to_phase(job, "the create is wanted no longer", Phase::Failed);
            ended.event = Some((
                EventKind::CreateFailed,
                details::json(&details::failure(&failure, None)),
            ));
            ended.observed = Some((Observed::Absent, true));
            ended.next.record.failure = Some(failure);
            Ok(save(job, ended).await?)
        }
        saved => Ok(saved?),
    }
}

async fn save(job: &mut Job, change: Transition) -> Result<(), NotCommitted> {
    let asked_at = Instant::now();
    let event = event_of(job, &change);
    let mut repeated = false;
    let (actor, app) = loop {
        match with_timeout(try_commit(job, &change, event.clone(), repeated)).await {
            Err(NotCommitted::Error(Error::Database(error))) if error.is_outage() && job.lease.is_held() => {
                job.driver.db.failed(&error, "a result waits to be recorded");
                repeated = true;
                sleep(job.driver.settings.lease / 20).await;
            }
            committed => break committed?,
        }
    };
    job.lease.renewed_at(asked_at);
    let releases_slot = change.releases_slot();
    job.claim = change.next;
    job.set_actor(actor, app);
    let record = &job.claim.record;
    if record.phase.is_terminal() {
        job.driver.tokens.store.remove(record.id);
        metrics::operation_ended(record.kind.as_str(), record.phase.as_str());
        let code = record.failure.as_ref().map(|failure| failure.code.as_str());
        let refused = [Code::Drifted, Code::Contested].map(Code::as_str);
        if let Some(code) = refused.into_iter().find(|refused| code == Some(*refused)) {
            metrics::write_refused(code);
        }
    }
    tracing::info!(
        operation.id = %record.id,
        connection.id = %job.record.id,
        operation.phase = record.phase.as_str(),
        "{}",
        change.name
    );
    job.driver.signals.changed(job.record.id);
    if releases_slot {
        job.driver.signals.wake();
    }
    Ok(())
}

fn event_of(job: &Job, change: &Transition) -> Option<Event> {
    let (kind, details) = change.event.clone()?;
    let recorder = &job.driver.recorder;
    let event = recorder.event(kind, &job.record, &job.claim.record, details);
    Some(if job.tokens.by_service {
        recorder.of_the_service(event)
    } else {
        Event {
            request_id: change.request_id.clone(),
            ..event
        }
    })
}

/// Returns the operation's recorded actor, with the app: another person may have continued it since it was claimed.
async fn try_commit(
    job: &Job,
    change: &Transition,
    mut event: Option<Event>,
    repeated: bool,
) -> Result<(ActorId, Uuid), NotCommitted> {
    let (driver, next) = (&job.driver, &change.next);
    let (before, phase) = (&job.claim.record, next.record.phase);
    let dispatches = change.dispatches(job);
    if dispatches && driver.replica.is_stopping() {
        return Err(NotCommitted::Stopping);
    }
    let mut transaction = driver.db.begin(change.name).await?;
    let db = &mut *transaction;
    connections::lock(db, job.record.id).await?;
    // Only the answer to an earlier commit was lost: to write it again would put the event twice into the ledger.
    if repeated
        && let Some(event) = &event
        && ledger_events::is_recorded(db, event).await?
    {
        return Ok((before.actor, before.app));
    }
    let is_create = before.kind == OperationKind::Create;
    let is_before_sending = dispatches || phase == Phase::Queued;
    if is_create && is_before_sending && !connections::is_to_be_made(db, job.record.id).await? {
        return Err(NotCommitted::Unwanted);
    }
    // An operation that waits for a caller is open to every replica that has tokens; a replica that stops loses its own.
    let holds = next.record.awaiting.is_none() && !driver.replica.is_stopping();
    let holder = holds.then_some(driver.replica.id);
    let lease = driver.settings.lease;
    let saved = leases::save(db, next, holder, change.release_for, lease).await?;
    let actor = saved.ok_or(NotCommitted::LeaseLost)?;
    if actor.0 != before.actor {
        if dispatches {
            // The tokens at hand are not theirs.
            return Err(NotCommitted::Continued);
        }
        // What only the service's token drives has no holder.
        if let Some(event) = event.as_mut().filter(|event| event.actor.is_some()) {
            (event.actor, event.app) = (Some(actor.0), Some(actor.1));
        }
    }
    if dispatches && !cluster_locks::acquire(db, before.id, driver.settings.slot_timeout).await? {
        return Err(NotCommitted::SlotTaken);
    }
    if change.releases_slot() {
        cluster_locks::release(db, before.id, change.cluster_pause).await?;
    } else if next.record.awaiting.is_some() {
        cluster_locks::limit_hold(db, before.id, driver.settings.max_request_lifetime).await?;
    }
    record_connection(job, db, change).await?;
    if let Some(event) = &event {
        ledger_events::append(db, event).await?;
    }
    transaction.commit().await?;
    Ok(actor)
}

/// What the step changes of the connection.
async fn record_connection(job: &Job, db: &mut PgConnection, change: &Transition) -> Result<(), Error> {
    let (connection, before, now) = (job.record.id, &job.claim.record, job.now());
    let phase = change.next.record.phase;
    if let Some(desired) = change.desired {
        connections::set_desired(db, connection, desired).await?;
    }
    if before.kind == OperationKind::Create && [phase, before.phase].contains(&Phase::Settling) {
        // Before the record is closed. Also of one whose outcome became unknown to a version that did not write it down.
        connections::expect_late_effect(db, connection).await?;
    }
    if let Some((observed, closed)) = change.observed {
        let confirmed = observed == Observed::Present && phase == Phase::Succeeded;
        connections::set_observed(db, connection, observed, now, closed, confirmed).await?;
    }
    let was_sent = matches!(before.phase, Phase::Accepted | Phase::Settling);
    if before.kind == OperationKind::Remove && phase == Phase::Succeeded && was_sent {
        connections::expect_nothing_late(db, connection).await?;
    }
    if let Some(found) = &change.found {
        connections::set_found(db, connection, found).await?;
    }
    if let Some(snapshot) = &change.snapshot {
        revisions::confirm(db, connection, job.claim.revision, snapshot, now).await?;
    }
    Ok(())
}

/// Why a transition was not committed.
enum NotCommitted {
    /// Another change of the cluster is in flight.
    SlotTaken,
    /// Another person continued the operation, and the tokens at hand are not theirs.
    Continued,
    /// This replica stops, and sends nothing more.
    Stopping,
    /// The create's connection is to be removed.
    Unwanted,
    /// The lease ended, or another replica took it.
    LeaseLost,
    /// Anything else.
    Error(Error),
}

impl<E: Into<Error>> From<E> for NotCommitted {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl From<NotCommitted> for Stop {
    fn from(reason: NotCommitted) -> Self {
        match reason {
            NotCommitted::LeaseLost => Self::LeaseLost,
            NotCommitted::Error(error) => Self::Error(error),
            // It waits for its turn anew.
            NotCommitted::SlotTaken
            | NotCommitted::Continued
            | NotCommitted::Stopping
            | NotCommitted::Unwanted => Self::Next(NextAction::RetryAfter(Duration::ZERO)),
        }
    }
}
