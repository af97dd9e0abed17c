//! Whose turn it is: an operation that waited begins, and one that can't go on now goes back into the queue, without keeping the
//! others of its cluster waiting.

use super::{challenge, commit, follow, send, tokens};
use crate::ledger::details;
use std::time::Duration;

use serde_json::json;

use crate::arm::failure_of;
use crate::arm::{ArmError, ArmErrorKind};
use crate::db::within;
use crate::domain::Code;
use crate::domain::Error;
use crate::domain::EventKind;
use crate::domain::Observed;
use crate::domain::OperationKind;
use crate::domain::Phase;
use crate::operations::driver::Job;
use crate::operations::driver::commit::Change;
use crate::operations::driver::send::plain;
use crate::operations::driver::{NextAction, Step};
use crate::tokens::store::Access;

/// A wait that grows with the time that an operation has waited is this part of it.
const PART_OF_AGE: u32 = 4;

/// Begins a create that waited: for its turn, for a token, or because ARM put it off. Time has passed since its absence was
/// proved, and a PUT now could replace what somebody else made meanwhile: the new proof, and that the request may leave, are
/// committed first.
pub(super) async fn begin_create(job: &mut Job) -> Step {
    if follow::is_overdue(job) {
        let detail = "the create was given up: it could not be sent in the time that creates may wait";
        return commit::fail(job, plain(Code::NotSent, detail), Observed::Absent).await;
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
            let detail = "while this create waited, somebody else made a data connection of this name";
            return commit::fail(job, plain(Code::NameTaken, detail), Observed::Absent).await;
        }
        Err(error) => return absence_not_proved(job, &error).await,
    }
    assume_actor(job).await?;
    let absent_at = job.driver.clock.now();
    let (event, details) = if job.claim.dispatches == 0 {
        let hash = &job.claim.record.request_hash;
        let details =
            details::create_intent(&job.record, hash, absent_at, job.driver.arm.kusto_api_version());
        (EventKind::CreateIntended, details)
    } else {
        let details = json!({ "absenceSeenAt": absent_at, "dispatches": job.claim.dispatches });
        (EventKind::CreateRepeated, details)
    };
    let begun = commit::commit(
        job,
        Change {
            leaves: Some(Some(absent_at)),
            observed: Some((Observed::Unknown, false)),
            event: Some((event, details)),
            ..commit::to_phase(job, "the create is sent", Phase::Dispatched)
        },
    );
    begun.await?;
    if job.claim.record.phase.is_terminal() {
        return Ok(NextAction::Done);
    }
    job.unsent = true;
    send::send_create(job, credentials).await
}

/// Whether an operation that waits was claimed though it is not its turn, as those are that a dead replica left or that wait
/// for a caller, and could be sent here: it waits in line with the others.
pub(super) fn claimed_early(job: &Job) -> bool {
    let in_turn = job.claim.resumed && job.claim.record.awaiting.is_none();
    let is_over = job.claim.record.kind == OperationKind::Create && follow::is_overdue(job);
    let store = &job.driver.tokens.store;
    !in_turn && !is_over && store.for_use(job.claim.record.id, Access::Write).is_some()
}

/// The read that must find nothing failed.
async fn absence_not_proved(job: &mut Job, error: &ArmError) -> Step {
    match &error.kind {
        ArmErrorKind::Refused(refusal) if refusal.status == 404 => {
            commit::fail(job, failure_of(Code::ParentMissing, error), Observed::Absent).await
        }
        // Its user proved enough a moment ago, and ARM takes the token for another tenant's: as after a move of the subscription,
        // which not all of ARM knows of at once.
        ArmErrorKind::Refused(refusal) if refusal.is_code("InvalidAuthenticationTokenTenant") => {
            let pause = growing_pause(job);
            Ok(NextAction::RetryAfter(pause))
        }
        ArmErrorKind::Refused(refusal) if refusal.status == 401 || refusal.claims.is_some() => {
            commit::await_caller(job, challenge::demanded(job, Some(refusal))).await
        }
        // Whoever asked may no longer; nothing was ever sent.
        ArmErrorKind::Refused(refusal) if refusal.status == 403 => {
            commit::fail(job, failure_of(Code::AzureRefused, error), Observed::Absent).await
        }
        _ => {
            let pause = error.retry_after().unwrap_or_else(|| growing_pause(job));
            Ok(NextAction::RetryAfter(pause))
        }
    }
}

/// Waits in the queue, where others of the cluster can have their turn.
pub(super) async fn requeue(job: &mut Job, pause: Duration) -> Step {
    if job.claim.record.phase.is_terminal() {
        return Ok(NextAction::Done);
    }
    commit::commit(
        job,
        Change {
            release_for: Some(pause),
            ..commit::to_phase(job, "the operation waits for its turn", Phase::Queued)
        },
    )
    .await?;
    Ok(NextAction::Done)
}

/// ARM did nothing, and wants the same asked later: back into the queue until then. A cluster that is busy is busy for
/// everybody; throttling is for who asked.
pub(super) async fn put_off(job: &mut Job, error: &ArmError) -> Step {
    if matches!(error.kind, ArmErrorKind::Rejected(_)) {
        // By this service itself: ARM was not asked.
        job.unsent = true;
        let pause = longer_pause(job, error);
        return Ok(NextAction::RetryAfter(pause));
    }
    let pause = error.retry_after().unwrap_or_else(|| growing_pause(job));
    let busy = matches!(error.kind, ArmErrorKind::Refused(_));
    let details = json!({
        "code": error.refusal().and_then(|refusal| refusal.code.as_deref()),
        "status": error.status(),
        "waitMs": u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
    });
    job.unsent = false;
    commit::commit(
        job,
        Change {
            release_for: Some(pause),
            cluster_pause: busy.then_some(pause),
            event: Some((EventKind::ChangePutOff, details)),
            ..commit::to_phase(job, "Azure put the change off", Phase::Queued)
        },
    )
    .await?;
    Ok(NextAction::Done)
}

/// A wait that grows with the time since the operation was asked for: it has to be remembered nowhere.
pub(super) fn growing_pause(job: &Job) -> Duration {
    let age = job.driver.clock.now() - job.claim.record.created_at;
    let part = age.to_std().unwrap_or_default() / PART_OF_AGE;
    part.clamp(job.driver.settings.poll_min, job.driver.settings.poll_max)
}

/// A wait as long as was asked for, and longer when the operation has waited for long: an outage may last.
pub(super) fn longer_pause(job: &Job, error: &ArmError) -> Duration {
    let asked = error.retry_after().unwrap_or_default();
    asked.max(growing_pause(job))
}

/// From here on the operation goes on in the name of whoever's tokens it is about to be sent with, and the ledger says so.
pub(super) async fn assume_actor(job: &mut Job) -> Result<(), Error> {
    let Some(caller) = job.tokens.writer.clone() else {
        return Ok(());
    };
    let driver = job.driver.clone();
    let person = within(async {
        let mut db = driver.db.pool().acquire().await?;
        driver.recorder.ensure_actor(&mut db, &caller).await
    });
    job.claim.record.actor = person.await?;
    job.claim.record.app = caller.app();
    Ok(())
}
