//! Create: tokens exchanged, reads made, the intent committed; from there the operation is driven to its end.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::preflight::Clearance;
use super::refusal::{BrokerError, Refusal};
use super::tenants::{Tenants, is_of_another_tenant};
use super::vault::Use;
use super::{Broker, Caller};
use crate::arm::event_hub_body;
use crate::connection::{
    ActorId, Code, ConnectionId, ConnectionRecord, DataFormat, Desired, EntityName, NewConnection, Observed,
    OperationId, OperationKind, OperationRecord, Phase, State,
};
use crate::db::leases::Claim;
use crate::db::operations::NewOperation;
use crate::db::{DbError, begin, connections, ledger_events, operations, people};
use crate::ledger::{EventKind, hex, salted_hash};

/// The scope that lets an app change connections in a user's name.
pub(super) const SCOPE_WRITE: &str = "Connections.ReadWrite";

/// A connection that a create led to.
#[derive(Debug)]
pub struct Created {
    /// Its record.
    pub record: ConnectionRecord,
    /// Whether this request made it; a repeated one finds what the first made.
    pub fresh: bool,
}

impl Broker {
    /// Creates a connection. When this returns, the intent is recorded and the operation goes on by itself.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] with everything that stands against it; nothing was changed then, at ARM or in the record.
    pub async fn create(&self, caller: &Caller, request: &NewConnection) -> Result<Created, BrokerError> {
        let result = self.try_create(caller, request).await;
        if let Err(BrokerError::Refused(refusal)) = &result {
            let id = request.id();
            self.record_refusal(
                EventKind::CreateRefused,
                caller,
                None,
                id.resource().canonical(),
                refusal,
            )
            .await;
        }
        result
    }

    async fn try_create(&self, caller: &Caller, request: &NewConnection) -> Result<Created, BrokerError> {
        caller.demand_scope(&[SCOPE_WRITE])?;
        let hash = request_hash(request);
        let (late, found) = (
            DbError::Unavailable(sqlx::Error::PoolTimedOut),
            self.existing(caller, request, &hash),
        );
        if let Some(existing) = self.in_time(late, found).await? {
            return Ok(existing);
        }
        let cleared = match self.clear(caller, request).await {
            // What was remembered of the subscriptions may be out of date: ask again, once.
            Err(error) if is_of_another_tenant(&error) => {
                self.forget_tenants_of(request).await;
                self.clear(caller, request).await
            }
            cleared => cleared,
        };
        let (tenants, clearance) = match cleared {
            // The same request may have been quicker, and what Azure has may be what it made.
            Err(error) if is_taken(&error) => {
                return self.existing(caller, request, &hash).await?.ok_or(error);
            }
            cleared => cleared?,
        };
        let claimed_at = Instant::now();
        let (broker, by, wanted, made_of) = (self.clone(), caller.clone(), request.clone(), hash.clone());
        let begun = self.undisturbed(Box::pin(async move {
            let (record, claim) = broker
                .record_intent(&by, &wanted, tenants, &clearance, &made_of)
                .await?;
            broker
                .0
                .vault
                .keep(claim.record.id, Use::Write, by, broker.clock.now());
            broker.drive(claim, claimed_at, true);
            Ok(Created { record, fresh: true })
        }));
        match begun.await {
            Ok(created) => Ok(created),
            // A concurrent request was quicker. What it recorded decides.
            Err(BrokerError::Database(DbError::Conflict(_))) => {
                match self.existing(caller, request, &hash).await? {
                    Some(existing) => Ok(existing),
                    None => Err(Refusal::new(
                        Code::ChangeInProgress,
                        "the connection was changed at the same moment; look again",
                    )
                    .into()),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Everything that is asked before a create: whose the subscriptions are, for tokens of those tenants, and what ARM lets
    /// them see.
    async fn clear(
        &self,
        caller: &Caller,
        request: &NewConnection,
    ) -> Result<(Tenants, Clearance), BrokerError> {
        let tenants = self.tenants_of(request).await?;
        let needed = tenants.distinct();
        caller.refuse_unneeded(&needed)?;
        let (tokens, refusal) = self.exchange_each(caller, &needed).await;
        let of = |tenant| tokens.iter().find(|token| token.tenant() == tenant);
        let (target, source) = (of(tenants.target), of(tenants.source));
        match (refusal, target, source) {
            (None, Some(target), Some(source)) => {
                let clearance = self.preflight_create(request, target, source).await?;
                Ok((tenants, clearance))
            }
            (Some(refusal), target, source) => {
                Err(self.complete_refusal(refusal, request, target, source).await)
            }
            (None, ..) => Err(DbError::Defect("an exchange for no tenant".to_owned()).into()),
        }
    }

    /// What a repeated create finds: the same connection for the same actor and request; a refusal for all others, which
    /// tells them nothing of whose it is.
    async fn existing(
        &self,
        caller: &Caller,
        request: &NewConnection,
        hash: &[u8],
    ) -> Result<Option<Created>, BrokerError> {
        let mut db = self.pool.acquire().await.map_err(DbError::from)?;
        let Some(record) = connections::find_open(&mut db, &request.id()).await? else {
            return Ok(None);
        };
        let same_actor = people::find(&mut db, caller.actor()).await? == Some(record.created_by);
        if !same_actor {
            let detail = "a connection of this name is recorded for this database";
            return Err(Refusal::new(Code::ConnectionExists, detail)
                .at("/name", detail)
                .into());
        }
        if record.request_hash != hash {
            let detail = format!(
                "you made this connection with another configuration; it is {}",
                record.id
            );
            return Err(Refusal::new(Code::ConnectionExists, detail).into());
        }
        if record.state() == State::Missing {
            let detail = format!(
                "the connection {} is recorded, but Azure no longer has it; remove the record, then create it anew",
                record.id
            );
            return Err(Refusal::new(Code::ConnectionExists, detail).into());
        }
        if record.desired == Desired::Absent {
            let detail = format!(
                "the connection {} is being removed; create it anew when it is gone",
                record.id
            );
            return Err(Refusal::new(Code::ChangeInProgress, detail).into());
        }
        let waits =
            |operation: &OperationRecord| !operation.phase.is_terminal() && operation.awaiting.is_some();
        if record.last_operation.as_ref().is_some_and(waits) {
            self.take_up(record.id, caller, Use::Read).await?;
        }
        Ok(Some(Created { record, fresh: false }))
    }

    /// One commit: the connection, its people, what will be sent and its hash, what a read found and when, the ledger event.
    async fn record_intent(
        &self,
        caller: &Caller,
        request: &NewConnection,
        tenants: Tenants,
        clearance: &Clearance,
        hash: &[u8],
    ) -> Result<(ConnectionRecord, Claim), BrokerError> {
        let body = event_hub_body(request, &clearance.location);
        let body_hash = Sha256::digest(body.to_string().as_bytes()).to_vec();
        let claim_token = uuid::Uuid::new_v4();
        let mut record = self.new_record(request, tenants, clearance, hash);
        let mut transaction = begin(&self.pool, "record create intent").await?;
        let db = &mut *transaction;
        let actor = self.person(db, caller).await?;
        record.created_by = actor;
        let operation =
            self.new_operation(record.id, OperationKind::Create, Phase::Dispatched, actor, caller);
        connections::insert(db, &record).await?;
        let participants = self.record_people(db, &record, caller).await?;
        let salt = uuid::Uuid::new_v4();
        if let Some(text) = &request.justification {
            connections::add_note(db, record.id, text, salt.as_bytes()).await?;
        }
        let new = NewOperation {
            record: operation,
            body: Some(body.clone()),
            body_hash: Some(body_hash.clone()),
            api_version: self.arm.kusto_api_version().to_owned(),
            absence_seen_at: Some(clearance.absent_at),
            lease: claim_token,
        };
        operations::insert(db, &new, self.worker.lease).await?;
        let mut event = self.event(
            EventKind::CreateIntended,
            &record,
            &new.record,
            json!({
                "armId": record.arm_id.resource().canonical(),
                "sourceId": record.source.hub.resource().canonical(),
                "apiVersion": new.api_version,
                "bodySha256": hex(&body_hash),
                "absenceSeenAt": clearance.absent_at,
                "primaryTenant": tenants.target,
                "auxiliaryTenants": auxiliary_tenants(tenants),
                "participants": participants,
                "justificationHash": request.justification.as_ref().map(|text| salted_hash(salt.as_bytes(), text)),
            }),
        );
        event.request_id = Some(caller.request_id().to_owned());
        ledger_events::append(db, &event).await?;
        let claim = Claim {
            record: new.record.clone(),
            lease: claim_token,
            body: new.body,
            arm_operation_url: None,
            absent_reads: 0,
        };
        transaction.commit().await?;
        Ok((
            ConnectionRecord {
                last_operation: Some(new.record),
                ..record
            },
            claim,
        ))
    }

    fn new_record(
        &self,
        request: &NewConnection,
        tenants: Tenants,
        clearance: &Clearance,
        hash: &[u8],
    ) -> ConnectionRecord {
        ConnectionRecord {
            id: ConnectionId::new(self.clock.new_id()),
            arm_id: request.id(),
            name: request.name.clone(),
            target_tenant: tenants.target,
            source_tenant: tenants.source,
            target: request.target.clone(),
            source: request.source.clone(),
            location: clearance.location.clone(),
            request_hash: hash.to_vec(),
            // Known inside the transaction only.
            created_by: ActorId::new(uuid::Uuid::nil()),
            created_at: self.clock.now(),
            desired: Desired::Present,
            // From the commit on, the request may have left.
            observed: Observed::Unknown,
            observed_at: clearance.absent_at,
            confirmed_at: None,
            closed_at: None,
            justification: request.justification.clone(),
            last_operation: None,
        }
    }

    /// A new operation of this caller.
    pub(super) fn new_operation(
        &self,
        connection: ConnectionId,
        kind: OperationKind,
        phase: Phase,
        actor: ActorId,
        caller: &Caller,
    ) -> OperationRecord {
        let now = self.clock.now();
        OperationRecord {
            id: OperationId::new(self.clock.new_id()),
            connection,
            kind,
            phase,
            actor,
            app: caller.app(),
            correlation_id: uuid::Uuid::new_v4(),
            created_at: now,
            dispatched_at: (phase == Phase::Dispatched).then_some(now),
            finished_at: None,
            deadline_at: now + self.worker.deadline,
            failure: None,
            awaiting: None,
        }
    }
}

/// Whether Azure was found to have a data connection of the name.
fn is_taken(error: &BrokerError) -> bool {
    matches!(error, BrokerError::Refused(refusal) if refusal.code == Code::NameTaken)
}

/// The source's tenant, where it is another: ARM wants no auxiliary token of the primary one.
pub(super) fn auxiliary_tenants(tenants: Tenants) -> Vec<crate::connection::TenantId> {
    if tenants.target == tenants.source {
        Vec::new()
    } else {
        vec![tenants.source]
    }
}

/// SHA-256 of the request in a form in which two spellings of the same request are equal. The justification is no part
/// of what is made, so it doesn't count.
fn request_hash(request: &NewConnection) -> Vec<u8> {
    // A list, since the order of an object's members depends on how the JSON library was built, and the hash is stored.
    let canonical: Value = json!([
        request.id().resource().canonical(),
        request.target.table.as_ref().map(EntityName::as_str),
        request.target.mapping.as_ref().map(EntityName::as_str),
        request.target.data_format.map(DataFormat::as_str),
        request.source.hub.resource().canonical(),
        request.source.consumer_group.as_str().to_ascii_lowercase(),
    ]);
    Sha256::digest(canonical.to_string().as_bytes()).to_vec()
}

#[cfg(test)]
mod tests;
