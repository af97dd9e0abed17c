//! What came of a removal. `404` counts as removed only while the parent database can be read.

use crate::arm::{ArmError, ArmErrorKind};
use crate::domain::{Code, EventKind, Failure, Observed, Phase};
use crate::ledger::details::{self, RemoveSucceededDetails};
use crate::operations::driver::job::{Job, NextAction, Step};
use crate::operations::driver::reads::Seen;
use crate::operations::driver::{claims, comparison, outcome, reads, tokens, transition};
use crate::upstream::BearerToken;
use std::time::Duration;

/// The removal as reads show it. `is_done` says that ARM called it carried out.
pub(crate) async fn confirm(job: &mut Job, is_done: bool) -> Step {
    let token = tokens::reading(job).await?;
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    match job.lease.keep(arm.data_connection(&token, &id)).await? {
        // What is there since is another's.
        Ok(Some(found)) if is_done && comparison::is_replaced(job, &found).await?.is_some() => {
            removed(job, Some(true)).await
        }
        // Reads lag, and the request may still be carried out: one read that shows it there is no reason to send another.
        Ok(Some(found))
            if job.claim.record.phase == Phase::Settling
                && reads::request_is_dead(job).await?
                && (!reads::is_under_way(&found) || job.is_overdue()) =>
        {
            match comparison::is_replaced(job, &found).await? {
                Some(comparison) => comparison::drifted_from(job, &found, &comparison).await,
                None => resend_removal(job).await,
            }
        }
        Ok(Some(_)) if job.claim.record.phase == Phase::Settling => outcome::recheck_later(job).await,
        Ok(Some(_)) => Ok(NextAction::RetryAfter(job.next_pause())),
        Ok(None) => confirm_absence(job, &token).await,
        Err(error) if error.status() == Some(404) => parent_missing(job).await,
        Err(error) => reads::read_failed(job, &error).await,
    }
}

/// A read found nothing: that counts as removed only while the parent database can be read.
pub(crate) async fn confirm_absence(job: &mut Job, token: &BearerToken) -> Step {
    let (arm, database) = (job.driver.arm.clone(), job.record.arm_id.database());
    match job.lease.keep(arm.database_exists(token, &database)).await? {
        Ok(true) => removed(job, None).await,
        Ok(false) => parent_missing(job).await,
        Err(error) if error.status() == Some(404) => parent_missing(job).await,
        // Nothing was sent, if the removal waits for its request to leave.
        Err(error) if job.unsent || job.claim.record.phase == Phase::Queued => {
            not_readable(job, &error).await
        }
        Err(error) => reads::read_failed(job, &error).await,
    }
}

/// Records that a read found it gone; `replaced_since` says that another data connection has had the name since.
pub(crate) async fn removed(job: &mut Job, replaced_since: Option<bool>) -> Step {
    let mut done = transition::to_phase(job, "the connection is removed", Phase::Succeeded);
    done.next.record.failure = None;
    done.observed = Some((Observed::Absent, true));
    let details = RemoveSucceededDetails {
        database_read: Some(true),
        replaced_since,
        ..RemoveSucceededDetails::default()
    };
    done.event = Some((EventKind::RemoveSucceeded, details::json(&details)));
    transition::commit(job, done).await?;
    Ok(NextAction::Done)
}

/// The data connection can't be seen, but neither can its database: it is missing, not removed.
pub(crate) async fn parent_missing(job: &mut Job) -> Step {
    let detail = "neither the data connection nor its database can be read, which does not prove a removal; retry when the database exists";
    outcome::fail(
        job,
        Failure::new(Code::ParentMissing, detail),
        comparison::observed_as_gone(job),
    )
    .await
}

/// A read found it still there, and not being deleted: the removal waits for its turn to be sent again. It is retried without end,
/// but less and less often, to spare ARM and the ledger.
pub(crate) async fn resend_removal(job: &mut Job) -> Step {
    // Until its actor's tokens are here, the first request may still take effect, and reads show whether it has.
    if tokens::actors(job).await?.is_none() {
        return outcome::await_caller(job, job.awaited_token()).await;
    }
    let (least, most) = (job.driver.settings.poll_max, job.driver.settings.deadline / 10);
    let pause = match job.claim.dispatches {
        0 | 1 => Duration::ZERO,
        times => least.saturating_mul(times.unsigned_abs()).min(most.max(least)),
    };
    outcome::requeue(job, pause).await
}

/// ARM refused the removal, or said that it failed: a read has to confirm that.
pub(crate) async fn confirm_failure(job: &mut Job) -> Step {
    let found = match reads::read_connection(job).await? {
        Seen::Found(found) => found,
        Seen::Nothing => return confirm(job, false).await,
        Seen::NoParent(_) => return parent_missing(job).await,
    };
    // The end is near, but not reached: what is shown now may be gone with it.
    if reads::is_under_way(&found) && !job.is_overdue() {
        job.claim.absent_reads = 0;
        return Ok(NextAction::RetryAfter(job.next_pause()));
    }
    if let Some(comparison) = comparison::is_replaced(job, &found).await? {
        return comparison::drifted_from(job, &found, &comparison).await;
    }
    // Also what a caller named is not the record's own for that.
    let observed = comparison::observed_beside(job, &comparison::compared(job, &found).await?);
    let failure = job.claim.record.failure.clone();
    let failure = failure.unwrap_or_else(|| Failure::new(Code::AzureFailed, "the change failed"));
    outcome::fail(job, failure, observed).await
}

/// The read before a removal failed: the removal waits until a read succeeds, or until a caller who may read continues it.
pub(crate) async fn not_readable(job: &mut Job, error: &ArmError) -> Step {
    tracing::warn!(operation.id = %job.claim.record.id, arm.call = error.call, arm.status = error.status(), "the data connection to be removed can't be read, so no DELETE is sent");
    match &error.kind {
        ArmErrorKind::Refused(refusal) if refusal.claims.is_some() => claims::challenged(job, error).await,
        // As after a move of the subscription, which not all of ARM knows of at once.
        ArmErrorKind::Refused(refusal)
            if matches!(refusal.status, 401 | 403)
                && !refusal.is_code("InvalidAuthenticationTokenTenant") =>
        {
            outcome::await_caller(job, job.demanded(Some(refusal))).await
        }
        // ARM says so of a stopped cluster too, with a 400: that lasts, and is no answer.
        _ => {
            let pause = job.longer_pause(error);
            Ok(NextAction::RetryAfter(pause))
        }
    }
}
