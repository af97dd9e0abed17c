//! Whose turn it is: an operation that waited begins, and one that can't go on now goes back into the queue, without keeping the
//! others of its cluster waiting.

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

impl Job {
    /// Begins a create that waited: for its turn, for a token, or because ARM put it off. Time has passed since its absence was
    /// proved, and a PUT now could replace what somebody else made meanwhile: the new proof, and that the request may leave, are
    /// committed first.
    pub(crate) async fn begin_create(&mut self) -> Step {
        if self.is_overdue() {
            let detail = "the create was given up: it could not be sent in the time that creates may wait";
            return self.fail(plain(Code::NotSent, detail), Observed::Absent).await;
        }
        let credentials = self.writing().await?;
        let (arm, id) = (self.driver.arm.clone(), self.record.arm_id.clone());
        match self
            .with_lease_renewal(arm.data_connection(&credentials.primary, &id))
            .await?
        {
            Ok(None) => {}
            Ok(Some(_)) => {
                let detail = "while this create waited, somebody else made a data connection of this name";
                return self.fail(plain(Code::NameTaken, detail), Observed::Absent).await;
            }
            Err(error) => return self.absence_not_proved(&error).await,
        }
        self.assume_actor().await?;
        let absent_at = self.driver.clock.now();
        let (event, details) = if self.claim.dispatches == 0 {
            let hash = &self.claim.record.request_hash;
            let details =
                details::create_intent(&self.record, hash, absent_at, self.driver.arm.kusto_api_version());
            (EventKind::CreateIntended, details)
        } else {
            let details = json!({ "absenceSeenAt": absent_at, "dispatches": self.claim.dispatches });
            (EventKind::CreateRepeated, details)
        };
        let begun = self.commit(Change {
            leaves: Some(Some(absent_at)),
            observed: Some((Observed::Unknown, false)),
            event: Some((event, details)),
            ..self.change("the create is sent", Phase::Dispatched)
        });
        begun.await?;
        if self.claim.record.phase.is_terminal() {
            return Ok(NextAction::Done);
        }
        self.unsent = true;
        self.send_create(credentials).await
    }

    /// Whether an operation that waits was claimed though it is not its turn, as those are that a dead replica left or that wait
    /// for a caller, and could be sent here: it waits in line with the others.
    pub(crate) fn claimed_early(&self) -> bool {
        let in_turn = self.claim.resumed && self.claim.record.awaiting.is_none();
        let is_over = self.claim.record.kind == OperationKind::Create && self.is_overdue();
        let store = &self.driver.tokens.store;
        !in_turn && !is_over && store.for_use(self.claim.record.id, Access::Write).is_some()
    }

    /// The read that must find nothing failed.
    async fn absence_not_proved(&mut self, error: &ArmError) -> Step {
        match &error.kind {
            ArmErrorKind::Refused(refusal) if refusal.status == 404 => {
                self.fail(failure_of(Code::ParentMissing, error), Observed::Absent)
                    .await
            }
            // Its user proved enough a moment ago, and ARM takes the token for another tenant's: as after a move of the subscription,
            // which not all of ARM knows of at once.
            ArmErrorKind::Refused(refusal) if refusal.is_code("InvalidAuthenticationTokenTenant") => {
                let pause = self.growing_pause();
                Ok(NextAction::RetryAfter(pause))
            }
            ArmErrorKind::Refused(refusal) if refusal.status == 401 || refusal.claims.is_some() => {
                self.await_caller(self.demanded(Some(refusal))).await
            }
            // Whoever asked may no longer; nothing was ever sent.
            ArmErrorKind::Refused(refusal) if refusal.status == 403 => {
                self.fail(failure_of(Code::AzureRefused, error), Observed::Absent)
                    .await
            }
            _ => {
                let pause = error.retry_after().unwrap_or_else(|| self.growing_pause());
                Ok(NextAction::RetryAfter(pause))
            }
        }
    }

    /// Waits in the queue, where others of the cluster can have their turn.
    pub(crate) async fn requeue(&mut self, pause: Duration) -> Step {
        if self.claim.record.phase.is_terminal() {
            return Ok(NextAction::Done);
        }
        self.commit(Change {
            release_for: Some(pause),
            ..self.change("the operation waits for its turn", Phase::Queued)
        })
        .await?;
        Ok(NextAction::Done)
    }

    /// ARM did nothing, and wants the same asked later: back into the queue until then. A cluster that is busy is busy for
    /// everybody; throttling is for who asked.
    pub(crate) async fn put_off(&mut self, error: &ArmError) -> Step {
        if matches!(error.kind, ArmErrorKind::Rejected(_)) {
            // By this service itself: ARM was not asked.
            self.unsent = true;
            let pause = self.longer_pause(error);
            return Ok(NextAction::RetryAfter(pause));
        }
        let pause = error.retry_after().unwrap_or_else(|| self.growing_pause());
        let busy = matches!(error.kind, ArmErrorKind::Refused(_));
        let details = json!({
            "code": error.refusal().and_then(|refusal| refusal.code.as_deref()),
            "status": error.status(),
            "waitMs": u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
        });
        self.unsent = false;
        self.commit(Change {
            release_for: Some(pause),
            cluster_pause: busy.then_some(pause),
            event: Some((EventKind::ChangePutOff, details)),
            ..self.change("Azure put the change off", Phase::Queued)
        })
        .await?;
        Ok(NextAction::Done)
    }

    /// A wait that grows with the time since the operation was asked for: it has to be remembered nowhere.
    pub(crate) fn growing_pause(&self) -> Duration {
        let age = self.driver.clock.now() - self.claim.record.created_at;
        let part = age.to_std().unwrap_or_default() / PART_OF_AGE;
        part.clamp(self.driver.settings.poll_min, self.driver.settings.poll_max)
    }

    /// A wait as long as was asked for, and longer when the operation has waited for long: an outage may last.
    pub(crate) fn longer_pause(&self, error: &ArmError) -> Duration {
        let asked = error.retry_after().unwrap_or_default();
        asked.max(self.growing_pause())
    }

    /// From here on the operation goes on in the name of whoever's tokens it is about to be sent with, and the ledger says so.
    pub(crate) async fn assume_actor(&mut self) -> Result<(), Error> {
        let Some(caller) = self.writer.clone() else {
            return Ok(());
        };
        let driver = self.driver.clone();
        let person = within(async {
            let mut db = driver.db.pool().acquire().await?;
            driver.recorder.ensure_actor(&mut db, &caller).await
        });
        self.claim.record.actor = person.await?;
        self.claim.record.app = caller.app();
        Ok(())
    }
}
