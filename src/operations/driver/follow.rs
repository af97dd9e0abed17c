//! Follows ARM's operation to its end, and believes the end only after a read.

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
pub(crate) const ABSENT_READS: i32 = 3;

impl Job {
    pub(crate) async fn follow(&mut self) -> Step {
        if self.is_overdue() {
            return self
                .mark_outcome_unknown("it was not known before the operation's deadline what came of it")
                .await;
        }
        if self.claim.record.failure.is_some() {
            return self.confirm_failure().await;
        }
        let token = self.reading().await?;
        let Some(url) = self.operation_url() else {
            return self.follow_by_reading(false).await;
        };
        let (arm, id) = (self.driver.arm.clone(), self.record.arm_id.clone());
        // Side by side: what the operation's end has to be borne out by is here together with it.
        let asked = join(arm.poll(&token, &url), arm.data_connection(&token, &id));
        let (state, seen) = self.with_lease_renewal(asked).await?;
        match state {
            Ok(state) => match state.status {
                OperationStatus::Running(_) => Ok(NextAction::RetryAfter(
                    state.retry_after.unwrap_or_else(|| self.next_pause()),
                )),
                OperationStatus::Succeeded => self.ended_at_azure(&token, seen).await,
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
                    self.record_failure(Failure {
                        upstream,
                        ..plain(Code::AzureFailed, &detail)
                    })
                    .await
                }
                OperationStatus::Canceled => {
                    self.record_failure(plain(Code::AzureFailed, "Azure canceled the change"))
                        .await
                }
            },
            // ARM forgets operations after a while; the resource itself still tells.
            Err(error) if error.status() == Some(404) => self.follow_by_reading(false).await,
            Err(error) => self.read_failed(&error).await,
        }
    }

    /// ARM called its operation done, and this is what a read beside it showed. One that shows something else may have been a moment
    /// before the end: then another one tells.
    async fn ended_at_azure(
        &mut self,
        token: &ReadToken,
        seen: Result<Option<DataConnection>, ArmError>,
    ) -> Step {
        match (self.claim.record.kind, seen) {
            (OperationKind::Create, Ok(Some(found))) if !is_under_way(&found) => {
                self.finish_create(&found).await
            }
            (OperationKind::Remove, Ok(None)) => self.confirm_absence(token).await,
            _ => self.follow_by_reading(true).await,
        }
    }

    /// Where ARM tells how its operation stands, if it said so.
    fn operation_url(&self) -> Option<OperationUrl> {
        let text = self.claim.arm_operation_url.as_deref()?;
        OperationUrl::parse(text, self.driver.arm.endpoint()).ok()
    }

    /// Whether ARM itself says that the change is still being carried out; `Err` is how the step ends when it can't be asked.
    pub(crate) async fn is_running(&mut self) -> Step<bool> {
        let Some(url) = self.operation_url() else {
            return Ok(false);
        };
        let token = self.reading().await?;
        let arm = self.driver.arm.clone();
        match self.with_lease_renewal(arm.poll(&token, &url)).await? {
            Ok(state) => Ok(matches!(state.status, OperationStatus::Running(_))),
            // ARM forgets operations that are over, and its signed URLs expire: the reads that were allowed have to do.
            Err(error) if matches!(error.status(), Some(400 | 401 | 403 | 404 | 410)) => Ok(false),
            Err(error) => Err(early(self.read_failed(&error).await)),
        }
    }

    /// Keeps ARM's reason, then looks what is there.
    pub(crate) async fn record_failure(&mut self, failure: Failure) -> Step {
        let kept = self.change("Azure reported a failure", Phase::Accepted);
        self.commit(Change {
            failure: Some(failure),
            absent_reads: 0,
            ..kept
        })
        .await?;
        Ok(NextAction::RetryAfter(Duration::ZERO))
    }

    /// The end as the resource itself shows it. `is_done` says that ARM called the change carried out.
    async fn follow_by_reading(&mut self, is_done: bool) -> Step {
        if self.claim.record.kind == OperationKind::Remove {
            return self.confirm_removal(is_done).await;
        }
        let found = self.read_connection().await?;
        match found {
            Some(found) => self.finish_create(&found).await,
            None if self.claim.absent_reads < READS_AFTER_SUCCESS => {
                self.claim.absent_reads += 1;
                Ok(NextAction::RetryAfter(self.driver.settings.poll_min))
            }
            None => {
                self.mark_outcome_unknown("Azure called the create done, and reads don't find it")
                    .await
            }
        }
    }

    /// What the data connection's own state says of the create: ARM shows it from the first moment on, and takes it away again
    /// when Kusto's validation fails.
    pub(crate) async fn finish_create(&mut self, found: &DataConnection) -> Step {
        match Shown::of(found) {
            Shown::UnderWay if self.claim.record.phase != Phase::Settling => {
                Ok(NextAction::RetryAfter(self.next_pause()))
            }
            // Somebody wants it gone, and nobody knows how long this may last: the removal that waits has its turn.
            Shown::UnderWay if self.is_overdue() && self.is_to_be_removed().await? => {
                self.failed_as_shown(found).await
            }
            Shown::UnderWay => self.look_again_later().await,
            Shown::Failed => self.failed_as_shown(found).await,
            Shown::Done => match self.whose(found).await? {
                Whose::Ours => self.succeed(found).await,
                Whose::Unreadable => self.look_again_later().await,
                whose => self.end_as_anothers(found, &whose).await,
            },
        }
    }

    /// A create that left something which is not what was asked for.
    async fn failed_as_shown(&mut self, found: &DataConnection) -> Step {
        let state = found.provisioning_state().unwrap_or("Unknown");
        let detail = format!("Azure shows the data connection in the state {state}");
        self.fail(plain(Code::AzureFailed, &detail), Observed::Present)
            .await
    }

    /// A create that reads confirm.
    async fn succeed(&mut self, found: &DataConnection) -> Step {
        let details = json!({
            "provisioningState": found.provisioning_state(),
            "retrievalStartDate": found.retrieval_start(),
        });
        self.commit(Change {
            failure: None,
            observed: Some((Observed::Present, false)),
            snapshot: Some(without_people(&found.raw)),
            event: Some((EventKind::CreateSucceeded, details)),
            ..self.change("the connection is there", Phase::Succeeded)
        })
        .await?;
        Ok(NextAction::Done)
    }

    /// ARM said no, or that it failed: a read has to bear it out.
    pub(crate) async fn confirm_failure(&mut self) -> Step {
        let found = self.read_connection().await?;
        let failure = self
            .claim
            .record
            .failure
            .clone()
            .unwrap_or_else(|| plain(Code::AzureFailed, "the change failed"));
        match (self.claim.record.kind, found) {
            (OperationKind::Remove, None) => self.confirm_removal(false).await,
            // A refused create leaves whatever was there to whoever made it.
            (OperationKind::Create, Some(_)) if is_refusal(&failure) => {
                self.fail(failure, Observed::Absent).await
            }
            // The end is near, but not reached: what is shown now may be gone with it.
            (_, Some(found)) if is_under_way(&found) && !self.is_overdue() => {
                self.claim.absent_reads = 0;
                Ok(NextAction::RetryAfter(self.next_pause()))
            }
            (OperationKind::Create, Some(found)) if failure.code == Code::Contested.as_str() => {
                match self.compared(&found).await? {
                    Comparison::Unreadable => self.look_again_later().await,
                    comparison => self.end_as_anothers(&found, &Whose::Contested(comparison)).await,
                }
            }
            (OperationKind::Create, Some(_)) => self.fail(failure, Observed::Present).await,
            (OperationKind::Remove, Some(found)) => match self.is_replaced(&found).await? {
                Some(comparison) => self.drifted_from(&found, &comparison).await,
                // Also what a caller named is not the record's own for that.
                None => {
                    let observed = self.observed_beside(&self.compared(&found).await?);
                    self.fail(failure, observed).await
                }
            },
            (OperationKind::Create, None) if failure.code == Code::Contested.as_str() => {
                self.contested_not_found(failure).await
            }
            // ARM's failed operation may have left something that reads don't find yet.
            (OperationKind::Create, None)
                if !is_refusal(&failure) && self.claim.absent_reads + 1 < ABSENT_READS =>
            {
                self.claim.absent_reads += 1;
                Ok(NextAction::RetryAfter(self.driver.settings.poll_min))
            }
            (OperationKind::Create, None) => self.fail(failure, Observed::Absent).await,
        }
    }

    /// ARM took the create as a change, and reads don't find what it changed: they lag, as the one did that found nothing before it.
    /// What ARM took on may stand, so it counts as not made only as late as one that got no answer.
    async fn contested_not_found(&mut self, failure: Failure) -> Step {
        if self.claim.record.phase != Phase::Settling {
            if self.claim.absent_reads < READS_AFTER_SUCCESS {
                self.claim.absent_reads += 1;
                return Ok(NextAction::RetryAfter(self.driver.settings.poll_min));
            }
            return self
                .mark_outcome_unknown(
                    "Azure took the create as a change, and reads don't find what it changed",
                )
                .await;
        }
        let is_dead = self.request_is_dead().await?;
        self.claim.absent_reads = if is_dead { self.claim.absent_reads + 1 } else { 0 };
        // One more than of others: the first of them may have been made before the request was dead.
        if self.claim.absent_reads <= ABSENT_READS {
            return self.look_again_later().await;
        }
        if self.is_running().await? {
            return self.look_again_later().await;
        }
        self.fail(failure, Observed::Absent).await
    }

    /// Whether the operation should have ended by now.
    pub(crate) fn is_overdue(&self) -> bool {
        self.driver.clock.now() > self.claim.record.deadline_at
    }

    /// Reads the data connection; `Err` is how the step ends when it can't be read.
    pub(crate) async fn read_connection(&mut self) -> Step<Option<DataConnection>> {
        let token = self.reading().await?;
        let (arm, id) = (self.driver.arm.clone(), self.record.arm_id.clone());
        match self.with_lease_renewal(arm.data_connection(&token, &id)).await? {
            Ok(found) => Ok(found),
            // Not the data connection is what ARM doesn't find, but what it would be in.
            Err(error) if error.status() == Some(404) => Err(early(self.parent_not_found(&error).await)),
            Err(error) => Err(early(self.read_failed(&error).await)),
        }
    }

    /// What the data connection would be in isn't found, as after a move of the subscription or by a read that lags: that tells
    /// nothing of the data connection. A removal is missing its object, and a create stays unsettled.
    async fn parent_not_found(&mut self, error: &ArmError) -> Step {
        match self.claim.record.kind {
            OperationKind::Remove => self.parent_missing().await,
            OperationKind::Create => {
                let said = self.claim.record.failure.clone().filter(is_arms_word);
                match said {
                    // ARM took nothing on, whatever the parent is.
                    Some(said) if is_refusal(&said) => self.fail(said, Observed::Absent).await,
                    said if self.claim.record.phase == Phase::Settling => {
                        let failure = said.unwrap_or_else(|| failure_of(Code::ParentMissing, error));
                        self.not_proved(failure, Observed::Unknown).await
                    }
                    _ => self.read_failed(error).await,
                }
            }
        }
    }

    /// A read that failed changes nothing: wait, or wait for other tokens.
    pub(crate) async fn read_failed(&mut self, error: &ArmError) -> Step {
        tracing::warn!(operation.id = %self.claim.record.id, arm.call = error.call, arm.status = error.status(), "a read failed");
        if matches!(error.status(), Some(401 | 403)) {
            return self.reading_refused(error).await;
        }
        let asked = error.refusal().and_then(|refusal| refusal.retry_after);
        let pause = asked.unwrap_or_else(|| self.next_pause());
        self.look_again_after(pause).await
    }

    /// Looks again after the next pause, which grows.
    pub(crate) async fn look_again_later(&mut self) -> Step {
        let pause = self.next_pause();
        self.look_again_after(pause).await
    }

    /// What may last goes on at rest: an operation that can't be settled now takes no place here that others need.
    pub(crate) async fn look_again_after(&mut self, pause: Duration) -> Step {
        if pause < self.driver.settings.poll_max {
            return Ok(NextAction::RetryAfter(pause));
        }
        self.commit(Change {
            release_for: Some(pause),
            ..self.change("the operation is looked at again later", self.claim.record.phase)
        })
        .await?;
        Ok(NextAction::Done)
    }
}

/// Whether ARM took nothing on, so that what is there is not what was sent.
fn is_refusal(failure: &Failure) -> bool {
    [Code::AzureRefused, Code::ClaimsChallenge]
        .iter()
        .any(|code| failure.code == code.as_str())
}

/// Whether the failure is what ARM said of the change, and not what was seen since.
pub(crate) fn is_arms_word(failure: &Failure) -> bool {
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
pub(crate) fn is_under_way(found: &DataConnection) -> bool {
    matches!(Shown::of(found), Shown::UnderWay)
}
