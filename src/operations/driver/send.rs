//! The create's request to ARM: sent once after its intent is committed, and again only when ARM surely did nothing.

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

impl Job {
    /// Sends what was committed on this replica a moment ago.
    pub(crate) async fn send_committed_create(&mut self) -> Step {
        // Without tokens nothing was sent, and the proof of absence grows old: it begins anew when they are there.
        let credentials = self.writing().await?;
        self.send_create(credentials).await
    }

    pub(crate) async fn send_create(&mut self, credentials: Credentials) -> Step {
        let Some(body) = self.claim.body.clone() else {
            return Err(DbError::Defect("a create without a body".to_owned()).into());
        };
        let (arm, id) = (self.driver.arm.clone(), self.record.arm_id.clone());
        let trace = CallTrace {
            correlation_id: self.claim.record.correlation_id,
        };
        if !self.before_send().await? {
            return Ok(NextAction::Done);
        }
        self.unsent = false;
        let answer = self
            .with_lease_renewal(arm.put_data_connection(&credentials, &id, &body, &trace))
            .await?;
        match answer {
            Ok(accepted) => self.create_accepted(accepted).await,
            Err(error) => self.create_not_accepted(&error).await,
        }
    }

    async fn create_accepted(&mut self, accepted: Accepted) -> Step {
        let details = json!({
            "status": accepted.status,
            "armRequestId": accepted.call.request_id,
            "durationMs": u64::try_from(accepted.call.duration.as_millis()).unwrap_or(u64::MAX),
        });
        // A new one is 201, of every kind (recorded ARM traffic): somebody else's was there since the read that found nothing.
        let failure = (accepted.status == 200).then(contested);
        if failure.is_some() {
            tracing::warn!(
                operation.id = %self.claim.record.id,
                connection.id = %self.record.id,
                "Azure took the create as a change of what somebody else had made at the same time"
            );
        }
        self.commit(Change {
            failure,
            arm_operation_url: accepted.operation.map(|url| url.expose().to_owned()),
            event: Some((EventKind::CreateAccepted, details)),
            ..self.change("Azure took the create", Phase::Accepted)
        })
        .await?;
        self.wait_anew();
        Ok(NextAction::RetryAfter(self.next_pause()))
    }

    async fn create_not_accepted(&mut self, error: &ArmError) -> Step {
        match &error.kind {
            // Surely without effect: it may be sent again when ARM says so, unless that is too late.
            _ if error.is_put_off() && self.has_patience_for(error.retry_after()) => {
                self.put_off(error).await
            }
            // Nothing left this machine.
            ArmErrorKind::NotSent(_) if self.has_patience_for(None) => {
                self.unsent = true;
                let pause = self.growing_pause();
                Ok(NextAction::RetryAfter(pause))
            }
            ArmErrorKind::NotSent(_) | ArmErrorKind::Rejected(_) => {
                self.fail(failure_of(Code::NotSent, error), Observed::Absent)
                    .await
            }
            // Nothing was done: somebody who signs in with what ARM demands lets it go on.
            ArmErrorKind::Refused(refusal) if refusal.claims.is_some() => self.challenged(error).await,
            ArmErrorKind::Refused(_) | ArmErrorKind::Throttled(_) => {
                let failure = failure_of(Code::AzureRefused, error);
                self.commit(Change {
                    failure: Some(failure),
                    ..self.change("Azure refused the create", Phase::Accepted)
                })
                .await?;
                // A failure counts only after a read: the next step makes it.
                Ok(NextAction::RetryAfter(Duration::ZERO))
            }
            _ => {
                self.mark_outcome_unknown("the request got no answer that tells whether it was carried out")
                    .await
            }
        }
    }
}

impl Job {
    /// Whether the time that a create may wait leaves room for this wait.
    fn has_patience_for(&self, pause: Option<Duration>) -> bool {
        let pause = TimeDelta::from_std(pause.unwrap_or_default()).unwrap_or(TimeDelta::MAX);
        let patience = TimeDelta::from_std(self.driver.settings.max_queue_time).unwrap_or(TimeDelta::MAX);
        let waited = self.driver.clock.now() - self.claim.record.created_at;
        pause < patience - waited
    }
}

/// A failure without an answer behind it.
pub(crate) fn plain(code: Code, detail: &str) -> Failure {
    Failure {
        code: code.as_str().to_owned(),
        detail: detail.to_owned(),
        comparison: None,
        upstream: None,
    }
}
