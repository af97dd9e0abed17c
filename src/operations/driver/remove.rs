//! A removal, step by step. `404` counts as removed only while the parent database can be read.

use super::{challenge, commit, comparison, follow, queue, reading, settle, tokens};
use crate::ledger::details;
use std::time::Duration;

use crate::arm::failure_of;
use crate::arm::{ArmError, ArmErrorKind, CallReport, CallTrace, Credentials, Deleted};
use crate::db::{operations, within};
use crate::domain::Awaiting;
use crate::domain::Code;
use crate::domain::Desired;
use crate::domain::EventKind;
use crate::domain::FoundResource;
use crate::domain::Observed;
use crate::domain::Phase;
use crate::operations::driver::Job;
use crate::operations::driver::commit::Change;
use crate::operations::driver::follow::is_under_way;
use crate::operations::driver::send::plain;
use crate::operations::driver::{NextAction, Step};
use crate::tokens::store::Access;
use crate::upstream::Bearer;
use serde_json::{Value, json};

/// How soon, at the latest, a waiting removal looks again whether the change before it has ended.
const TURN: Duration = Duration::from_millis(250);

/// Begins a removal that waited: for another change of its connection or cluster, for a token, or because ARM put it off.
pub(super) async fn begin_removal(job: &mut Job) -> Step {
    let store = &job.driver.tokens.store;
    if store.for_use(job.claim.record.id, Access::Write).is_none() {
        return commit::await_caller(job, token_to_write(job)).await;
    }
    let before = within(async {
        let mut db = job.driver.db.pool().acquire().await?;
        operations::another_in_flight(&mut db, &job.claim.record).await
    });
    let before = before.await?;
    if before.is_some() {
        return Ok(NextAction::RetryAfter(TURN));
    }
    // What the change before it left is known only now.
    job.record = job.driver.record_of(&job.claim).await?;
    if job.record.closed_at.is_some() {
        return nothing_was_made(job).await;
    }
    let credentials = tokens::writing(job).await?;
    let differs = comparison::clear_to_remove(job, &credentials).await?;
    job.wait_anew();
    queue::assume_actor(job).await?;
    let event = if job.claim.dispatches == 0 {
        EventKind::RemoveIntended
    } else {
        EventKind::RemoveRepeated
    };
    let mut details = details::removal_intent(&job.record, job.driver.arm.kusto_api_version());
    add_differences(&mut details, differs.as_ref());
    let begun = commit::commit(
        job,
        Change {
            found: differs,
            request_id: job
                .tokens
                .writer
                .as_ref()
                .map(|caller| caller.request_id().to_owned()),
            leaves: Some(None),
            desired: Some(Desired::Absent),
            observed: Some((Observed::Unknown, false)),
            event: Some((event, details)),
            ..commit::to_phase(job, "the removal is sent", Phase::Dispatched)
        },
    );
    begun.await?;
    job.unsent = true;
    send_removal(job, credentials, None).await
}

/// The create came to nothing, so its name is free, and what has it now may be somebody else's: nothing is sent.
async fn nothing_was_made(job: &mut Job) -> Step {
    commit::commit(
        job,
        Change {
            failure: None,
            event: Some((EventKind::RemoveSucceeded, json!({ "neverMade": true }))),
            ..commit::to_phase(job, "there is nothing to remove", Phase::Succeeded)
        },
    )
    .await?;
    Ok(NextAction::Done)
}

/// Sends what was committed on this replica a moment ago.
pub(super) async fn send_committed_removal(job: &mut Job) -> Step {
    let credentials = tokens::writing(job).await?;
    let differs = comparison::clear_to_remove(job, &credentials).await?;
    send_removal(job, credentials, differs).await
}

/// `differs` is what a read found directly before, where it is the record's but configured otherwise.
async fn send_removal(job: &mut Job, credentials: Credentials, differs: Option<FoundResource>) -> Step {
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    let trace = CallTrace {
        correlation_id: job.claim.record.correlation_id,
    };
    job.before_send().await?;
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

async fn removal_accepted(
    job: &mut Job,
    url: Option<String>,
    call: &CallReport,
    status: u16,
    differs: Option<FoundResource>,
) -> Step {
    let mut details = json!({
        "status": status,
        "armRequestId": call.request_id,
        "durationMs": u64::try_from(call.duration.as_millis()).unwrap_or(u64::MAX),
        "withAuxiliary": job.with_auxiliary,
    });
    add_differences(&mut details, differs.as_ref());
    let nothing_to_follow = url.is_none();
    commit::commit(
        job,
        Change {
            found: differs,
            arm_operation_url: url,
            event: Some((EventKind::RemoveAccepted, details)),
            ..commit::to_phase(job, "Azure took the removal", Phase::Accepted)
        },
    )
    .await?;
    job.wait_anew();
    Ok(NextAction::RetryAfter(if nothing_to_follow {
        Duration::ZERO
    } else {
        job.next_pause()
    }))
}

async fn removal_not_accepted(job: &mut Job, error: &ArmError) -> Step {
    match &error.kind {
        // A change of the cluster is under way, or somebody else's: the wish stands, and its turn comes.
        _ if error.is_put_off() => queue::put_off(job, error).await,
        // Nothing left this machine: the wish stands, and it is sent again.
        ArmErrorKind::NotSent(_) => {
            job.unsent = true;
            let pause = queue::growing_pause(job);
            Ok(NextAction::RetryAfter(pause))
        }
        ArmErrorKind::Refused(_) if error.is_code("LinkedAuthorizationFailed") && !job.with_auxiliary => {
            job.with_auxiliary = true;
            send_with_auxiliary(job).await
        }
        // Somebody who signs in with what ARM demands has to ask again; the wish stands.
        ArmErrorKind::Refused(refusal) if refusal.claims.is_some() => challenge::challenged(job, error).await,
        // Whoever tried to help may not; that takes nothing from the wish of who asked for it.
        ArmErrorKind::Refused(refusal)
            if matches!(refusal.status, 401 | 403) && job.claim.record.actor != job.tokens.requester =>
        {
            challenge::hold(job, error, job.record.target_tenant.into()).await
        }
        ArmErrorKind::Refused(_) | ArmErrorKind::Throttled(_) => {
            let failure = failure_of(Code::AzureRefused, error);
            let kept = commit::to_phase(job, "Azure refused the removal", Phase::Accepted);
            commit::commit(
                job,
                Change {
                    failure: Some(failure),
                    ..kept
                },
            )
            .await?;
            // A failure counts only after a read: the next step makes it.
            Ok(NextAction::RetryAfter(Duration::ZERO))
        }
        _ => {
            commit::mark_outcome_unknown(
                job,
                "the removal got no answer that tells whether it was carried out",
            )
            .await
        }
    }
}

/// Another request, which may land as late as any: it is committed as the first one was.
async fn send_with_auxiliary(job: &mut Job) -> Step {
    let details = details::removal_intent(&job.record, job.driver.arm.kusto_api_version());
    let begun = commit::commit(
        job,
        Change {
            leaves: Some(None),
            event: Some((EventKind::RemoveRepeated, details)),
            ..commit::to_phase(
                job,
                "the removal is sent with the source's token",
                Phase::Dispatched,
            )
        },
    );
    // It kept the cluster for longer than it may, and another change is at it by now. ARM refused the first request, so nothing
    // of it is left to come.
    begun.await?;
    job.unsent = true;
    Ok(NextAction::RetryAfter(Duration::ZERO))
}

/// The removal as reads show it. `is_done` says that ARM called it carried out.
pub(super) async fn confirm_removal(job: &mut Job, is_done: bool) -> Step {
    let token = reading::reading(job).await?;
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    match job.lease.keep(arm.data_connection(&token, &id)).await? {
        // What is there since is another's.
        Ok(Some(found)) if is_done && comparison::is_replaced(job, &found).await?.is_some() => {
            removed(job, json!({ "databaseRead": true, "replacedSince": true })).await
        }
        // Reads lag, and the request may still be carried out: one read that shows it there is no reason to send another.
        Ok(Some(found))
            if job.claim.record.phase == Phase::Settling
                && settle::request_is_dead(job).await?
                && (!is_under_way(&found) || follow::is_overdue(job)) =>
        {
            match comparison::is_replaced(job, &found).await? {
                Some(comparison) => comparison::drifted_from(job, &found, &comparison).await,
                None => resend_removal(job).await,
            }
        }
        Ok(Some(_)) if job.claim.record.phase == Phase::Settling => follow::look_again_later(job).await,
        Ok(Some(_)) => Ok(NextAction::RetryAfter(job.next_pause())),
        Ok(None) => confirm_absence(job, &token).await,
        Err(error) if error.status() == Some(404) => parent_missing(job).await,
        Err(error) => follow::read_failed(job, &error).await,
    }
}

/// A read found nothing: that counts as removed only while the parent database can be read.
pub(super) async fn confirm_absence(job: &mut Job, token: &dyn Bearer) -> Step {
    let (arm, database) = (job.driver.arm.clone(), job.record.arm_id.database());
    match job.lease.keep(arm.database_exists(token, &database)).await? {
        Ok(true) => removed(job, json!({ "databaseRead": true })).await,
        Ok(false) => parent_missing(job).await,
        Err(error) if error.status() == Some(404) => parent_missing(job).await,
        // Nothing was sent, if the removal waits for its request to leave.
        Err(error) if job.unsent || job.claim.record.phase == Phase::Queued => {
            comparison::not_readable(job, &error).await
        }
        Err(error) => follow::read_failed(job, &error).await,
    }
}

async fn removed(job: &mut Job, details: Value) -> Step {
    commit::commit(
        job,
        Change {
            failure: None,
            observed: Some((Observed::Absent, true)),
            event: Some((EventKind::RemoveSucceeded, details)),
            ..commit::to_phase(job, "the connection is removed", Phase::Succeeded)
        },
    )
    .await?;
    Ok(NextAction::Done)
}

/// The data connection can't be seen, but neither can its database: it is missing, not removed.
pub(super) async fn parent_missing(job: &mut Job) -> Step {
    let detail = "neither the data connection nor its database can be read, which proves no removal; ask again when the database is there";
    commit::fail(
        job,
        plain(Code::ParentMissing, detail),
        comparison::observed_as_gone(job),
    )
    .await
}

/// Settles a removal whose outcome is unknown. What the caller named and wanted gone is asked for again.
pub(super) async fn settle_removal(job: &mut Job) -> Step {
    confirm_removal(job, false).await
}

/// A read found it still there, and not on its way: the removal waits for a turn to be sent again. It is never given up, but
/// it comes less and less often, so that it wears out neither ARM nor the ledger.
async fn resend_removal(job: &mut Job) -> Step {
    // Until somebody is here who may send it, the first one may still land, and reads go on showing whether it has.
    if job
        .driver
        .tokens
        .store
        .for_use(job.claim.record.id, Access::Write)
        .is_none()
    {
        return commit::await_caller(job, token_to_write(job)).await;
    }
    let (least, most) = (job.driver.settings.poll_max, job.driver.settings.deadline / 10);
    let pause = match job.claim.dispatches {
        0 | 1 => Duration::ZERO,
        times => least.saturating_mul(times.unsigned_abs()).min(most.max(least)),
    };
    Ok(queue::requeue(job, pause).await?)
}

/// What to ask for when nobody's tokens to write with are here: the one that was missing last, else the target's.
fn token_to_write(job: &Job) -> Awaiting {
    let target = job.record.target_tenant;
    job.tokens.awaited.clone().unwrap_or_else(|| target.into())
}

/// Says in an event what of the data connection is not as it is recorded.
fn add_differences(details: &mut Value, differs: Option<&FoundResource>) {
    if let (Some(found), Some(details)) = (differs, details.as_object_mut()) {
        details.insert("differences".to_owned(), found.differences.clone().into());
    }
}
