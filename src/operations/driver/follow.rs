//! Follows ARM's operation to its end, and believes the end only after a read.

use super::{commit, comparison, reading, remove, settle};
use std::time::Duration;

use futures_util::future::join;
use serde_json::json;

use crate::arm::failure_of;
use crate::arm::reason;
use crate::arm::{ArmError, Comparison, DataConnection, OperationStatus, OperationUrl};
use crate::domain::Code;
use crate::domain::EventKind;
use crate::domain::Failure;
use crate::domain::Observed;
use crate::domain::OperationKind;
use crate::domain::Phase;
use crate::domain::Upstream;
use crate::operations::driver::Job;
use crate::operations::driver::commit::Change;
use crate::operations::driver::comparison::{Whose, without_people};
use crate::operations::driver::reading::ReadToken;
use crate::operations::driver::send::plain;
use crate::operations::driver::{NextAction, Step, early};

/// How often a create that ARM called done is looked for before it counts as unsettled: reads lag.
const READS_AFTER_SUCCESS: i32 = 20;
/// Reads in a row that must find nothing before it counts as not made.
pub(super) const ABSENT_READS: i32 = 3;

pub(super) async fn follow(job: &mut Job) -> Step {
    if is_overdue(job) {
        return commit::mark_outcome_unknown(
            job,
            "it was not known before the operation's deadline what came of it",
        )
        .await;
    }
    if job.claim.record.failure.is_some() {
        return confirm_failure(job).await;
    }
    let token = reading::reading(job).await?;
    let Some(url) = operation_url(job) else {
        return follow_by_reading(job, false).await;
    };
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    // Side by side: what the operation's end has to be borne out by is here together with it.
    let asked = join(arm.poll(&token, &url), arm.data_connection(&token, &id));
    let (state, seen) = job.lease.keep(asked).await?;
    match state {
        Ok(state) => match state.status {
            OperationStatus::Running(_) => Ok(NextAction::RetryAfter(
                state.retry_after.unwrap_or_else(|| job.next_pause()),
            )),
            OperationStatus::Succeeded => ended_at_azure(job, &token, seen).await,
            OperationStatus::Failed { code, message } => {
                let id = state.call.request_id.as_deref();
                let said = reason(code.as_deref(), message.as_deref(), id);
                let upstream = Some(Upstream {
                    service: "arm".to_owned(),
                    status: None,
                    code,
                    request_id: state.call.request_id,
                });
                let detail = format!("Azure reported that the change failed: {said}");
                record_failure(
                    job,
                    Failure {
                        upstream,
                        ..plain(Code::AzureFailed, &detail)
                    },
                )
                .await
            }
            OperationStatus::Canceled => {
                record_failure(job, plain(Code::AzureFailed, "Azure canceled the change")).await
            }
        },
        // ARM forgets operations after a while; the resource itself still tells.
        Err(error) if error.status() == Some(404) => follow_by_reading(job, false).await,
        Err(error) => read_failed(job, &error).await,
    }
}

/// ARM called its operation done, and this is what a read beside it showed. One that shows something else may have been a moment
/// before the end: then another one tells.
async fn ended_at_azure(
    job: &mut Job,
    token: &ReadToken,
    seen: Result<Option<DataConnection>, ArmError>,
) -> Step {
    match (job.claim.record.kind, seen) {
        (OperationKind::Create, Ok(Some(found))) if !is_under_way(&found) => finish_create(job, &found).await,
        (OperationKind::Remove, Ok(None)) => remove::confirm_absence(job, token).await,
        _ => follow_by_reading(job, true).await,
    }
}

/// Where ARM tells how its operation stands, if it said so.
fn operation_url(job: &Job) -> Option<OperationUrl> {
    let text = job.claim.arm_operation_url.as_deref()?;
    OperationUrl::parse(text, job.driver.arm.endpoint()).ok()
}

/// Whether ARM itself says that the change is still being carried out; `Err` is how the step ends when it can't be asked.
pub(super) async fn is_running(job: &mut Job) -> Step<bool> {
    let Some(url) = operation_url(job) else {
        return Ok(false);
    };
    let token = reading::reading(job).await?;
    let arm = job.driver.arm.clone();
    match job.lease.keep(arm.poll(&token, &url)).await? {
        Ok(state) => Ok(matches!(state.status, OperationStatus::Running(_))),
        // ARM forgets operations that are over, and its signed URLs expire: the reads that were allowed have to do.
        Err(error) if matches!(error.status(), Some(400 | 401 | 403 | 404 | 410)) => Ok(false),
        Err(error) => Err(early(read_failed(job, &error).await)),
    }
}

/// Keeps ARM's reason, then looks what is there.
pub(super) async fn record_failure(job: &mut Job, failure: Failure) -> Step {
    let kept = commit::to_phase(job, "Azure reported a failure", Phase::Accepted);
    commit::commit(
        job,
        Change {
            failure: Some(failure),
            absent_reads: 0,
            ..kept
        },
    )
    .await?;
    Ok(NextAction::RetryAfter(Duration::ZERO))
}

/// The end as the resource itself shows it. `is_done` says that ARM called the change carried out.
async fn follow_by_reading(job: &mut Job, is_done: bool) -> Step {
    if job.claim.record.kind == OperationKind::Remove {
        return remove::confirm_removal(job, is_done).await;
    }
    let found = read_connection(job).await?;
    match found {
        Some(found) => finish_create(job, &found).await,
        None if job.claim.absent_reads < READS_AFTER_SUCCESS => {
            job.claim.absent_reads += 1;
            Ok(NextAction::RetryAfter(job.driver.settings.poll_min))
        }
        None => {
            commit::mark_outcome_unknown(job, "Azure called the create done, and reads don't find it").await
        }
    }
}

/// What the data connection's own state says of the create: ARM shows it from the first moment on, and takes it away again
/// when Kusto's validation fails.
pub(super) async fn finish_create(job: &mut Job, found: &DataConnection) -> Step {
    match Shown::of(found) {
        Shown::UnderWay if job.claim.record.phase != Phase::Settling => {
            Ok(NextAction::RetryAfter(job.next_pause()))
        }
        // Somebody wants it gone, and nobody knows how long this may last: the removal that waits has its turn.
        Shown::UnderWay if is_overdue(job) && settle::is_to_be_removed(job).await? => {
            failed_as_shown(job, found).await
        }
        Shown::UnderWay => look_again_later(job).await,
        Shown::Failed => failed_as_shown(job, found).await,
        Shown::Done => match comparison::whose(job, found).await? {
            Whose::Ours => succeed(job, found).await,
            Whose::Unreadable => look_again_later(job).await,
            whose => comparison::end_as_anothers(job, found, &whose).await,
        },
    }
}

/// A create that left something which is not what was asked for.
async fn failed_as_shown(job: &mut Job, found: &DataConnection) -> Step {
    let state = found.provisioning_state().unwrap_or("Unknown");
    let detail = format!("Azure shows the data connection in the state {state}");
    commit::fail(job, plain(Code::AzureFailed, &detail), Observed::Present).await
}

/// A create that reads confirm.
async fn succeed(job: &mut Job, found: &DataConnection) -> Step {
    let details = json!({
        "provisioningState": found.provisioning_state(),
        "retrievalStartDate": found.retrieval_start(),
    });
    commit::commit(
        job,
        Change {
            failure: None,
            observed: Some((Observed::Present, false)),
            snapshot: Some(without_people(&found.raw)),
            event: Some((EventKind::CreateSucceeded, details)),
            ..commit::to_phase(job, "the connection is there", Phase::Succeeded)
        },
    )
    .await?;
    Ok(NextAction::Done)
}

/// ARM said no, or that it failed: a read has to bear it out.
pub(super) async fn confirm_failure(job: &mut Job) -> Step {
    let found = read_connection(job).await?;
    let failure = job
        .claim
        .record
        .failure
        .clone()
        .unwrap_or_else(|| plain(Code::AzureFailed, "the change failed"));
    match (job.claim.record.kind, found) {
        (OperationKind::Remove, None) => remove::confirm_removal(job, false).await,
        // A refused create leaves whatever was there to whoever made it.
        (OperationKind::Create, Some(_)) if is_refusal(&failure) => {
            commit::fail(job, failure, Observed::Absent).await
        }
        // The end is near, but not reached: what is shown now may be gone with it.
        (_, Some(found)) if is_under_way(&found) && !is_overdue(job) => {
            job.claim.absent_reads = 0;
            Ok(NextAction::RetryAfter(job.next_pause()))
        }
        (OperationKind::Create, Some(found)) if failure.code == Code::Contested.as_str() => {
            match comparison::compared(job, &found).await? {
                Comparison::Unreadable => look_again_later(job).await,
                comparison => comparison::end_as_anothers(job, &found, &Whose::Contested(comparison)).await,
            }
        }
        (OperationKind::Create, Some(_)) => commit::fail(job, failure, Observed::Present).await,
        (OperationKind::Remove, Some(found)) => match comparison::is_replaced(job, &found).await? {
            Some(comparison) => comparison::drifted_from(job, &found, &comparison).await,
            // Also what a caller named is not the record's own for that.
            None => {
                let observed = comparison::observed_beside(job, &comparison::compared(job, &found).await?);
                commit::fail(job, failure, observed).await
            }
        },
        (OperationKind::Create, None) if failure.code == Code::Contested.as_str() => {
            contested_not_found(job, failure).await
        }
        // ARM's failed operation may have left something that reads don't find yet.
        (OperationKind::Create, None)
            if !is_refusal(&failure) && job.claim.absent_reads + 1 < ABSENT_READS =>
        {
            job.claim.absent_reads += 1;
            Ok(NextAction::RetryAfter(job.driver.settings.poll_min))
        }
        (OperationKind::Create, None) => commit::fail(job, failure, Observed::Absent).await,
    }
}

/// ARM took the create as a change, and reads don't find what it changed: they lag, as the one did that found nothing before it.
/// What ARM took on may stand, so it counts as not made only as late as one that got no answer.
async fn contested_not_found(job: &mut Job, failure: Failure) -> Step {
    if job.claim.record.phase != Phase::Settling {
        if job.claim.absent_reads < READS_AFTER_SUCCESS {
            job.claim.absent_reads += 1;
            return Ok(NextAction::RetryAfter(job.driver.settings.poll_min));
        }
        return commit::mark_outcome_unknown(
            job,
            "Azure took the create as a change, and reads don't find what it changed",
        )
        .await;
    }
    let is_dead = settle::request_is_dead(job).await?;
    job.claim.absent_reads = if is_dead { job.claim.absent_reads + 1 } else { 0 };
    // One more than of others: the first of them may have been made before the request was dead.
    if job.claim.absent_reads <= ABSENT_READS {
        return look_again_later(job).await;
    }
    if is_running(job).await? {
        return look_again_later(job).await;
    }
    commit::fail(job, failure, Observed::Absent).await
}

/// Whether the operation should have ended by now.
pub(super) fn is_overdue(job: &Job) -> bool {
    job.driver.clock.now() > job.claim.record.deadline_at
}

/// Reads the data connection; `Err` is how the step ends when it can't be read.
pub(super) async fn read_connection(job: &mut Job) -> Step<Option<DataConnection>> {
    let token = reading::reading(job).await?;
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    match job.lease.keep(arm.data_connection(&token, &id)).await? {
        Ok(found) => Ok(found),
        // Not the data connection is what ARM doesn't find, but what it would be in.
        Err(error) if error.status() == Some(404) => Err(early(parent_not_found(job, &error).await)),
        Err(error) => Err(early(read_failed(job, &error).await)),
    }
}

/// What the data connection would be in isn't found, as after a move of the subscription or by a read that lags: that tells
/// nothing of the data connection. A removal is missing its object, and a create stays unsettled.
async fn parent_not_found(job: &mut Job, error: &ArmError) -> Step {
    match job.claim.record.kind {
        OperationKind::Remove => remove::parent_missing(job).await,
        OperationKind::Create => {
            let said = job.claim.record.failure.clone().filter(is_arms_word);
            match said {
                // ARM took nothing on, whatever the parent is.
                Some(said) if is_refusal(&said) => commit::fail(job, said, Observed::Absent).await,
                said if job.claim.record.phase == Phase::Settling => {
                    let failure = said.unwrap_or_else(|| failure_of(Code::ParentMissing, error));
                    settle::not_proved(job, failure, Observed::Unknown).await
                }
                _ => read_failed(job, error).await,
            }
        }
    }
}

/// A read that failed changes nothing: wait, or wait for other tokens.
pub(super) async fn read_failed(job: &mut Job, error: &ArmError) -> Step {
    tracing::warn!(operation.id = %job.claim.record.id, arm.call = error.call, arm.status = error.status(), "a read failed");
    if matches!(error.status(), Some(401 | 403)) {
        return reading::reading_refused(job, error).await;
    }
    let asked = error.refusal().and_then(|refusal| refusal.retry_after);
    let pause = asked.unwrap_or_else(|| job.next_pause());
    look_again_after(job, pause).await
}

/// Looks again after the next pause, which grows.
pub(super) async fn look_again_later(job: &mut Job) -> Step {
    let pause = job.next_pause();
    look_again_after(job, pause).await
}

/// What may last goes on at rest: an operation that can't be settled now takes no place here that others need.
pub(super) async fn look_again_after(job: &mut Job, pause: Duration) -> Step {
    if pause < job.driver.settings.poll_max {
        return Ok(NextAction::RetryAfter(pause));
    }
    commit::commit(
        job,
        Change {
            release_for: Some(pause),
            ..commit::to_phase(
                job,
                "the operation is looked at again later",
                job.claim.record.phase,
            )
        },
    )
    .await?;
    Ok(NextAction::Done)
}

/// Whether ARM took nothing on, so that what is there is not what was sent.
fn is_refusal(failure: &Failure) -> bool {
    [Code::AzureRefused, Code::ClaimsChallenge]
        .iter()
        .any(|code| failure.code == code.as_str())
}

/// Whether the failure is what ARM said of the change, and not what was seen since.
pub(super) fn is_arms_word(failure: &Failure) -> bool {
    is_refusal(failure)
        || [Code::AzureFailed, Code::Contested]
            .iter()
            .any(|code| failure.code == code.as_str())
}

/// How far the last change of a data connection is, by the state that ARM shows.
enum Shown {
    UnderWay,
    Failed,
    Done,
}

impl Shown {
    /// Any state but those that stay is one of a change under way, since ARM's list of states is open; none at all is an end.
    fn of(found: &DataConnection) -> Self {
        match found.provisioning_state().map(str::to_ascii_lowercase).as_deref() {
            None | Some("succeeded") => Self::Done,
            Some("failed" | "canceled" | "cancelled") => Self::Failed,
            Some(_) => Self::UnderWay,
        }
    }
}

/// Whether a change of the data connection is still being carried out.
pub(super) fn is_under_way(found: &DataConnection) -> bool {
    matches!(Shown::of(found), Shown::UnderWay)
}
