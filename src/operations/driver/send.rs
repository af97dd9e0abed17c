//! The create's request to ARM: sent once after its intent is committed, and again only when ARM surely did nothing.

use super::{challenge, commit, queue, tokens};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use crate::arm::failure_of;
use crate::arm::{Accepted, ArmError, ArmErrorKind, CallTrace, Credentials};
use crate::db::DbError;
use crate::domain::Code;
use crate::domain::EventKind;
use crate::domain::Failure;
use crate::domain::Observed;
use crate::domain::Phase;
use crate::operations::driver::Job;
use crate::operations::driver::commit::Change;
use crate::operations::driver::comparison::contested;
use crate::operations::driver::{NextAction, Step};

/// Sends what was committed on this replica a moment ago.
pub(super) async fn send_committed_create(job: &mut Job) -> Step {
    // Without tokens nothing was sent, and the proof of absence grows old: it begins anew when they are there.
    let credentials = tokens::writing(job).await?;
    send_create(job, credentials).await
}

pub(super) async fn send_create(job: &mut Job, credentials: Credentials) -> Step {
    let Some(body) = job.claim.body.clone() else {
        return Err(DbError::Defect("a create without a body".to_owned()).into());
    };
    let (arm, id) = (job.driver.arm.clone(), job.record.arm_id.clone());
    let trace = CallTrace {
        correlation_id: job.claim.record.correlation_id,
    };
    job.before_send().await?;
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

async fn create_accepted(job: &mut Job, accepted: Accepted) -> Step {
    let details = json!({
        "status": accepted.status,
        "armRequestId": accepted.call.request_id,
        "durationMs": u64::try_from(accepted.call.duration.as_millis()).unwrap_or(u64::MAX),
    });
    // A new one is 201, of every kind (recorded ARM traffic): somebody else's was there since the read that found nothing.
    let failure = (accepted.status == 200).then(contested);
    if failure.is_some() {
        tracing::warn!(
            operation.id = %job.claim.record.id,
            connection.id = %job.record.id,
            "Azure took the create as a change of what somebody else had made at the same time"
        );
    }
    commit::commit(
        job,
        Change {
            failure,
            arm_operation_url: accepted.operation.map(|url| url.expose().to_owned()),
            event: Some((EventKind::CreateAccepted, details)),
            ..commit::to_phase(job, "Azure took the create", Phase::Accepted)
        },
    )
    .await?;
    job.wait_anew();
    Ok(NextAction::RetryAfter(job.next_pause()))
}

async fn create_not_accepted(job: &mut Job, error: &ArmError) -> Step {
    match &error.kind {
        // Surely without effect: it may be sent again when ARM says so, unless that is too late.
        _ if error.is_put_off() && has_patience_for(job, error.retry_after()) => {
            queue::put_off(job, error).await
        }
        // Nothing left this machine.
        ArmErrorKind::NotSent(_) if has_patience_for(job, None) => {
            job.unsent = true;
            let pause = queue::growing_pause(job);
            Ok(NextAction::RetryAfter(pause))
        }
        ArmErrorKind::NotSent(_) | ArmErrorKind::Rejected(_) => {
            commit::fail(job, failure_of(Code::NotSent, error), Observed::Absent).await
        }
        // Nothing was done: somebody who signs in with what ARM demands lets it go on.
        ArmErrorKind::Refused(refusal) if refusal.claims.is_some() => challenge::challenged(job, error).await,
        ArmErrorKind::Refused(_) | ArmErrorKind::Throttled(_) => {
            let failure = failure_of(Code::AzureRefused, error);
            commit::commit(
                job,
                Change {
                    failure: Some(failure),
                    ..commit::to_phase(job, "Azure refused the create", Phase::Accepted)
                },
            )
            .await?;
            // A failure counts only after a read: the next step makes it.
            Ok(NextAction::RetryAfter(Duration::ZERO))
        }
        _ => {
            commit::mark_outcome_unknown(
                job,
                "the request got no answer that tells whether it was carried out",
            )
            .await
        }
    }
}

/// Whether the time that a create may wait leaves room for this wait.
fn has_patience_for(job: &Job, pause: Option<Duration>) -> bool {
    let pause = TimeDelta::from_std(pause.unwrap_or_default()).unwrap_or(TimeDelta::MAX);
    let patience = TimeDelta::from_std(job.driver.settings.max_queue_time).unwrap_or(TimeDelta::MAX);
    let waited = job.driver.clock.now() - job.claim.record.created_at;
    pause < patience - waited
}

/// A failure without an answer behind it.
pub(super) fn plain(code: Code, detail: &str) -> Failure {
    Failure {
        code: code.as_str().to_owned(),
        detail: detail.to_owned(),
        comparison: None,
        upstream: None,
    }
}
