//! Follows ARM's operation to its end.

use crate::arm::{OperationStatus, reason};
use crate::domain::{Code, Failure, Phase, Upstream, UpstreamService};
use crate::operations::changes::Change;
use crate::operations::driver::job::{Job, NextAction, Step};
use crate::operations::driver::{outcome, reads, tokens, transition};
use futures_util::future::join;
use std::time::Duration;

pub(super) async fn follow<C: Change>(job: &mut Job) -> Step {
    if job.is_overdue() {
        return outcome::mark_outcome_unknown(
            job,
            "it was not known before the operation's deadline what came of it",
        )
        .await;
    }
    if job.claim.record.failure.is_some() {
        return C::confirm_failure(job).await;
    }
    let token = tokens::reading(job).await?;
    let Some(url) = reads::operation_url(job) else {
        return C::confirm(job, false).await;
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
            OperationStatus::Succeeded => C::succeeded(job, &token, seen).await,
            OperationStatus::Failed { code, message } => {
                let id = state.call.request_id.as_deref();
                let said = reason(code.as_deref(), message.as_deref(), id);
                let upstream = Some(Upstream {
                    service: UpstreamService::Arm.as_str().to_owned(),
                    status: None,
                    code,
                    request_id: state.call.request_id,
                });
                let detail = format!("Azure reported that the change failed: {said}");
                record_failure(
                    job,
                    Failure {
                        upstream,
                        ..Failure::new(Code::AzureFailed, &detail)
                    },
                )
                .await
            }
            OperationStatus::Canceled => {
                record_failure(job, Failure::new(Code::AzureFailed, "Azure canceled the change")).await
            }
        },
        // ARM forgets operations after a while; a read of the resource still decides.
        Err(error) if error.status() == Some(404) => C::confirm(job, false).await,
        Err(error) => reads::read_failed(job, &error).await,
    }
}

/// Keeps ARM's reason, then looks what is there.
pub(crate) async fn record_failure(job: &mut Job, failure: Failure) -> Step {
    let mut kept = transition::to_phase(job, "Azure reported a failure", Phase::Accepted);
    kept.next.record.failure = Some(failure);
    kept.next.absent_reads = 0;
    transition::commit(job, kept).await?;
    Ok(NextAction::RetryAfter(Duration::ZERO))
}
