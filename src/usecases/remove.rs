//! Remove: needs the target tenant's token only, since the access to the source may be what was revoked.

use crate::authz::Scope;
use crate::db::Db;
use crate::domain::ClusterId;
use crate::ledger::recorder::Recorder;
use crate::operations::driver::Driver;
use crate::operations::queue::Queue;
use crate::preflight::Preflight;
use crate::upstream::ArmToken;
use crate::usecases::idempotency::{IdempotencyKeys, Outcome};
use crate::usecases::queries::Queries;
use crate::usecases::recheck::LateEffects;
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::authz::Caller;
use crate::db::leases::Claim;
use crate::db::operations::NewOperation;
use crate::db::{DbError, cluster_locks, connections, ledger_events, operations};
use crate::domain::{
    Code, ConnectionId, ConnectionRecord, Desired, Error, EventKind, Failure, Observed, OperationId,
    OperationKind, OperationRecord, Phase, Refusal, hex, removal_hash, removal_of_found_hash,
};
use crate::ledger::details::{self, RemovalIntentDetails, RemoveSucceededDetails};
use crate::usecases::actor_change;
use crate::usecases::create::waits;
use crate::usecases::removal_request::{RemovalRequest, RemoveCommand};
use crate::visibility::ViewerRole;

/// The result of a removal.
#[derive(Debug)]
pub struct Removal {
    /// The operation that decides: the removal, or the create that had no effect.
    pub operation: OperationRecord,
    /// The role in which the caller sees the connection.
    pub viewer_role: ViewerRole,
}

/// Removes connections. Cheap to clone.
#[derive(Clone)]
pub struct Remove {
    pub(super) db: Db,
    pub(super) preflight: Preflight,
    pub(super) recorder: Recorder,
    pub(super) driver: Driver,
    pub(super) queue: Queue,
    pub(super) keys: IdempotencyKeys,
    pub(super) queries: Queries,
    pub(super) late_effects: LateEffects,
}

impl Remove {
    /// Removes a connection. When this returns, the intent is recorded and the operation runs in the background; a connection that is
    /// removed or being removed stays as it is. Returns the operation that decides: the removal, or the create that had no effect.
    /// Requests with the same key start one removal, even if it failed.
    ///
    /// # Errors
    /// [`Error::Refused`] when the caller may not; nothing was changed then.
    pub async fn run(
        &self,
        caller: &Caller,
        id: ConnectionId,
        request: RemovalRequest,
    ) -> Result<Removal, Error> {
        caller.require(Scope::ReadWrite)?;
        let found = self.queries.find(caller, id).await?;
        let side = self.queries.visibility.viewer_role(caller, &found).await?;
        let viewer_role = side.ok_or_else(|| Error::not_found("connection"))?;
        let record = found.record;
        let wanted = RemoveCommand::of(request);
        let work = self.answer(caller, &record, &wanted);
        let (kind, arm_id) = (EventKind::RemoveRefused, &record.arm_id);
        let refusals = self.recorder.refusals(kind, caller, Some(&record), arm_id, work);
        let operation = refusals.await?;
        Ok(Removal {
            operation,
            viewer_role,
        })
    }

    async fn answer(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
        wanted: &RemoveCommand,
    ) -> Result<OperationRecord, Error> {
        // Boxed: the futures around it would otherwise hold all of it inline.
        let work = Box::pin(self.find_or_begin(caller, record, wanted));
        let outcome = self.keys.once(caller, wanted.keyed.as_ref(), work).await?;
        if outcome.replayed && !outcome.operation.phase.is_terminal() {
            self.permit(caller, record).await?;
            self.refuse_to_join(caller, record, &outcome.operation, wanted)
                .await?;
            self.continue_removal(record, &outcome.operation, caller).await?;
        }
        Ok(outcome.operation)
    }

    async fn find_or_begin(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
        wanted: &RemoveCommand,
    ) -> Result<Outcome, Error> {
        wanted.check_version(record)?;
        // A create of unknown outcome may have taken effect since its record was closed.
        let reopened;
        let record =
            if record.closed_at.is_some() && self.late_effects.recheck_late_effect(caller, record).await {
                reopened = self.queries.find(caller, record.id).await?.record;
                &reopened
            } else {
                record
            };
        if record.closed_at.is_some() {
            return Ok(found(decisive(record)?));
        }
        wanted.check_contested(record)?;
        let target = self.permit(caller, record).await?;
        if wanted.record_only {
            return self.remove_record_only(caller, record, wanted, &target).await;
        }
        if let Some(operation) = &record.last_operation
            && operation.kind == OperationKind::Remove
            && !operation.phase.is_terminal()
        {
            self.refuse_to_join(caller, record, operation, wanted).await?;
            self.continue_removal(record, operation, caller).await?;
            return Ok(Outcome::found(operation.clone()));
        }
        match self.begin(caller, record, wanted).await {
            // A concurrent removal committed first; it is the same intent.
            Err(conflict @ Error::Conflict(_)) => {
                let now = self.queries.find(caller, record.id).await?.record;
                if now.desired == Desired::Present && now.closed_at.is_none() {
                    return Err(conflict);
                }
                let operation = decisive(&now)?;
                if !operation.phase.is_terminal() {
                    self.refuse_to_join(caller, &now, &operation, wanted).await?;
                }
                Ok(found(operation))
            }
            begun => begun,
        }
    }

    /// Checks that the caller may remove the connection: also for a removal that runs, to which the tokens are provided.
    async fn permit(&self, caller: &Caller, record: &ConnectionRecord) -> Result<ArmToken, Error> {
        caller.refuse_unneeded(&[record.target_tenant, record.source_tenant])?;
        self.preflight.tenants.removal_allowed(record)?;
        self.preflight.permit_removal(caller, record).await
    }

    /// Commits the removal and starts it, whatever becomes of the request.
    async fn begin(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
        wanted: &RemoveCommand,
    ) -> Result<Outcome, Error> {
        let claimed_at = Instant::now();
        let (service, by, id, made_by) = (self.clone(), caller.clone(), record.id, wanted.clone());
        let begun = self.driver.replica.spawn_uncancellable(async move {
            let (operation, claim, preceding) = service.record_removal(&by, id, &made_by).await?;
            if operation.phase.is_terminal() {
                return Ok(Outcome::began(operation));
            }
            // Perhaps no other caller returns for the change that precedes it.
            if let Some(preceding) = preceding {
                service.driver.keep_removers(preceding, by.clone());
            }
            service.driver.start(&operation, claim, by.clone(), claimed_at);
            if preceding.is_some() {
                service.driver.settle_preceding(&operation, &by).await;
            }
            Ok(Outcome::began(operation))
        });
        begun.await
    }

    /// A running removal may be of something that its requester found at ARM and named. Another person's tokens are provided to it only
    /// if that person names the same.
    async fn refuse_to_join(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
        operation: &OperationRecord,
        wanted: &RemoveCommand,
    ) -> Result<(), Error> {
        if operation.request_hash == removal_hash(record.id)
            || self.queries.is_requester(caller, operation).await?
        {
            return Ok(());
        }
        let named = wanted.accepted(record)?;
        let named = named.map(|found| hex(&removal_of_found_hash(record.id, &found)));
        if named.as_ref() == Some(&operation.request_hash) {
            return Ok(());
        }
        let detail = "another person's removal of what Azure holds under this name is running; to continue it in your own name, continue its operation with its requestHash";
        Err(Refusal::new(Code::ChangeInProgress, detail).into())
    }

    /// One commit: the desired state, the operation, the request's key, the ledger event. While another change of the connection or its
    /// cluster is in flight, the removal is queued; a create that was not sent is canceled, which ends the removal too.
    async fn record_removal(
        &self,
        caller: &Caller,
        id: ConnectionId,
        wanted: &RemoveCommand,
    ) -> Result<(OperationRecord, Option<Claim>, Option<OperationId>), Error> {
        let mut transaction = self.db.begin("record removal").await?;
        let db = &mut *transaction;
        let actor = self.recorder.ensure_actor(db, caller).await?;
        // Read again under the lock: it may have changed.
        connections::lock(db, id).await?;
        let gone = || Error::Internal("a connection vanished".to_owned());
        let record = connections::find(db, id).await?.ok_or_else(gone)?;
        if record.closed_at.is_some() {
            // Its name is free, and may belong to another record now.
            return Err(Error::Conflict("the connection was closed meanwhile".to_owned()));
        }
        let accepted_fingerprint = wanted.accepted(&record)?;
        let body_hash = accepted_fingerprint
            .as_ref()
            .map(|found| removal_of_found_hash(id, found));
        let request_hash = body_hash
            .as_ref()
            .map_or_else(|| removal_hash(id), |hash| hex(hash));
        let mut operation = self
            .queue
            .new_operation(id, OperationKind::Remove, request_hash, actor, caller);
        let cluster = record.target.database.cluster();
        let kind = self.place(db, &record, &cluster, &mut operation).await?;
        connections::set_desired(db, id, Desired::Absent).await?;
        if operation.phase == Phase::Dispatched {
            connections::set_observed(db, id, Observed::Unknown, self.driver.clock.now(), false, false)
                .await?;
        }
        let new = NewOperation {
            accepted_fingerprint,
            body_hash,
            ..self.queue.to_record(operation)
        };
        self.queue.insert(db, &new, &cluster).await?;
        self.keys
            .keep_key(db, caller, wanted.keyed.as_ref(), &new.record)
            .await?;
        let details = if kind == EventKind::RemoveSucceeded {
            details::json(&RemoveSucceededDetails {
                never_made: Some(true),
                ..RemoveSucceededDetails::default()
            })
        } else {
            details::json(&RemovalIntentDetails {
                accepted_fingerprint: new.accepted_fingerprint.clone(),
                ..details::removal_intent(&record, self.queue.api_version())
            })
        };
        let mut event = self.recorder.event(kind, &record, &new.record, details);
        event.request_id = Some(caller.request_id().to_owned());
        ledger_events::append(db, &event).await?;
        transaction.commit().await?;
        let claim = new.claim();
        let before = record.last_operation.filter(|before| !before.phase.is_terminal());
        let preceding = before.filter(|_| new.record.phase == Phase::Queued);
        Ok((new.record, claim, preceding.map(|before| before.id)))
    }

    /// Where a new removal stands: it ends with the queued create that it cancels, waits in the queue, or is sent now.
    async fn place(
        &self,
        db: &mut PgConnection,
        record: &ConnectionRecord,
        cluster: &ClusterId,
        operation: &mut OperationRecord,
    ) -> Result<EventKind, Error> {
        let before = record.last_operation.as_ref();
        Ok(match before.filter(|operation| !operation.phase.is_terminal()) {
            Some(operation) if operation.kind == OperationKind::Remove => {
                return Err(Error::Conflict("a removal is under way".to_owned()));
            }
            Some(create) if self.cancel(db, record, create).await? => {
                operation.phase = Phase::Succeeded;
                operation.dispatched_at = None;
                operation.finished_at = Some(operation.created_at);
                EventKind::RemoveSucceeded
            }
            Some(_) => {
                self.queue.set_queued(operation);
                EventKind::RemoveQueued
            }
            None => {
                self.queue.acquire_slot(db, cluster, operation).await?;
                if operation.phase == Phase::Queued {
                    EventKind::RemoveQueued
                } else {
                    EventKind::RemoveIntended
                }
            }
        })
    }

    /// Ends a queued create that surely had no effect: its connection is absent for good. Returns whether there was one.
    async fn cancel(
        &self,
        db: &mut PgConnection,
        record: &ConnectionRecord,
        create: &OperationRecord,
    ) -> Result<bool, DbError> {
        let failure = Failure::new(
            Code::NotSent,
            "the connection was removed before its create was sent",
        );
        let now = self.driver.clock.now();
        if create.phase != Phase::Queued || !operations::cancel(db, create.id, &failure, now).await? {
            return Ok(false);
        }
        connections::set_observed(db, record.id, Observed::Absent, now, true, false).await?;
        cluster_locks::notify_queue(db).await?;
        let details = details::json(&details::failure(&failure, None));
        let event = self
            .recorder
            .event(EventKind::CreateFailed, record, create, details);
        ledger_events::append(db, &event).await?;
        Ok(true)
    }

    /// Resumes a running removal with the caller's tokens. Another person than its actor becomes that, if it waits for a caller; if it
    /// waits in the queue, their tokens read for the change that precedes it.
    async fn continue_removal(
        &self,
        record: &ConnectionRecord,
        operation: &OperationRecord,
        caller: &Caller,
    ) -> Result<(), Error> {
        if self.queries.is_requester(caller, operation).await? {
            self.driver.resume(operation, caller).await;
            return Ok(());
        }
        if !waits(operation) {
            if operation.phase == Phase::Queued {
                self.driver.settle_preceding(operation, caller).await;
            }
            return Ok(());
        }
        self.driver.replica.refuse_when_stopping()?;
        let continued = self.db.change(async {
            let mut transaction = self.db.begin("record continuation").await?;
            let db = &mut *transaction;
            let continued = actor_change::record(db, &self.recorder, record, operation, caller).await?;
            transaction.commit().await?;
            Ok(continued)
        });
        self.driver.resume(&continued.await?, caller).await;
        Ok(())
    }
}

/// What a removal found that began none. Where a create failed, there was nothing to remove. No key stands for that: if the create takes
/// effect after all, the same request removes it.
fn found(operation: OperationRecord) -> Outcome {
    Outcome {
        keeps_key: operation.kind == OperationKind::Remove,
        ..Outcome::found(operation)
    }
}

/// The operation that decided the connection's state: its last one.
fn decisive(record: &ConnectionRecord) -> Result<OperationRecord, Error> {
    let defect = || Error::Internal("a connection without an operation".to_owned());
    record.last_operation.clone().ok_or_else(defect)
}
