//! Remove: the target tenant's token alone, since the source's access may be exactly what was revoked.

use serde_json::json;
use sqlx::PgConnection;
use tokio::time::Instant;

use super::create::SCOPE_WRITE;
use super::create::waits;
use super::idempotency::{Keyed, Replay};
use super::read::{Lending, not_found};
use super::recording::failure_details;
use super::refusal::{BrokerError, Refusal};
use super::removal_request::{RemovalRequest, WantedRemoval};
use super::sight::Side;
use super::vault::Use;
use super::{Broker, Caller};
use crate::config::Direction;
use crate::connection::{
    Code, ConnectionId, ConnectionRecord, Desired, Failure, Observed, OperationKind, OperationRecord, Phase,
    removal_hash, removal_of_found_hash,
};
use crate::db::leases::Claim;
use crate::db::operations::NewOperation;
use crate::db::{DbError, begin, connections, ledger_events, operations, slots};
use crate::ledger::{EventKind, hex};

/// What a removal led to.
#[derive(Debug)]
pub struct Removal {
    /// The operation that decides: the removal, or the create that came to nothing.
    pub operation: OperationRecord,
    /// From where the caller saw the connection.
    pub seen_from: Side,
}

impl Broker {
    /// Removes a connection. When this returns, the wish is recorded and the operation goes on by itself; a connection that
    /// is already removed, or on its way, stays as it stands. Gives the operation that decides: the removal, or the create that
    /// came to nothing. With a key, the same request begins one removal, also if that failed.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] when the caller may not; nothing was changed then.
    pub async fn remove(
        &self,
        caller: &Caller,
        id: ConnectionId,
        request: RemovalRequest,
    ) -> Result<Removal, BrokerError> {
        caller.demand_scope(&[SCOPE_WRITE])?;
        let found = self.find(caller, id).await?;
        let side = self.side(caller, &found).await?;
        let seen_from = side.ok_or_else(|| not_found("connection"))?;
        let record = found.record;
        let wanted = WantedRemoval::of(request, id);
        // Boxed: the request's own future would carry all of it.
        let result = Box::pin(self.try_remove(caller, &record, &wanted)).await;
        if let Err(BrokerError::Refused(refusal)) = &result {
            let arm_id = record.arm_id.resource().canonical();
            self.record_refusal(EventKind::RemoveRefused, caller, Some(&record), arm_id, refusal)
                .await;
        }
        let operation = result?;
        Ok(Removal { operation, seen_from })
    }

    async fn try_remove(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
        wanted: &WantedRemoval,
    ) -> Result<OperationRecord, BrokerError> {
        let keyed = wanted.keyed.as_ref();
        let replay = self.removal_of(caller, keyed).await?;
        if let Some(ended) = replay.as_ref().filter(|operation| operation.phase.is_terminal()) {
            return Ok(ended.clone());
        }
        if replay.is_none() {
            wanted.check_version(record)?;
        }
        // What a create of unknown outcome sent may have come to something since its record was closed.
        let reopened;
        let record = if record.closed_at.is_some() && self.look_for_late_effect(caller, record).await {
            reopened = self.find(caller, record.id).await?.record;
            &reopened
        } else {
            record
        };
        if record.closed_at.is_some() {
            return self.found_removal(caller, keyed, decisive(record)?).await;
        }
        if replay.is_none() {
            wanted.check_contested(record)?;
        }
        caller.refuse_unneeded(&[record.target_tenant, record.source_tenant])?;
        self.refuse_tenant_not_allowed(record)?;
        // Also for a removal under way: whoever brings tokens must be allowed to remove.
        let target = self.permit_removal(caller, record).await?;
        if let Some(operation) = replay {
            self.continue_removal(record, &operation, caller).await?;
            return Ok(operation);
        }
        if wanted.record_only {
            return self.remove_record_only(caller, record, wanted, &target).await;
        }
        if let Some(operation) = &record.last_operation
            && operation.kind == OperationKind::Remove
            && !operation.phase.is_terminal()
        {
            self.refuse_to_join(caller, record, operation, wanted).await?;
            self.continue_removal(record, operation, caller).await?;
            return self.found_removal(caller, keyed, operation.clone()).await;
        }
        let claimed_at = Instant::now();
        let (broker, by, id, made_by) = (self.clone(), caller.clone(), record.id, wanted.clone());
        let begun = self.undisturbed(async move {
            let (operation, claim) = broker.record_removal(&by, id, &made_by).await?;
            if !operation.phase.is_terminal() {
                broker.go_on(&operation, claim, by, claimed_at);
            }
            Ok(operation)
        });
        match begun.await {
            Ok(operation) => {
                // Nobody else may ever come back for a change before it that waits for a caller.
                if operation.phase == Phase::Queued && record.last_operation.as_ref().is_some_and(waits) {
                    self.take_up(record, caller, Lending::Read).await?;
                }
                Ok(operation)
            }
            // A concurrent removal was quicker; it is the same wish.
            Err(BrokerError::Database(DbError::Conflict(_))) => {
                if let Some(operation) = self.removal_of(caller, keyed).await? {
                    return Ok(operation);
                }
                let now = self.find(caller, record.id).await?.record;
                if now.desired == Desired::Absent || now.closed_at.is_some() {
                    return self.found_removal(caller, keyed, decisive(&now)?).await;
                }
                let detail = "another change of the connection began at the same moment; look again";
                Err(Refusal::new(Code::ChangeInProgress, detail).into())
            }
            Err(error) => Err(error),
        }
    }

    /// A removal under way may be of something that its requester found at ARM and named: nobody else lends tokens to that who did not
    /// name the same.
    async fn refuse_to_join(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
        operation: &OperationRecord,
        wanted: &WantedRemoval,
    ) -> Result<(), BrokerError> {
        if operation.request_hash == removal_hash(record.id) || self.is_requester(caller, operation).await? {
            return Ok(());
        }
        let named = wanted.accepted(record)?;
        let named = named.map(|found| hex(&removal_of_found_hash(record.id, &found)));
        if named.as_ref() == Some(&operation.request_hash) {
            return Ok(());
        }
        let detail = "another person's removal of what they found at Azure under this name is under way; to go on with it in your own name, continue its operation with its requestHash";
        Err(Refusal::new(Code::ChangeInProgress, detail).into())
    }

    /// No token leaves for a tenant that is no longer allowed.
    fn refuse_tenant_not_allowed(&self, record: &ConnectionRecord) -> Result<(), BrokerError> {
        if self.tenants.allows(record.target_tenant, Direction::Target) {
            return Ok(());
        }
        let detail = format!(
            "tenant {} is no longer allowed as a connection's target by this service's configuration; until it is again, nothing can be removed there",
            record.target_tenant
        );
        Err(Refusal::new(Code::TenantNotAllowed, detail).into())
    }

    /// The operation that the key stands for, if it was used before.
    async fn removal_of(
        &self,
        caller: &Caller,
        keyed: Option<&Keyed>,
    ) -> Result<Option<OperationRecord>, BrokerError> {
        match keyed {
            Some(keyed) => Ok(self.replay(caller, keyed).await?.map(|replay| replay.operation)),
            None => Ok(None),
        }
    }

    /// The operation that a removal found instead of beginning one: its key stands for it from now on.
    async fn found_removal(
        &self,
        caller: &Caller,
        keyed: Option<&Keyed>,
        operation: OperationRecord,
    ) -> Result<OperationRecord, BrokerError> {
        match keyed {
            Some(keyed) => {
                let Replay { operation, .. } = self.bind(caller, keyed, operation).await?;
                Ok(operation)
            }
            None => Ok(operation),
        }
    }

    /// One commit: the wish, the operation, the request's key, the ledger event. While another change is in flight, of the
    /// connection or of its cluster, the removal waits for it; a create that was not sent is canceled, and nothing is left to do.
    async fn record_removal(
        &self,
        caller: &Caller,
        id: ConnectionId,
        wanted: &WantedRemoval,
    ) -> Result<(OperationRecord, Option<Claim>), BrokerError> {
        let mut transaction = begin(&self.pool, "record removal").await?;
        let db = &mut *transaction;
        let actor = self.person(db, caller).await?;
        // What was read before may have changed; under the lock it can't.
        connections::lock(db, id).await?;
        let gone = || DbError::Defect("a connection vanished".to_owned());
        let record = connections::find(db, id).await?.ok_or_else(gone)?;
        if record.closed_at.is_some() {
            // Its name is free: what has it now may be somebody else's.
            return Err(DbError::Conflict("the connection was closed meanwhile".to_owned()).into());
        }
        let accepted_fingerprint = wanted.accepted(&record)?;
        let mut operation = self.new_operation(id, OperationKind::Remove, actor, caller);
        let body_hash = accepted_fingerprint
            .as_ref()
            .map(|found| removal_of_found_hash(id, found));
        if let Some(hash) = &body_hash {
            operation.request_hash = hex(hash);
        }
        let cluster = record.target.database.cluster();
        let before = record.last_operation.as_ref();
        let kind = match before.filter(|operation| !operation.phase.is_terminal()) {
            Some(operation) if operation.kind == OperationKind::Remove => {
                return Err(DbError::Conflict("a removal is under way".to_owned()).into());
            }
            Some(create) if self.cancel(db, &record, create).await? => {
                operation.phase = Phase::Succeeded;
                operation.dispatched_at = None;
                operation.finished_at = Some(operation.created_at);
                EventKind::RemoveSucceeded
            }
            Some(_) => {
                self.wait_for_turn(&mut operation);
                EventKind::RemoveQueued
            }
            None => {
                self.take_turn(db, &cluster, &mut operation).await?;
                if operation.phase == Phase::Queued {
                    EventKind::RemoveQueued
                } else {
                    EventKind::RemoveIntended
                }
            }
        };
        connections::set_desired(db, id, Desired::Absent).await?;
        if operation.phase == Phase::Dispatched {
            connections::set_observed(db, id, Observed::Unknown, self.clock.now(), false, false).await?;
        }
        let new = NewOperation {
            accepted_fingerprint,
            body_hash,
            ..self.to_record(operation)
        };
        self.insert_operation(db, &new, &cluster).await?;
        self.keep_key(db, caller, wanted.keyed.as_ref(), &new.record)
            .await?;
        let details = if kind == EventKind::RemoveSucceeded {
            json!({ "neverMade": true })
        } else {
            let mut details = self.removal_details(&record);
            if let (Some(accepted), Some(details)) = (&new.accepted_fingerprint, details.as_object_mut()) {
                details.insert("acceptedFingerprint".to_owned(), accepted.clone().into());
            }
            details
        };
        let mut event = self.event(kind, &record, &new.record, details);
        event.request_id = Some(caller.request_id().to_owned());
        ledger_events::append(db, &event).await?;
        transaction.commit().await?;
        let claim = new.claim();
        Ok((new.record, claim))
    }

    /// Ends a create that waits and surely had no effect: its connection is finally absent. Gives whether it was one.
    async fn cancel(
        &self,
        db: &mut PgConnection,
        record: &ConnectionRecord,
        create: &OperationRecord,
    ) -> Result<bool, DbError> {
        let failure = Failure {
            code: Code::NotSent.as_str().to_owned(),
            detail: "the connection was removed before its create was sent".to_owned(),
            comparison: None,
            upstream: None,
        };
        let now = self.clock.now();
        if create.phase != Phase::Queued || !operations::cancel(db, create.id, &failure, now).await? {
            return Ok(false);
        }
        connections::set_observed(db, record.id, Observed::Absent, now, true, false).await?;
        slots::call(db).await?;
        let details = failure_details(&failure);
        let event = self.event(EventKind::CreateFailed, record, create, details);
        ledger_events::append(db, &event).await?;
        Ok(true)
    }

    pub(super) fn removal_details(&self, record: &ConnectionRecord) -> serde_json::Value {
        json!({
            "armId": record.arm_id.resource().canonical(),
            "apiVersion": self.arm.kusto_api_version(),
            "primaryTenant": record.target_tenant,
            "stateBefore": record.state(),
        })
    }

    /// Brings tokens for a removal under way. Whoever looks at it may be driving it at this moment with tokens that are no
    /// good for it, so these are kept also when there is nothing to take up; they never replace others that may write.
    async fn continue_removal(
        &self,
        record: &ConnectionRecord,
        operation: &OperationRecord,
        caller: &Caller,
    ) -> Result<(), BrokerError> {
        let vault = &self.0.vault;
        if vault.for_use(operation.id, Use::Write).is_none() {
            let ids = (operation.id, record.id);
            vault.keep(ids, Use::Write, caller.clone(), self.clock.now());
        }
        self.take_up(record, caller, Lending::Write(operation.id)).await
    }
}

/// The operation that made a connection what it is: its last one.
fn decisive(record: &ConnectionRecord) -> Result<OperationRecord, DbError> {
    let defect = || DbError::Defect("a connection without an operation".to_owned());
    record.last_operation.clone().ok_or_else(defect)
}
