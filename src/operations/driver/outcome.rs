//! How a step leaves an operation: failed, unknown, waiting for a caller, in the queue, or read again later.

use crate::domain::{Awaiting, Desired, EventKind, Failure, FoundResource, Observed, OperationKind, Phase};
use crate::ledger::details::{self, OutcomeUnknownDetails};
use crate::operations::driver::job::{Job, NextAction, Step, Stop};
use crate::operations::driver::transition::{self, Transition};
use std::time::Duration;

/// Ends the operation without the change. What ARM holds is `observed`; a create that left nothing closes the record.
pub(crate) async fn fail(job: &mut Job, failure: Failure, observed: Observed) -> Step {
    fail_with(job, failure, observed, None).await
}

/// The same, with what a read found that is not what is recorded.
pub(crate) async fn fail_with(
    job: &mut Job,
    failure: Failure,
    observed: Observed,
    found: Option<FoundResource>,
) -> Step {
    let kind = job.claim.record.kind;
    let (event, desired) = match kind {
        OperationKind::Create => (EventKind::CreateFailed, None),
        // The removal had no effect, and the connection is what it was.
        OperationKind::Remove => (EventKind::RemoveFailed, Some(Desired::Present)),
    };
    let closed = kind == OperationKind::Create && observed == Observed::Absent;
    let details = details::json(&details::failure(&failure, found.as_ref()));
    if let Some(found) = &found {
        tracing::warn!(
            operation.id = %job.claim.record.id,
            connection.id = %job.record.id,
            failure.code = failure.code,
            failure.comparison = failure.comparison,
            found.differences = ?found.differences,
            "Azure holds something else than what is recorded, so nothing was deleted or called done"
        );
    }
    let mut failed = transition::to_phase(job, "the operation failed", Phase::Failed);
    failed.next.record.failure = Some(failure);
    failed.event = Some((event, details));
    failed.desired = desired;
    failed.observed = Some((observed, closed));
    failed.found = found;
    transition::commit(job, failed).await?;
    Ok(NextAction::Done)
}

/// Records that the outcome is unknown: from here on, only reads decide.
pub(crate) async fn mark_outcome_unknown(job: &mut Job, why: &str) -> Step {
    job.unsent = false;
    let details = details::json(&OutcomeUnknownDetails {
        reason: why.to_owned(),
    });
    let mut unknown = transition::to_phase(job, "the outcome is unknown", Phase::Settling);
    unknown.next.absent_reads = 0;
    // What ARM said of a create is still to be borne out; a removal is wanted whatever it said.
    if job.claim.record.kind == OperationKind::Remove {
        unknown.next.record.failure = None;
    }
    unknown.observed = Some((Observed::Unknown, false));
    unknown.event = Some((EventKind::OutcomeUnknown, details));
    transition::commit(job, unknown).await?;
    job.restart_pauses();
    Ok(NextAction::RetryAfter(Duration::ZERO))
}

/// Releases the lease because a token is missing: who brings one resumes the operation.
pub(crate) async fn await_caller(job: &mut Job, awaited: impl Into<Awaiting>) -> Step {
    if job.claim.record.phase.is_terminal() {
        return Ok(NextAction::Done);
    }
    // Must happen before the lease is released: afterwards another request may resume the operation.
    let store = &job.driver.tokens.store;
    if store.discard(job.claim.record.id, job.tokens.tried, job.now()) {
        return Ok(NextAction::RetryAfter(Duration::ZERO));
    }
    let release_for = Some(job.driver.tokens.own.recheck_delay(&job.record));
    // What was surely not sent leaves the queue and blocks no other operation.
    let mut waiting = transition::to_phase(job, "the operation waits for a token", job.phase_without_lease());
    waiting.next.record.awaiting = Some(awaited.into());
    waiting.release_for = release_for;
    transition::commit(job, waiting).await?;
    Ok(NextAction::Done)
}

/// Releases the lease at once: this replica stops.
pub(crate) async fn hand_over(job: &mut Job) -> Step<()> {
    let mut handed = transition::to_phase(job, "the operation is handed over", job.phase_without_lease());
    handed.next.record.awaiting = job.claim.record.awaiting.clone();
    handed.release_for = Some(Duration::ZERO);
    transition::commit(job, handed).await
}

/// Returns the operation to the queue, so that others of the cluster have their turn.
pub(crate) async fn requeue(job: &mut Job, pause: Duration) -> Step {
    if job.claim.record.phase.is_terminal() {
        return Ok(NextAction::Done);
    }
    let mut queued = transition::to_phase(job, "the operation waits for its turn", Phase::Queued);
    queued.release_for = Some(pause);
    transition::commit(job, queued).await?;
    Ok(NextAction::Done)
}

/// Records what was seen and reads again after a pause.
pub(crate) async fn reschedule(job: &mut Job, mut change: Transition) -> Step {
    job.claim.absent_reads = change.next.absent_reads;
    let pause = job.next_pause();
    // A wait that may last is made without a lease, so it does not count against the limit here.
    let at_rest = pause >= job.driver.settings.poll_max;
    // A short one is recorded only with a new failure: the count of reads may be lost with the process.
    if at_rest || change.next.record.failure != job.claim.record.failure {
        change.release_for = at_rest.then_some(pause);
        transition::commit(job, change).await?;
    }
    Ok(if at_rest {
        NextAction::Done
    } else {
        NextAction::RetryAfter(pause)
    })
}

/// Reads again after the next pause, which grows.
pub(crate) async fn recheck_later(job: &mut Job) -> Step {
    let pause = job.next_pause();
    recheck_after(job, pause).await
}

/// Reads again after a pause; without a lease if it is long, so that the operation does not count against the limit here.
pub(crate) async fn recheck_after(job: &mut Job, pause: Duration) -> Step {
    if pause < job.driver.settings.poll_max {
        return Ok(NextAction::RetryAfter(pause));
    }
    let name = "the operation is checked again later";
    let mut resting = transition::to_phase(job, name, job.claim.record.phase);
    resting.release_for = Some(pause);
    transition::commit(job, resting).await?;
    Ok(NextAction::Done)
}

/// Before each request to ARM: the lease must last by the monotonic clock, with time for the request to be sent.
pub(crate) async fn before_send(job: &mut Job) -> Step<()> {
    if job.driver.replica.is_stopping() {
        hand_over(job).await?;
        return Err(Stop::Next(NextAction::Done));
    }
    Ok(job.lease.ensure_half().await?)
}
