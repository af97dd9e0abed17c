//! What a step leaves behind, in one transaction: the operation, the connection and the ledger event together or not at all.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::db::cluster_locks;
use crate::db::connections;
use crate::db::ledger_events;
use crate::db::operations;
use crate::db::operations::{Leaving, Progress};
use crate::db::revisions;
use crate::db::within;
use crate::domain::ActorId;
use crate::domain::Awaiting;
use crate::domain::Code;
use crate::domain::Desired;
use crate::domain::Error;
use crate::domain::Event;
use crate::domain::EventKind;
use crate::domain::Failure;
use crate::domain::FoundResource;
use crate::domain::Observed;
use crate::domain::OperationKind;
use crate::domain::Phase;
use crate::ledger::details;
use crate::operations::driver::Job;
use crate::operations::driver::send::plain;
use crate::operations::driver::{NextAction, Step, Stop};
use crate::telemetry::metrics;

/// What a step changes; what is not named stays.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) name: &'static str,
    pub(crate) phase: Phase,
    pub(crate) arm_operation_url: Option<String>,
    pub(crate) absent_reads: i32,
    pub(crate) failure: Option<Failure>,
    pub(crate) awaiting: Option<Awaiting>,
    pub(crate) release_for: Option<Duration>,
    /// The request is about to leave, so the cluster must be free: when a read found nothing there, for a create.
    pub(crate) leaves: Option<Option<DateTime<Utc>>>,
    /// How long ARM wants to be left alone with the cluster, when its turn is given back.
    pub(crate) cluster_pause: Option<Duration>,
    pub(crate) desired: Option<Desired>,
    /// What was seen, and whether the connection is finally absent with it.
    pub(crate) observed: Option<(Observed, bool)>,
    /// What a read found although the record says otherwise.
    pub(crate) found: Option<FoundResource>,
    /// What a read showed that confirms the revision.
    pub(crate) snapshot: Option<Value>,
    pub(crate) event: Option<(EventKind, Value)>,
    /// The request whose tokens the change is made with, if it is another than the one that began the operation.
    pub(crate) request_id: Option<String>,
}

impl Job {
    /// A change to this phase and nothing else.
    pub(crate) fn change(&self, name: &'static str, phase: Phase) -> Change {
        Change {
            name,
            phase,
            arm_operation_url: self.claim.arm_operation_url.clone(),
            absent_reads: self.claim.absent_reads,
            failure: self.claim.record.failure.clone(),
            awaiting: None,
            release_for: None,
            leaves: None,
            cluster_pause: None,
            desired: None,
            observed: None,
            found: None,
            snapshot: None,
            event: None,
            request_id: None,
        }
    }

    /// Commits a change under the lease. While the database is out of reach it is tried again as long as the lease may last:
    /// what ARM has answered must not be lost for a moment's outage.
    ///
    /// A create that would wait or leave although its connection is to be removed ends here instead: nothing was made, and
    /// the removal behind it must find nothing to remove.
    pub(crate) async fn commit(&mut self, change: Change) -> Step<()> {
        match self.commit_or_end(change).await? {
            Committed::Done(_) => Ok(()),
            Committed::Unwanted => {
                let failure = plain(
                    Code::NotSent,
                    "the connection was removed before its create was sent",
                );
                let ended = Change {
                    event: Some((EventKind::CreateFailed, details::failure(&failure))),
                    failure: Some(failure),
                    observed: Some((Observed::Absent, true)),
                    ..self.change("the create is wanted no longer", Phase::Failed)
                };
                Ok(self.commit_or_end(ended).await.map(drop)?)
            }
        }
    }

    async fn commit_or_end(&mut self, change: Change) -> Result<Committed, NotCommitted> {
        let asked_at = Instant::now();
        let event = change.event.as_ref().map(|(kind, details)| {
            let driver = &self.driver;
            let event = driver
                .recorder
                .event(*kind, &self.record, &self.claim.record, details.clone());
            if self.by_service {
                return driver.recorder.of_the_service(event);
            }
            Event {
                request_id: change.request_id.clone(),
                ..event
            }
        });
        let mut repeated = false;
        let continued = loop {
            match within(self.try_commit(&change, event.clone(), repeated)).await {
                Err(NotCommitted::Error(Error::Database(error)))
                    if error.is_outage() && Instant::now() < self.lease_end =>
                {
                    self.driver.db.failed(&error, "a result waits to be recorded");
                    repeated = true;
                    sleep(self.driver.settings.lease / 20).await;
                }
                result => match result? {
                    Committed::Done(continued) => break continued,
                    Committed::Unwanted => return Ok(Committed::Unwanted),
                },
            }
        };
        self.lease_end = asked_at + self.driver.settings.lease;
        if change.phase.is_terminal() {
            self.driver.tokens.store.forget(self.claim.record.id);
            metrics::operation_ended(self.claim.record.kind.as_str(), change.phase.as_str());
            let code = change.failure.as_ref().map(|failure| failure.code.as_str());
            let refused = [Code::Drifted, Code::Contested].into_iter();
            if let Some(code) = refused.map(Code::as_str).find(|refused| code == Some(*refused)) {
                metrics::write_refused(code);
            }
        }
        if change.leaves.is_some() {
            let now = self.driver.clock.now();
            self.claim.record.dispatched_at = Some(now);
            self.claim.record.deadline_at = now + self.driver.settings.deadline;
            self.claim.dispatches += 1;
        }
        let gives_turn_back = gives_turn_back(&change);
        if let Some((actor, app)) = continued {
            self.requester = actor;
            self.claim.record.actor = actor;
            self.claim.record.app = app;
        }
        self.claim.record.phase = change.phase;
        self.claim.record.awaiting = change.awaiting;
        self.claim.record.failure = change.failure;
        self.claim.arm_operation_url = change.arm_operation_url;
        self.claim.absent_reads = change.absent_reads;
        tracing::info!(
            operation.id = %self.claim.record.id,
            connection.id = %self.record.id,
            operation.phase = change.phase.as_str(),
            "{}",
            change.name
        );
        self.driver.signals.changed(self.record.id);
        if gives_turn_back {
            self.driver.signals.wake();
        }
        Ok(Committed::Done(continued))
    }

    async fn try_commit(
        &self,
        change: &Change,
        mut event: Option<Event>,
        repeated: bool,
    ) -> Result<Committed, NotCommitted> {
        let (driver, now) = (&self.driver, self.driver.clock.now());
        let progress = Progress {
            phase: change.phase,
            arm_operation_url: change.arm_operation_url.as_deref(),
            absent_reads: change.absent_reads,
            failure: change.failure.as_ref(),
            awaiting: change.awaiting.as_ref(),
            release_for: change.release_for,
            // What waits for a caller is for whoever has tokens, and a replica that stops takes its own with it.
            holder: (change.awaiting.is_none() && !driver.replica.stop.is_cancelled())
                .then_some(driver.replica.id),
            leaves: change.leaves.map(|absent_at| Leaving { absent_at }),
            deadline_at: self.deadline_with(change, now),
            now,
        };
        let (id, lease) = (self.claim.record.id, self.claim.lease);
        if change.leaves.is_some() && driver.replica.stop.is_cancelled() {
            return Err(NotCommitted::Stopping);
        }
        let mut transaction = driver.db.begin(change.name).await?;
        let db = &mut *transaction;
        connections::lock(db, self.record.id).await?;
        // Only the answer to an earlier commit was lost: to write it again would put the event twice into the ledger.
        if repeated
            && let Some(event) = &event
            && ledger_events::is_recorded(db, event.id).await?
        {
            return Ok(Committed::Done(None));
        }
        let is_create = self.claim.record.kind == OperationKind::Create;
        let is_before_sending = change.leaves.is_some() || change.phase == Phase::Queued;
        if is_create && is_before_sending && !connections::is_to_be_made(db, self.record.id).await? {
            return Ok(Committed::Unwanted);
        }
        let actor = operations::save(db, id, lease, &progress, driver.settings.lease).await?;
        let continued = (actor.0 != self.requester).then_some(actor);
        if let Some((actor, app)) = continued {
            if change.leaves.is_some() {
                // These tokens are not theirs: what is sent from now on goes with those of whoever goes on.
                driver.tokens.store.give_up(id, self.tried, now);
                return Err(NotCommitted::Continued);
            }
            // What only the service's token is behind is nobody's.
            if let Some(event) = event.as_mut().filter(|event| event.actor.is_some()) {
                (event.actor, event.app) = (Some(actor), Some(app));
            }
        }
        if change.leaves.is_some() && !cluster_locks::take(db, id, driver.settings.slot_timeout).await? {
            return Err(NotCommitted::SlotTaken);
        }
        if gives_turn_back(change) {
            cluster_locks::give_back(db, id, change.cluster_pause).await?;
        } else if change.awaiting.is_some() {
            cluster_locks::hold_at_most(db, id, driver.settings.max_request_lifetime).await?;
        }
        if let Some(desired) = change.desired {
            connections::set_desired(db, self.record.id, desired).await?;
        }
        let is_in_doubt = [change.phase, self.claim.record.phase].contains(&Phase::Settling);
        if is_create && is_in_doubt {
            // Before the record is closed. Also of one whose outcome became unknown to a version that did not write it down.
            connections::expect_late_effect(db, self.record.id).await?;
        }
        if let Some((observed, closed)) = change.observed {
            let confirmed = observed == Observed::Present && change.phase == Phase::Succeeded;
            connections::set_observed(db, self.record.id, observed, now, closed, confirmed).await?;
        }
        self.record_seen(db, change, now).await?;
        if let Some(event) = &event {
            ledger_events::append(db, event).await?;
        }
        transaction.commit().await?;
        Ok(Committed::Done(continued))
    }

    /// What a read showed.
    async fn record_seen(
        &self,
        db: &mut PgConnection,
        change: &Change,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let connection = self.record.id;
        // Before the change, which the operation's phase here is of: the request had left.
        let was_sent = matches!(self.claim.record.phase, Phase::Accepted | Phase::Settling);
        if self.claim.record.kind == OperationKind::Remove && change.phase == Phase::Succeeded && was_sent {
            connections::expect_nothing_late(db, connection).await?;
        }
        if let Some(found) = &change.found {
            connections::set_found(db, connection, found).await?;
        }
        if let Some(snapshot) = &change.snapshot {
            revisions::confirm(db, connection, self.claim.revision, snapshot, now).await?;
        }
        Ok(())
    }

    /// By when the operation should have ended after a change, if that moves with it.
    fn deadline_with(&self, change: &Change, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let record = &self.claim.record;
        match (record.kind, change.phase) {
            _ if change.leaves.is_some() => Some(now + self.driver.settings.deadline),
            (OperationKind::Create, Phase::Queued) => {
                Some(record.created_at + self.driver.settings.max_queue_time)
            }
            _ => None,
        }
    }

    /// Ends the operation without the change. What ARM holds is `observed`; a create that left nothing closes the record.
    pub(crate) async fn fail(&mut self, failure: Failure, observed: Observed) -> Step {
        self.fail_with(failure, observed, None).await
    }

    /// The same, with what a read found that is not what is recorded.
    pub(crate) async fn fail_with(
        &mut self,
        failure: Failure,
        observed: Observed,
        found: Option<FoundResource>,
    ) -> Step {
        let kind = self.claim.record.kind;
        let (event, desired) = match kind {
            OperationKind::Create => (EventKind::CreateFailed, None),
            // The wish came to nothing, and the connection is what it was.
            OperationKind::Remove => (EventKind::RemoveFailed, Some(Desired::Present)),
        };
        let closed = kind == OperationKind::Create && observed == Observed::Absent;
        let mut details = details::failure(&failure);
        if let (Some(found), Some(details)) = (&found, details.as_object_mut()) {
            details.insert("differences".to_owned(), found.differences.clone().into());
            details.insert("fingerprint".to_owned(), found.fingerprint.clone().into());
            tracing::warn!(
                operation.id = %self.claim.record.id,
                connection.id = %self.record.id,
                failure.code = failure.code,
                failure.comparison = failure.comparison,
                found.differences = ?found.differences,
                "Azure holds something else than what is recorded, so nothing was deleted or called done"
            );
        }
        self.commit(Change {
            event: Some((event, details)),
            failure: Some(failure),
            desired,
            observed: Some((observed, closed)),
            found,
            ..self.change("the operation failed", Phase::Failed)
        })
        .await?;
        Ok(NextAction::Done)
    }

    /// Records that the outcome is unknown: from here on, only reads tell.
    pub(crate) async fn mark_outcome_unknown(&mut self, why: &str) -> Step {
        self.unsent = false;
        let details = serde_json::json!({ "reason": why });
        // What ARM said of a create is still to be borne out; a removal is wanted whatever it said.
        let failure = match self.claim.record.kind {
            OperationKind::Create => self.claim.record.failure.clone(),
            OperationKind::Remove => None,
        };
        self.commit(Change {
            failure,
            absent_reads: 0,
            observed: Some((Observed::Unknown, false)),
            event: Some((EventKind::OutcomeUnknown, details)),
            ..self.change("the outcome is unknown", Phase::Settling)
        })
        .await?;
        self.wait_anew();
        Ok(NextAction::RetryAfter(Duration::ZERO))
    }

    /// Gives the lease back because a token is missing; whoever brings them takes the operation up.
    pub(crate) async fn await_caller(&mut self, awaited: impl Into<Awaiting>) -> Step {
        if self.claim.record.phase.is_terminal() {
            return Ok(NextAction::Done);
        }
        let now = self.driver.clock.now();
        if let Some(borrowed) = self.borrowed.take() {
            self.driver.tokens.store.give_back(borrowed, now);
        }
        // Before the lease is gone: from then on, whoever brings tokens goes on himself.
        if self
            .driver
            .tokens
            .store
            .give_up(self.claim.record.id, self.tried, now)
        {
            return Ok(NextAction::RetryAfter(Duration::ZERO));
        }
        let release_for = Some(self.driver.tokens.own.release_time(&self.record));
        // What was surely not sent steps out of the queue, and keeps nobody waiting.
        let waiting = self.change("the operation waits for a token", self.phase_at_rest());
        self.commit(Change {
            awaiting: Some(awaited.into()),
            release_for,
            ..waiting
        })
        .await?;
        Ok(NextAction::Done)
    }

    /// The phase in which the operation can be left: only this replica knows that what it was about to send was not sent.
    fn phase_at_rest(&self) -> Phase {
        match self.claim.record.phase {
            Phase::Dispatched if self.unsent => Phase::Queued,
            phase => phase,
        }
    }

    /// Gives the lease back at once: this replica stops.
    pub(crate) async fn hand_over(&mut self) -> Step<()> {
        let release_for = Some(Duration::ZERO);
        let handed = self.change("the operation is handed over", self.phase_at_rest());
        self.commit(Change {
            awaiting: self.claim.record.awaiting.clone(),
            release_for,
            ..handed
        })
        .await
    }
}

/// Why a transition was not committed.
enum NotCommitted {
    /// Another change of the cluster is in flight.
    SlotTaken,
    /// Another person continued the operation, and the tokens at hand are not theirs.
    Continued,
    /// This replica stops, and sends nothing more.
    Stopping,
    /// Anything else.
    Error(Error),
}

impl<E: Into<Error>> From<E> for NotCommitted {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl From<NotCommitted> for Stop {
    fn from(reason: NotCommitted) -> Self {
        match reason {
            // It waits for its turn anew.
            NotCommitted::SlotTaken | NotCommitted::Continued | NotCommitted::Stopping => {
                Self::Next(NextAction::RetryAfter(Duration::ZERO))
            }
            NotCommitted::Error(error) => Self::Error(error),
        }
    }
}

/// What became of a commit.
enum Committed {
    /// All was written. In whose name, and by which app, the operation goes on, if somebody continued it since it was claimed.
    Done(Option<(ActorId, Uuid)>),
    /// Nothing was written: the create is wanted no longer.
    Unwanted,
}

/// Whether a change leaves the cluster to the next: the operation has ended, or waits for a turn of its own.
const fn gives_turn_back(change: &Change) -> bool {
    change.phase.is_terminal() || matches!(change.phase, Phase::Queued)
}
