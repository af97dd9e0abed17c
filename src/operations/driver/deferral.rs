//! Changes that ARM defers: they are sent again later.

use crate::arm::{ArmError, ArmErrorKind};
use crate::domain::{EventKind, Phase};
use crate::ledger::details::{self, DeferredDetails};
use crate::operations::driver::job::{Job, NextAction, Step};
use crate::operations::driver::transition;

/// ARM did nothing, and defers the change: it waits in the queue until then. A busy cluster is busy for everybody; throttling is for
/// the caller.
pub(crate) async fn defer(job: &mut Job, error: &ArmError) -> Step {
    if matches!(error.kind, ArmErrorKind::Rejected(_)) {
        // By this service itself: ARM was not asked.
        job.unsent = true;
        let pause = job.longer_pause(error);
        return Ok(NextAction::RetryAfter(pause));
    }
    let pause = error.retry_after().unwrap_or_else(|| job.growing_pause());
    let busy = matches!(error.kind, ArmErrorKind::Refused(_));
    let details = details::json(&DeferredDetails {
        code: error.refusal().and_then(|refusal| refusal.code.clone()),
        status: error.status(),
        wait_ms: details::milliseconds(pause),
    });
    job.unsent = false;
    let mut deferred = transition::to_phase(job, "Azure deferred the change", Phase::Queued);
    deferred.release_for = Some(pause);
    deferred.cluster_pause = busy.then_some(pause);
    deferred.event = Some((EventKind::ChangeDeferred, details));
    transition::commit(job, deferred).await?;
    Ok(NextAction::Done)
}
