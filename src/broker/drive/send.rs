//! The create's request to ARM: sent once after its intent is committed, and again only when ARM surely did nothing.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::commit::Change;
use super::tokens::Tokens;
use super::{Job, Step};
use crate::arm::{Accepted, ArmError, ArmErrorKind, CallTrace};
use crate::broker::refusal::{BrokerError, failure_of};
use crate::connection::{Code, Failure, Observed, Phase};
use crate::db::DbError;
use crate::ledger::EventKind;
use crate::outbound::ArmToken;

impl Job {
    pub(super) async fn send_create(&mut self) -> Result<Step, BrokerError> {
        let credentials = match self.writing().await? {
            Tokens::Held(credentials) => credentials,
            // The intent stands and nothing was sent. Whoever takes this up can't know that, and reads first; and so does this
            // replica, since the proof of absence grows old meanwhile.
            Tokens::Missing(step) => {
                self.put_off += 1;
                return Ok(step);
            }
        };
        let Some(body) = self.claim.body.clone() else {
            return Err(DbError::Defect("a create without a body".to_owned()).into());
        };
        let (arm, id) = (self.broker.arm.clone(), self.record.arm_id.clone());
        if self.put_off > 0
            && let Some(step) = self.prove_again(&credentials.primary).await?
        {
            return Ok(step);
        }
        let trace = CallTrace {
            correlation_id: self.claim.record.correlation_id,
        };
        self.before_send().await?;
        self.unsent = false;
        let answer = self
            .alive(arm.put_data_connection(&credentials, &id, &body, &trace))
            .await?;
        match answer {
            Ok(accepted) => self.create_accepted(accepted).await,
            Err(error) => self.create_not_accepted(&error).await,
        }
    }

    /// Before a create that Azure put off is sent again: time has passed since the absence was proved, and a PUT now could
    /// replace what somebody else made meanwhile. The new proof, and that the request may leave once more, are committed first.
    async fn prove_again(&mut self, token: &ArmToken) -> Result<Option<Step>, BrokerError> {
        if self.is_overdue() {
            let detail = "Azure put the create off until its deadline was over";
            return self.remember(plain(Code::AzureRefused, detail)).await.map(Some);
        }
        if self.is_to_be_removed().await? {
            let detail = "the connection was removed while Azure put its create off";
            return self
                .fail(plain(Code::NotSent, detail), Observed::Absent)
                .await
                .map(Some);
        }
        let (arm, id) = (self.broker.arm.clone(), self.record.arm_id.clone());
        match self.alive(arm.data_connection(token, &id)).await? {
            Ok(None) => {}
            Ok(Some(_)) => {
                let detail =
                    "while Azure put this create off, somebody else made a data connection of this name";
                return self
                    .fail(plain(Code::NameTaken, detail), Observed::Absent)
                    .await
                    .map(Some);
            }
            Err(_) => return Ok(Some(Step::Again(self.next_pause()))),
        }
        let absent_at = self.broker.clock.now();
        let details = json!({ "absenceSeenAt": absent_at, "putOff": self.put_off });
        self.commit(Change {
            again: Some(absent_at),
            event: Some((EventKind::CreateRepeated, details)),
            ..self.change("the create is sent again", Phase::Dispatched)
        })
        .await?;
        Ok(None)
    }

    async fn create_accepted(&mut self, accepted: Accepted) -> Result<Step, BrokerError> {
        let details = json!({
            "status": accepted.status,
            "armRequestId": accepted.call.request_id,
            "durationMs": u64::try_from(accepted.call.duration.as_millis()).unwrap_or(u64::MAX),
        });
        self.commit(Change {
            arm_operation_url: accepted.operation.map(|url| url.expose().to_owned()),
            event: Some((EventKind::CreateAccepted, details)),
            ..self.change("Azure took the create", Phase::Accepted)
        })
        .await?;
        Ok(Step::Again(self.next_pause()))
    }

    async fn create_not_accepted(&mut self, error: &ArmError) -> Result<Step, BrokerError> {
        match &error.kind {
            // Surely without effect: it may be sent again when ARM says so, unless that is too late.
            _ if error.is_put_off() && self.has_time_for(error.retry_after()) => {
                let pause = error.retry_after().unwrap_or_else(|| self.next_pause());
                self.unsent = true;
                self.put_off += 1;
                Ok(Step::Again(pause))
            }
            ArmErrorKind::NotSent(_) | ArmErrorKind::HeldBack(_) => {
                self.fail(failure_of(Code::NotSent, error), Observed::Absent)
                    .await
            }
            ArmErrorKind::Refused(refusal) | ArmErrorKind::Throttled(refusal) => {
                let challenged = refusal.claims.is_some();
                let code = if challenged {
                    Code::ClaimsChallenge
                } else {
                    Code::AzureRefused
                };
                let failure = failure_of(code, error);
                self.commit(Change {
                    failure: Some(failure),
                    ..self.change("Azure refused the create", Phase::Accepted)
                })
                .await?;
                // A failure counts only after a read: the next step makes it.
                Ok(Step::Again(Duration::ZERO))
            }
            _ => {
                self.lose_track("the request got no answer that tells whether it was carried out")
                    .await
            }
        }
    }
}

impl Job {
    /// Whether the operation's deadline leaves room for a wait.
    fn has_time_for(&self, pause: Option<Duration>) -> bool {
        let pause = TimeDelta::from_std(pause.unwrap_or_default()).unwrap_or(TimeDelta::MAX);
        let left = self.claim.record.deadline_at - self.broker.clock.now();
        pause < left
    }
}

/// A failure without an answer behind it.
pub(super) fn plain(code: Code, detail: &str) -> Failure {
    Failure {
        code: code.as_str().to_owned(),
        detail: detail.to_owned(),
        upstream: None,
    }
}
