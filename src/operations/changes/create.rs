//! The create's request to ARM: sent once after its intent is committed, and again only when ARM surely did nothing.

use crate::arm::{Accepted, ArmError, ArmErrorKind, CallTrace, Credentials, failure_of};
use crate::domain::{Code, Error, EventKind, Failure, Observed, Phase};
use crate::ledger::details::{self, CreateRepeatedDetails};
use crate::operations::driver::job::{Job, NextAction, Step};
use crate::operations::driver::{claims, comparison, deferral, outcome, tokens, transition};
use chrono::TimeDelta;
use std::time::Duration;

/// Begins a create that waited: for its turn, for a token, or because ARM deferred it. Time has passed since its absence was
/// proved, and a PUT now could replace what another person made meanwhile: the new proof and the dispatch are committed first.
pub(crate) async fn begin(job: &mut Job) -> Step {
    if job.is_overdue() {
        let detail = "the create could not be sent in the time that creates may wait";
        return outcome::fail(job, Failure::new(Code::NotSent, detail), Observed::Absent).await;
    }
    let credentials = tokens::writing(job).await?;
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    match job
        .lease
        .keep(arm.data_connection(&credentials.primary, &id))
        .await?
    {
        Ok(None) => {}
        Ok(Some(_)) => {
            let detail = "another person created a data connection of this name while this create waited";
            return outcome::fail(job, Failure::new(Code::NameTaken, detail), Observed::Absent).await;
        }
        Err(error) => return absence_not_proved(job, &error).await,
    }
    let absent_at = job.driver.clock.now();
    let (event, details) = if job.claim.dispatches == 0 {
        let hash = &job.claim.record.request_hash;
        let details =
            details::create_intent(&job.record, hash, absent_at, job.driver.arm.kusto_api_version());
        (EventKind::CreateIntended, details::json(&details))
    } else {
        let details = CreateRepeatedDetails {
            absence_seen_at: absent_at,
            dispatches: job.claim.dispatches,
        };
        (EventKind::CreateRepeated, details::json(&details))
    };
    let mut begun = transition::to_dispatched(job, "the create is sent");
    begun.next.absence_seen_at = Some(absent_at);
    begun.observed = Some((Observed::Unknown, false));
    begun.event = Some((event, details));
    transition::commit(job, begun).await?;
    if job.claim.record.phase.is_terminal() {
        return Ok(NextAction::Done);
    }
    job.unsent = true;
    send_create(job, credentials).await
}

/// The read that must find nothing failed.
pub(crate) async fn absence_not_proved(job: &mut Job, error: &ArmError) -> Step {
    match &error.kind {
        ArmErrorKind::Refused(refusal) if refusal.status == 404 => {
            outcome::fail(job, failure_of(Code::ParentMissing, error), Observed::Absent).await
        }
        // Its user proved enough a moment ago, and ARM takes the token for another tenant's: as after a move of the subscription,
        // which not all of ARM knows of at once.
        ArmErrorKind::Refused(refusal) if refusal.is_code("InvalidAuthenticationTokenTenant") => {
            let pause = job.growing_pause();
            Ok(NextAction::RetryAfter(pause))
        }
        ArmErrorKind::Refused(refusal) if refusal.status == 401 || refusal.claims.is_some() => {
            outcome::await_caller(job, job.demanded(Some(refusal))).await
        }
        // The caller has lost the right; nothing was ever sent.
        ArmErrorKind::Refused(refusal) if refusal.status == 403 => {
            outcome::fail(job, failure_of(Code::AzureRefused, error), Observed::Absent).await
        }
        _ => {
            let pause = error.retry_after().unwrap_or_else(|| job.growing_pause());
            Ok(NextAction::RetryAfter(pause))
        }
    }
}

/// Sends what was committed on this replica a moment ago.
pub(crate) async fn send(job: &mut Job) -> Step {
    // Without tokens nothing was sent, and the proof of absence grows old: it begins anew when they are there.
    let credentials = tokens::writing(job).await?;
    send_create(job, credentials).await
}

pub(crate) async fn send_create(job: &mut Job, credentials: Credentials) -> Step {
    let Some(body) = job.claim.body.clone() else {
        return Err(Error::Internal("a create without a body".to_owned()).into());
    };
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    let trace = CallTrace {
        correlation_id: job.claim.record.correlation_id,
    };
    outcome::before_send(job).await?;
    job.unsent = false;
    let answer = job
        .lease
        .keep(arm.put_data_connection(&credentials, &id, &body, &trace))
        .await?;
    match answer {
        Ok(accepted) => create_accepted(job, accepted).await,
        Err(error) => create_not_accepted(job, &error).await,
    }
}

pub(crate) async fn create_accepted(job: &mut Job, accepted: Accepted) -> Step {
    let details = details::json(&details::accepted(accepted.status, &accepted.call, None));
    // A new one is 201, of every kind (recorded ARM traffic): another person's was there since the read that found nothing.
    let failure = (accepted.status == 200).then(comparison::contested);
    if failure.is_some() {
        tracing::warn!(
            operation.id = %job.claim.record.id,
            connection.id = %job.record.id,
            "Azure processed the create as a change of what another person had created at the same time"
        );
    }
    let mut taken = transition::to_phase(job, "Azure took the create", Phase::Accepted);
    taken.next.record.failure = failure;
    taken.next.arm_operation_url = accepted.operation.map(|url| url.expose().to_owned());
    taken.event = Some((EventKind::CreateAccepted, details));
    transition::commit(job, taken).await?;
    job.restart_pauses();
    Ok(NextAction::RetryAfter(job.next_pause()))
}

pub(crate) async fn create_not_accepted(job: &mut Job, error: &ArmError) -> Step {
    match &error.kind {
        // Surely without effect: it may be sent again when ARM says so, unless that is too late.
        _ if error.is_deferred() && may_wait(job, error.retry_after()) => deferral::defer(job, error).await,
        // Nothing left this machine.
        ArmErrorKind::NotSent(_) if may_wait(job, None) => {
            job.unsent = true;
            let pause = job.growing_pause();
            Ok(NextAction::RetryAfter(pause))
        }
        ArmErrorKind::NotSent(_) | ArmErrorKind::Rejected(_) => {
            outcome::fail(job, failure_of(Code::NotSent, error), Observed::Absent).await
        }
        // Nothing was done: a caller who signs in with what ARM requires continues it.
        ArmErrorKind::Refused(refusal) if refusal.claims.is_some() => claims::challenged(job, error).await,
        ArmErrorKind::Refused(_) | ArmErrorKind::Throttled(_) => {
            let mut refused = transition::to_phase(job, "Azure refused the create", Phase::Accepted);
            refused.next.record.failure = Some(failure_of(Code::AzureRefused, error));
            transition::commit(job, refused).await?;
            // A failure counts only after a read: the next step makes it.
            Ok(NextAction::RetryAfter(Duration::ZERO))
        }
        _ => {
            outcome::mark_outcome_unknown(
                job,
                "the request got no answer that shows whether it was carried out",
            )
            .await
        }
    }
}

/// Whether the create may wait this long within `max_queue_time`.
pub(crate) fn may_wait(job: &Job, pause: Option<Duration>) -> bool {
    let pause = TimeDelta::from_std(pause.unwrap_or_default()).unwrap_or(TimeDelta::MAX);
    let max = TimeDelta::from_std(job.driver.settings.max_queue_time).unwrap_or(TimeDelta::MAX);
    let waited = job.driver.clock.now() - job.claim.record.created_at;
    pause < max - waited
}
