//! A removal, step by step. `404` counts as removed only while the parent database can be read.

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

impl Job {
    /// Begins a removal that waited: for another change of its connection or cluster, for a token, or because ARM put it off.
    pub(crate) async fn begin_removal(&mut self) -> Step {
        let store = &self.driver.tokens.store;
        if store.for_use(self.claim.record.id, Access::Write).is_none() {
            return self.await_caller(self.token_to_write()).await;
        }
        let before = within(async {
            let mut db = self.driver.db.pool().acquire().await?;
            operations::another_in_flight(&mut db, &self.claim.record).await
        });
        let before = before.await?;
        if before.is_some() {
            return Ok(NextAction::RetryAfter(TURN));
        }
        // What the change before it left is known only now.
        self.record = self.driver.record_of(&self.claim).await?;
        if self.record.closed_at.is_some() {
            return self.nothing_was_made().await;
        }
        let credentials = self.writing().await?;
        let differs = self.clear_to_remove(&credentials).await?;
        self.wait_anew();
        self.assume_actor().await?;
        let event = if self.claim.dispatches == 0 {
            EventKind::RemoveIntended
        } else {
            EventKind::RemoveRepeated
        };
        let mut details = details::removal_intent(&self.record, self.driver.arm.kusto_api_version());
        add_differences(&mut details, differs.as_ref());
        let begun = self.commit(Change {
            found: differs,
            request_id: self.writer.as_ref().map(|caller| caller.request_id().to_owned()),
            leaves: Some(None),
            desired: Some(Desired::Absent),
            observed: Some((Observed::Unknown, false)),
            event: Some((event, details)),
            ..self.change("the removal is sent", Phase::Dispatched)
        });
        begun.await?;
        self.unsent = true;
        self.send_removal(credentials, None).await
    }

    /// The create came to nothing, so its name is free, and what has it now may be somebody else's: nothing is sent.
    async fn nothing_was_made(&mut self) -> Step {
        self.commit(Change {
            failure: None,
            event: Some((EventKind::RemoveSucceeded, json!({ "neverMade": true }))),
            ..self.change("there is nothing to remove", Phase::Succeeded)
        })
        .await?;
        Ok(NextAction::Done)
    }

    /// Sends what was committed on this replica a moment ago.
    pub(crate) async fn send_committed_removal(&mut self) -> Step {
        let credentials = self.writing().await?;
        let differs = self.clear_to_remove(&credentials).await?;
        self.send_removal(credentials, differs).await
    }

    /// `differs` is what a read found directly before, where it is the record's but configured otherwise.
    async fn send_removal(&mut self, credentials: Credentials, differs: Option<FoundResource>) -> Step {
        let (arm, id) = (self.driver.arm.clone(), self.record.arm_id.clone());
        let trace = CallTrace {
            correlation_id: self.claim.record.correlation_id,
        };
        if !self.before_send().await? {
            return Ok(NextAction::Done);
        }
        self.unsent = false;
        let answer = self
            .with_lease_renewal(arm.delete_data_connection(&credentials, &id, &trace))
            .await?;
        match answer {
            Ok(Deleted::Accepted { operation, call }) => {
                let url = operation.map(|url| url.expose().to_owned());
                self.removal_accepted(url, &call, 202, differs).await
            }
            Ok(Deleted::Done { call }) => self.removal_accepted(None, &call, 200, differs).await,
            Ok(Deleted::NothingThere { call }) => self.removal_accepted(None, &call, 204, differs).await,
            Err(error) => self.removal_not_accepted(&error).await,
        }
    }

    async fn removal_accepted(
        &mut self,
        url: Option<String>,
        call: &CallReport,
        status: u16,
        differs: Option<FoundResource>,
    ) -> Step {
        let mut details = json!({
            "status": status,
            "armRequestId": call.request_id,
            "durationMs": u64::try_from(call.duration.as_millis()).unwrap_or(u64::MAX),
            "withAuxiliary": self.with_auxiliary,
        });
        add_differences(&mut details, differs.as_ref());
        let nothing_to_follow = url.is_none();
        self.commit(Change {
            found: differs,
            arm_operation_url: url,
            event: Some((EventKind::RemoveAccepted, details)),
            ..self.change("Azure took the removal", Phase::Accepted)
        })
        .await?;
        self.wait_anew();
        Ok(NextAction::RetryAfter(if nothing_to_follow {
            Duration::ZERO
        } else {
            self.next_pause()
        }))
    }

    async fn removal_not_accepted(&mut self, error: &ArmError) -> Step {
        match &error.kind {
            // A change of the cluster is under way, or somebody else's: the wish stands, and its turn comes.
            _ if error.is_put_off() => self.put_off(error).await,
            // Nothing left this machine: the wish stands, and it is sent again.
            ArmErrorKind::NotSent(_) => {
                self.unsent = true;
                let pause = self.growing_pause();
                Ok(NextAction::RetryAfter(pause))
            }
            ArmErrorKind::Refused(_)
                if error.is_code("LinkedAuthorizationFailed") && !self.with_auxiliary =>
            {
                self.with_auxiliary = true;
                self.send_with_auxiliary().await
            }
            // Somebody who signs in with what ARM demands has to ask again; the wish stands.
            ArmErrorKind::Refused(refusal) if refusal.claims.is_some() => self.challenged(error).await,
            // Whoever tried to help may not; that takes nothing from the wish of who asked for it.
            ArmErrorKind::Refused(refusal)
                if matches!(refusal.status, 401 | 403) && self.claim.record.actor != self.requester =>
            {
                self.hold(error, self.record.target_tenant.into()).await
            }
            ArmErrorKind::Refused(_) | ArmErrorKind::Throttled(_) => {
                let failure = failure_of(Code::AzureRefused, error);
                let kept = self.change("Azure refused the removal", Phase::Accepted);
                self.commit(Change {
                    failure: Some(failure),
                    ..kept
                })
                .await?;
                // A failure counts only after a read: the next step makes it.
                Ok(NextAction::RetryAfter(Duration::ZERO))
            }
            _ => {
                self.mark_outcome_unknown("the removal got no answer that tells whether it was carried out")
                    .await
            }
        }
    }

    /// Another request, which may land as late as any: it is committed as the first one was.
    async fn send_with_auxiliary(&mut self) -> Step {
        let details = details::removal_intent(&self.record, self.driver.arm.kusto_api_version());
        let begun = self.commit(Change {
            leaves: Some(None),
            event: Some((EventKind::RemoveRepeated, details)),
            ..self.change("the removal is sent with the source's token", Phase::Dispatched)
        });
        // It kept the cluster for longer than it may, and another change is at it by now. ARM refused the first request, so nothing
        // of it is left to come.
        begun.await?;
        self.unsent = true;
        Ok(NextAction::RetryAfter(Duration::ZERO))
    }

    /// The removal as reads show it. `is_done` says that ARM called it carried out.
    pub(crate) async fn confirm_removal(&mut self, is_done: bool) -> Step {
        let token = self.reading().await?;
        let (arm, id) = (self.driver.arm.clone(), self.record.arm_id.clone());
        match self.with_lease_renewal(arm.data_connection(&token, &id)).await? {
            // What is there since is another's.
            Ok(Some(found)) if is_done && self.is_replaced(&found).await?.is_some() => {
                self.removed(json!({ "databaseRead": true, "replacedSince": true }))
                    .await
            }
            // Reads lag, and the request may still be carried out: one read that shows it there is no reason to send another.
            Ok(Some(found))
                if self.claim.record.phase == Phase::Settling
                    && self.request_is_dead().await?
                    && (!is_under_way(&found) || self.is_overdue()) =>
            {
                match self.is_replaced(&found).await? {
                    Some(comparison) => self.drifted_from(&found, &comparison).await,
                    None => self.resend_removal().await,
                }
            }
            Ok(Some(_)) if self.claim.record.phase == Phase::Settling => self.look_again_later().await,
            Ok(Some(_)) => Ok(NextAction::RetryAfter(self.next_pause())),
            Ok(None) => self.confirm_absence(&token).await,
            Err(error) if error.status() == Some(404) => self.parent_missing().await,
            Err(error) => self.read_failed(&error).await,
        }
    }

    /// A read found nothing: that counts as removed only while the parent database can be read.
    pub(crate) async fn confirm_absence(&mut self, token: &dyn Bearer) -> Step {
        let (arm, database) = (self.driver.arm.clone(), self.record.arm_id.database());
        match self
            .with_lease_renewal(arm.database_exists(token, &database))
            .await?
        {
            Ok(true) => self.removed(json!({ "databaseRead": true })).await,
            Ok(false) => self.parent_missing().await,
            Err(error) if error.status() == Some(404) => self.parent_missing().await,
            // Nothing was sent, if the removal waits for its request to leave.
            Err(error) if self.unsent || self.claim.record.phase == Phase::Queued => {
                self.not_readable(&error).await
            }
            Err(error) => self.read_failed(&error).await,
        }
    }

    async fn removed(&mut self, details: Value) -> Step {
        self.commit(Change {
            failure: None,
            observed: Some((Observed::Absent, true)),
            event: Some((EventKind::RemoveSucceeded, details)),
            ..self.change("the connection is removed", Phase::Succeeded)
        })
        .await?;
        Ok(NextAction::Done)
    }

    /// The data connection can't be seen, but neither can its database: it is missing, not removed.
    pub(crate) async fn parent_missing(&mut self) -> Step {
        let detail = "neither the data connection nor its database can be read, which proves no removal; ask again when the database is there";
        self.fail(plain(Code::ParentMissing, detail), self.observed_as_gone())
            .await
    }

    /// Settles a removal whose outcome is unknown. What the caller named and wanted gone is asked for again.
    pub(crate) async fn settle_removal(&mut self) -> Step {
        self.confirm_removal(false).await
    }

    /// A read found it still there, and not on its way: the removal waits for a turn to be sent again. It is never given up, but
    /// it comes less and less often, so that it wears out neither ARM nor the ledger.
    async fn resend_removal(&mut self) -> Step {
        // Until somebody is here who may send it, the first one may still land, and reads go on showing whether it has.
        if self
            .driver
            .tokens
            .store
            .for_use(self.claim.record.id, Access::Write)
            .is_none()
        {
            return self.await_caller(self.token_to_write()).await;
        }
        let (least, most) = (self.driver.settings.poll_max, self.driver.settings.deadline / 10);
        let pause = match self.claim.dispatches {
            0 | 1 => Duration::ZERO,
            times => least.saturating_mul(times.unsigned_abs()).min(most.max(least)),
        };
        Ok(self.requeue(pause).await?)
    }

    /// What to ask for when nobody's tokens to write with are here: the one that was missing last, else the target's.
    fn token_to_write(&self) -> Awaiting {
        let target = self.record.target_tenant;
        self.awaited.clone().unwrap_or_else(|| target.into())
    }
}

/// Says in an event what of the data connection is not as it is recorded.
fn add_differences(details: &mut Value, differs: Option<&FoundResource>) {
    if let (Some(found), Some(details)) = (differs, details.as_object_mut()) {
        details.insert("differences".to_owned(), found.differences.clone().into());
    }
}
