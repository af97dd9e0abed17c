//! What a step leaves behind, in one transaction: the operation, the connection and the ledger event together or not at all.

use crate::db::operations::{Leaving, Progress};
use crate::db::{cluster_locks, connections, ledger_events, operations, revisions, within};
use crate::domain::{
    ActorId, Awaiting, Code, Desired, Error, Event, EventKind, Failure, FoundResource, Observed,
    OperationKind, Phase,
};
use crate::ledger::details;
use crate::operations::driver::job::{Job, NextAction, Step, Stop};
use crate::telemetry::metrics;
use chrono::DateTime;
use chrono::Utc;
use serde_json::Value;
use sqlx::PgConnection;
use std::time::Duration;
use tokio::time::Instant;
use tokio::time::sleep;
use uuid::Uuid;
/// What a step changes; what is not named stays.
#[derive(Debug, Clone)]
pub(crate) struct Transition {
    pub(crate) name: &'static str,
    pub(crate) phase: Phase,
    pub(crate) arm_operation_url: Option<String>,
    pub(crate) absent_reads: i32,
    pub(crate) failure: Option<Failure>,
    pub(crate) awaiting: Option<Awaiting>,
    pub(crate) release_for: Option<Duration>,
    /// The request is about to leave, so the cluster must be free: when a read found nothing there, for a create.
    pub(crate) leaves: Option<Option<DateTime<Utc>>>,
    /// How long ARM wants to be left alone with the cluster, when its turn is given back.
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

/// A change to this phase and nothing else.
pub(crate) fn to_phase(job: &Job, name: &'static str, phase: Phase) -> Transition {
    Transition {
        name,
        phase,
        arm_operation_url: job.claim.arm_operation_url.clone(),
        absent_reads: job.claim.absent_reads,
        failure: job.claim.record.failure.clone(),
        awaiting: None,
        release_for: None,
        leaves: None,
        cluster_pause: None,
        desired: None,
        observed: None,
        found: None,
        snapshot: None,
        event: None,
        request_id: None,
    }
}

/// Commits a change under the lease. While the database is out of reach it is tried again as long as the lease may last:
/// what ARM has answered must not be lost for a moment's outage.
///
/// A create that would wait or leave although its connection is to be removed ends here instead: nothing was made, and
/// the removal behind it must find nothing to remove.
pub(crate) async fn commit(job: &mut Job, change: Transition) -> Step<()> {
    match commit_or_end(job, change).await? {
        Committed::Done(_) => Ok(()),
        Committed::Unwanted => {
            let failure = Failure::new(
                Code::NotSent,
                "the connection was removed before its create was sent",
            );
            let ended = Transition {
                event: Some((EventKind::CreateFailed, details::failure(&failure))),
                failure: Some(failure),
                observed: Some((Observed::Absent, true)),
                ..to_phase(job, "the create is wanted no longer", Phase::Failed)
            };
            Ok(commit_or_end(job, ended).await.map(drop)?)
        }
    }
}

pub(crate) async fn commit_or_end(job: &mut Job, change: Transition) -> Result<Committed, NotCommitted> {
    let asked_at = Instant::now();
    let event = change.event.as_ref().map(|(kind, details)| {
        let driver = &job.driver;
        let event = driver
            .recorder
            .event(*kind, &job.record, &job.claim.record, details.clone());
        if job.tokens.by_service {
            return driver.recorder.of_the_service(event);
        }
        Event {
            request_id: change.request_id.clone(),
            ..event
        }
    });
    let mut repeated = false;
    let continued = loop {
        match within(try_commit(job, &change, event.clone(), repeated)).await {
            Err(NotCommitted::Error(Error::Database(error))) if error.is_outage() && job.lease.is_held() => {
                job.driver.db.failed(&error, "a result waits to be recorded");
                repeated = true;
                sleep(job.driver.settings.lease / 20).await;
            }
            result => match result? {
                Committed::Done(continued) => break continued,
                Committed::Unwanted => return Ok(Committed::Unwanted),
            },
        }
    };
    job.lease.renewed_at(asked_at);
    if change.phase.is_terminal() {
        job.driver.tokens.store.remove(job.claim.record.id);
        metrics::operation_ended(job.claim.record.kind.as_str(), change.phase.as_str());
        let code = change.failure.as_ref().map(|failure| failure.code.as_str());
        let refused = [Code::Drifted, Code::Contested].into_iter();
        if let Some(code) = refused.map(Code::as_str).find(|refused| code == Some(*refused)) {
            metrics::write_refused(code);
        }
    }
    if change.leaves.is_some() {
        let now = job.driver.clock.now();
        job.claim.record.dispatched_at = Some(now);
        job.claim.record.deadline_at = now + job.driver.settings.deadline;
        job.claim.dispatches += 1;
    }
    let gives_turn_back = gives_turn_back(&change);
    if let Some((actor, app)) = continued {
        job.set_actor(actor, app);
    }
    job.claim.record.phase = change.phase;
    job.claim.record.awaiting = change.awaiting;
    job.claim.record.failure = change.failure;
    job.claim.arm_operation_url = change.arm_operation_url;
    job.claim.absent_reads = change.absent_reads;
    tracing::info!(
        operation.id = %job.claim.record.id,
        connection.id = %job.record.id,
        operation.phase = change.phase.as_str(),
        "{}",
        change.name
    );
    job.driver.signals.changed(job.record.id);
    if gives_turn_back {
        job.driver.signals.wake();
    }
    Ok(Committed::Done(continued))
}

pub(crate) async fn try_commit(
    job: &Job,
    change: &Transition,
    mut event: Option<Event>,
    repeated: bool,
) -> Result<Committed, NotCommitted> {
    let (driver, now) = (&job.driver, job.driver.clock.now());
    let progress = Progress {
        phase: change.phase,
        arm_operation_url: change.arm_operation_url.as_deref(),
        absent_reads: change.absent_reads,
        failure: change.failure.as_ref(),
        awaiting: change.awaiting.as_ref(),
        release_for: change.release_for,
        // What waits for a caller is for whoever has tokens, and a replica that stops takes its own with it.
        holder: (change.awaiting.is_none() && !driver.replica.stop.is_cancelled())
            .then_some(driver.replica.id),
        leaves: change.leaves.map(|absent_at| Leaving { absent_at }),
        deadline_at: deadline_with(job, change, now),
        now,
    };
    let (id, lease) = (job.claim.record.id, job.lease.token());
    if change.leaves.is_some() && driver.replica.stop.is_cancelled() {
        return Err(NotCommitted::Stopping);
    }
    let mut transaction = driver.db.begin(change.name).await?;
    let db = &mut *transaction;
    connections::lock(db, job.record.id).await?;
    // Only the answer to an earlier commit was lost: to write it again would put the event twice into the ledger.
    if repeated
        && let Some(event) = &event
        && ledger_events::is_recorded(db, event.id).await?
    {
        return Ok(Committed::Done(None));
    }
    let is_create = job.claim.record.kind == OperationKind::Create;
    let is_before_sending = change.leaves.is_some() || change.phase == Phase::Queued;
    if is_create && is_before_sending && !connections::is_to_be_made(db, job.record.id).await? {
        return Ok(Committed::Unwanted);
    }
    let actor = operations::save(db, id, lease, &progress, driver.settings.lease).await?;
    let continued = (actor.0 != job.claim.record.actor).then_some(actor);
    if let Some((actor, app)) = continued {
        if change.leaves.is_some() {
            // The tokens at hand are not theirs.
            return Err(NotCommitted::Continued);
        }
        // What only the service's token is behind is nobody's.
        if let Some(event) = event.as_mut().filter(|event| event.actor.is_some()) {
            (event.actor, event.app) = (Some(actor), Some(app));
        }
    }
    if change.leaves.is_some() && !cluster_locks::take(db, id, driver.settings.slot_timeout).await? {
        return Err(NotCommitted::SlotTaken);
    }
    if gives_turn_back(change) {
        cluster_locks::give_back(db, id, change.cluster_pause).await?;
    } else if change.awaiting.is_some() {
        cluster_locks::hold_at_most(db, id, driver.settings.max_request_lifetime).await?;
    }
    if let Some(desired) = change.desired {
        connections::set_desired(db, job.record.id, desired).await?;
    }
    let is_in_doubt = [change.phase, job.claim.record.phase].contains(&Phase::Settling);
    if is_create && is_in_doubt {
        // Before the record is closed. Also of one whose outcome became unknown to a version that did not write it down.
        connections::expect_late_effect(db, job.record.id).await?;
    }
    if let Some((observed, closed)) = change.observed {
        let confirmed = observed == Observed::Present && change.phase == Phase::Succeeded;
        connections::set_observed(db, job.record.id, observed, now, closed, confirmed).await?;
    }
    record_seen(job, db, change, now).await?;
    if let Some(event) = &event {
        ledger_events::append(db, event).await?;
    }
    transaction.commit().await?;
    Ok(Committed::Done(continued))
}

/// What a read showed.
pub(crate) async fn record_seen(
    job: &Job,
    db: &mut PgConnection,
    change: &Transition,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let connection = job.record.id;
    // Before the change, which the operation's phase here is of: the request had left.
    let was_sent = matches!(job.claim.record.phase, Phase::Accepted | Phase::Settling);
    if job.claim.record.kind == OperationKind::Remove && change.phase == Phase::Succeeded && was_sent {
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

/// By when the operation should have ended after a change, if that moves with it.
pub(crate) fn deadline_with(job: &Job, change: &Transition, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let record = &job.claim.record;
    match (record.kind, change.phase) {
        _ if change.leaves.is_some() => Some(now + job.driver.settings.deadline),
        (OperationKind::Create, Phase::Queued) => {
            Some(record.created_at + job.driver.settings.max_queue_time)
        }
        _ => None,
    }
}

/// Why a transition was not committed.
pub(crate) enum NotCommitted {
    /// Another change of the cluster is in flight.
    SlotTaken,
    /// Another person continued the operation, and the tokens at hand are not theirs.
    Continued,
    /// This replica stops, and sends nothing more.
    Stopping,
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
            // It waits for its turn anew.
            NotCommitted::SlotTaken | NotCommitted::Continued | NotCommitted::Stopping => {
                Self::Next(NextAction::RetryAfter(Duration::ZERO))
            }
            NotCommitted::Error(error) => Self::Error(error),
        }
    }
}

/// What became of a commit.
pub(crate) enum Committed {
    /// All was written. In whose name, and by which app, the operation goes on, if somebody continued it since it was claimed.
    Done(Option<(ActorId, Uuid)>),
    /// Nothing was written: the create is wanted no longer.
    Unwanted,
}

/// Whether a change leaves the cluster to the next: the operation has ended, or waits for a turn of its own.
pub(crate) const fn gives_turn_back(change: &Transition) -> bool {
    change.phase.is_terminal() || matches!(change.phase, Phase::Queued)
}
