//! The removal's request to ARM: sent only after a read that was compared with the record.

use super::settle_remove;
use crate::arm::{ArmError, ArmErrorKind, CallReport, CallTrace, Credentials, Deleted, failure_of};
use crate::db::operations;
use crate::domain::{Code, Desired, EventKind, FoundResource, Observed, Phase};
use crate::ledger::details::{self, AcceptedDetails, RemoveSucceededDetails};
use crate::operations::driver::job::{Job, NextAction, Step, Stop, early};
use crate::operations::driver::{claims, comparison, deferral, outcome, reads, tokens, transition};
use crate::sources::Comparison;
use std::time::Duration;

/// The pause before a queued removal checks again whether the change before it has ended.
pub(crate) const MAX_RECHECK_PAUSE: Duration = Duration::from_millis(250);

/// Begins a removal that waited: for another change of its connection or cluster, for a token, or because ARM deferred it.
pub(crate) async fn begin(job: &mut Job) -> Step {
    if tokens::actors(job).await?.is_none() {
        return outcome::await_caller(job, job.awaited_token()).await;
    }
    let db = &job.driver.db;
    let before = db.background(async |db| operations::another_in_flight(db, &job.claim.record).await);
    let before = before.await?;
    if before.is_some() {
        return Ok(NextAction::RetryAfter(MAX_RECHECK_PAUSE));
    }
    // What the change before it left is known only now.
    job.record = Job::find_record(&job.driver.db, &job.claim).await?;
    if job.record.closed_at.is_some() {
        return nothing_was_made(job).await;
    }
    let credentials = tokens::writing(job).await?;
    let differs = read_and_compare(job, &credentials).await?;
    job.restart_pauses();
    let event = if job.claim.dispatches == 0 {
        EventKind::RemoveIntended
    } else {
        EventKind::RemoveRepeated
    };
    let details = details::removal_intent(&job.record, job.driver.arm.kusto_api_version());
    let details = details::json(&details.beside(differs.as_ref()));
    let actors = job
        .driver
        .tokens
        .store
        .for_writes(job.claim.record.id, job.claim.record.actor, job.now());
    let request_id = actors.map(|tokens| tokens.caller.request_id().to_owned());
    let mut begun = transition::to_dispatched(job, "the removal is sent");
    begun.found = differs;
    begun.request_id = request_id;
    begun.desired = Some(Desired::Absent);
    begun.observed = Some((Observed::Unknown, false));
    begun.event = Some((event, details));
    transition::commit(job, begun).await?;
    job.unsent = true;
    send_removal(job, credentials, None).await
}

/// Reads and compares directly before a removal is sent: without a read that succeeds, nothing is deleted, and nothing that is not
/// what the record says, unless a caller named exactly that. Returns what differs, if anything does; `Err` is how the step ends
/// when nothing may be sent.
pub(crate) async fn read_and_compare(
    job: &mut Job,
    credentials: &Credentials,
) -> Step<Option<FoundResource>> {
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    let found = match job
        .lease
        .keep(arm.data_connection(&credentials.primary, &id))
        .await?
    {
        Ok(Some(found)) => found,
        Ok(None) => {
            return Err(early(
                settle_remove::confirm_absence(job, &credentials.primary).await,
            ));
        }
        Err(error) if error.status() == Some(404) => {
            return Err(early(settle_remove::parent_missing(job).await));
        }
        Err(error) => return Err(early(settle_remove::not_readable(job, &error).await)),
    };
    let waited = (job.now() - job.claim.record.created_at)
        .to_std()
        .unwrap_or_default();
    // It is compared when its change has ended, but a state that lasts does not block a removal for ever.
    if reads::is_under_way(&found) && waited < job.driver.settings.deadline {
        let pause = job.growing_pause();
        return Err(Stop::Next(NextAction::RetryAfter(pause)));
    }
    let comparison = comparison::compared(job, &found).await?;
    if comparison == Comparison::Unreadable {
        let pause = job.growing_pause();
        return Err(Stop::Next(NextAction::RetryAfter(pause)));
    }
    if comparison::forbids_removal(job, &found, &comparison) {
        return Err(early(comparison::drifted_from(job, &found, &comparison).await));
    }
    let differs = matches!(comparison, Comparison::Differs(_));
    // What may be another creator's stays so, however the removal ends.
    Ok(differs.then(|| comparison::seen(&found, &comparison, job.is_contested(), job.now())))
}

/// The create failed, so its name is free, and the data connection of that name may be another creator's: nothing is sent.
pub(crate) async fn nothing_was_made(job: &mut Job) -> Step {
    let mut done = transition::to_phase(job, "there is nothing to remove", Phase::Succeeded);
    done.next.record.failure = None;
    let details = RemoveSucceededDetails {
        never_made: Some(true),
        ..RemoveSucceededDetails::default()
    };
    done.event = Some((EventKind::RemoveSucceeded, details::json(&details)));
    transition::commit(job, done).await?;
    Ok(NextAction::Done)
}

/// Sends what was committed on this replica a moment ago.
pub(crate) async fn send(job: &mut Job) -> Step {
    let credentials = tokens::writing(job).await?;
    let differs = read_and_compare(job, &credentials).await?;
    send_removal(job, credentials, differs).await
}

/// `differs` is what a read found directly before, where it is the record's but configured otherwise.
pub(crate) async fn send_removal(
    job: &mut Job,
    credentials: Credentials,
    differs: Option<FoundResource>,
) -> Step {
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    let trace = CallTrace {
        correlation_id: job.claim.record.correlation_id,
    };
    outcome::before_send(job).await?;
    job.unsent = false;
    let answer = job
        .lease
        .keep(arm.delete_data_connection(&credentials, &id, &trace))
        .await?;
    match answer {
        Ok(Deleted::Accepted { operation, call }) => {
            let url = operation.map(|url| url.expose().to_owned());
            removal_accepted(job, url, &call, 202, differs).await
        }
        Ok(Deleted::Done { call }) => removal_accepted(job, None, &call, 200, differs).await,
        Ok(Deleted::NothingThere { call }) => removal_accepted(job, None, &call, 204, differs).await,
        Err(error) => removal_not_accepted(job, &error).await,
    }
}

pub(crate) async fn removal_accepted(
    job: &mut Job,
    url: Option<String>,
    call: &CallReport,
    status: u16,
    differs: Option<FoundResource>,
) -> Step {
    let details = AcceptedDetails {
        with_auxiliary: Some(job.with_auxiliary),
        ..details::accepted(status, call, differs.as_ref())
    };
    let nothing_to_follow = url.is_none();
    let mut taken = transition::to_phase(job, "Azure took the removal", Phase::Accepted);
    taken.next.arm_operation_url = url;
    taken.found = differs;
    taken.event = Some((EventKind::RemoveAccepted, details::json(&details)));
    transition::commit(job, taken).await?;
    job.restart_pauses();
    Ok(NextAction::RetryAfter(if nothing_to_follow {
        Duration::ZERO
    } else {
        job.next_pause()
    }))
}

pub(crate) async fn removal_not_accepted(job: &mut Job, error: &ArmError) -> Step {
    match &error.kind {
        // Another change of the cluster is under way: the removal stays queued until its turn.
        _ if error.is_deferred() => deferral::defer(job, error).await,
        // Nothing left this machine: the wish stands, and it is sent again.
        ArmErrorKind::NotSent(_) => {
            job.unsent = true;
            let pause = job.growing_pause();
            Ok(NextAction::RetryAfter(pause))
        }
        ArmErrorKind::Refused(_) if error.is_code("LinkedAuthorizationFailed") && !job.with_auxiliary => {
            job.with_auxiliary = true;
            send_with_auxiliary(job).await
        }
        // A caller who signs in with what ARM requires continues it. Nor does a right end it that only who continued it lacks.
        ArmErrorKind::Refused(refusal)
            if refusal.claims.is_some() || (job.claim.continued && matches!(refusal.status, 401 | 403)) =>
        {
            claims::challenged(job, error).await
        }
        ArmErrorKind::Refused(_) | ArmErrorKind::Throttled(_) => {
            let mut refused = transition::to_phase(job, "Azure refused the removal", Phase::Accepted);
            refused.next.record.failure = Some(failure_of(Code::AzureRefused, error));
            transition::commit(job, refused).await?;
            // A failure counts only after a read: the next step makes it.
            Ok(NextAction::RetryAfter(Duration::ZERO))
        }
        _ => {
            outcome::mark_outcome_unknown(
                job,
                "the removal got no answer that shows whether it was carried out",
            )
            .await
        }
    }
}

/// Another request, which may land as late as any: it is committed as the first one was.
pub(crate) async fn send_with_auxiliary(job: &mut Job) -> Step {
    let details = details::removal_intent(&job.record, job.driver.arm.kusto_api_version());
    let mut begun = transition::to_dispatched(job, "the removal is sent with the source's token");
    begun.event = Some((EventKind::RemoveRepeated, details::json(&details)));
    let begun = transition::commit(job, begun).await;
    // It held the cluster's slot for too long, and another change has it by now. ARM refused the first request, so nothing of it
    // can take effect: the removal waits for its turn like one that was never sent.
    if matches!(begun, Err(Stop::Next(_))) {
        job.unsent = true;
    }
    begun?;
    job.unsent = true;
    Ok(NextAction::Step)
}
