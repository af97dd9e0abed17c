//! Continue: somebody brings tokens for an operation that waits for some, to write with too. Its own requester just goes on;
//! another permitted person says by its request's hash what they go on with, and the rest is done in their name.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::create::SCOPE_WRITE;
use super::idempotency::{IdempotencyKey, Keyed};
use super::read::{Lending, not_found};
use super::refusal::{BrokerError, Refusal};
use super::sight::Side;
use super::{Broker, Caller};
use crate::config::Direction;
use crate::connection::{
    Code, ConnectionRecord, NewConnection, OperationId, OperationKind, OperationRecord, Phase,
};
use crate::db::connections::Part;
use crate::db::{DbError, begin, connections, ledger_events, operations, people};
use crate::ledger::EventKind;

/// Where a request says which operation it goes on with.
const POINTER: &str = "/requestHash";

/// What a request to go on led to.
#[derive(Debug)]
pub struct Continued {
    /// The operation.
    pub operation: OperationRecord,
    /// From where the caller saw its connection.
    pub seen_from: Side,
    /// Whether it goes on by this request, or by the first one with its key; else it waited for nobody.
    pub goes_on: bool,
}

/// What was asked for, and what of.
struct Wanted {
    record: ConnectionRecord,
    operation: OperationRecord,
    hash: Option<String>,
    keyed: Option<Keyed>,
}

impl Broker {
    /// Goes on with an operation that waits for a token, by the caller's. `hash` is its request's, which another person than
    /// its requester has to name, and who then is its recorded actor. One that waits for nobody stays as it is.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] when the caller may not, or their tokens don't do; nothing was changed then.
    pub async fn continue_operation(
        &self,
        caller: &Caller,
        id: OperationId,
        hash: Option<String>,
        key: Option<IdempotencyKey>,
    ) -> Result<Continued, BrokerError> {
        caller.demand_scope(&[SCOPE_WRITE])?;
        let operation = self.recorded_operation(id).await?;
        let found = self.find(caller, operation.connection).await?;
        let side = self.side(caller, &found).await?;
        let seen_from = side.ok_or_else(|| not_found("operation"))?;
        let keyed = key.map(|key| Keyed {
            key,
            route: format!("POST /v1/operations/{id}/continue"),
            body_hash: Sha256::digest(hash.as_deref().unwrap_or_default()).to_vec(),
        });
        let wanted = Wanted {
            record: found.record,
            operation,
            hash,
            keyed,
        };
        // Boxed: the request's own future would carry all of it.
        let result = Box::pin(self.try_continue(caller, &wanted)).await;
        if let Err(BrokerError::Refused(refusal)) = &result {
            let (record, kind) = (&wanted.record, EventKind::ContinueRefused);
            let arm_id = record.arm_id.resource().canonical();
            self.record_refusal(kind, caller, Some(record), arm_id, refusal)
                .await;
        }
        let (operation, goes_on) = result?;
        Ok(Continued {
            operation,
            seen_from,
            goes_on,
        })
    }

    /// The operation, and whether it goes on.
    async fn try_continue(
        &self,
        caller: &Caller,
        wanted: &Wanted,
    ) -> Result<(OperationRecord, bool), BrokerError> {
        let Wanted { operation, keyed, .. } = wanted;
        let replay = match keyed {
            Some(keyed) => self.replay(caller, keyed).await?,
            None => None,
        };
        let is_theirs = self.is_requester(caller, operation).await?;
        let waits = !operation.phase.is_terminal() && operation.awaiting.is_some();
        match (&replay, waits) {
            // What the first one led to; somebody else may have gone on with it since.
            (Some(replay), _) if !waits || !is_theirs => return Ok((operation.clone(), replay.began)),
            (None, false) => {
                // A create that ended in doubt may have come to something since.
                self.look_for_late_effect(caller, &wanted.record).await;
                if let Some(keyed) = keyed {
                    self.bind(caller, keyed, operation.clone()).await?;
                }
                return Ok((operation.clone(), false));
            }
            _ => {}
        }
        wanted.check_hash(is_theirs)?;
        match self.permit(caller, wanted, is_theirs).await {
            Err(error) if self.forgets_refused_token(caller, &error).await => {
                self.permit(caller, wanted, is_theirs).await?;
            }
            permitted => permitted?,
        }
        self.refuse_when_stopping()?;
        if replay.is_none() {
            self.in_time(DbError::unconfirmed, self.commit_continuation(caller, wanted))
                .await?;
        }
        // It goes on in their name now: tokens of whoever it went on for before, if some are still here, are no good for it.
        self.0.vault.forget(operation.id);
        let lending = Lending::Write(operation.id);
        self.take_up(&wanted.record, caller, lending).await?;
        Ok((operation.clone(), true))
    }

    pub(super) async fn is_requester(&self, caller: &Caller, operation: &OperationRecord) -> Result<bool, BrokerError> {
        self.looked_up(async {
            let mut db = self.pool.acquire().await.map_err(DbError::from)?;
            let person = people::find(&mut db, caller.actor()).await?;
            Ok(person == Some(operation.actor))
        })
        .await
    }

    /// Asks whether the tokens do for what is left of the operation, and whether ARM lets their user do it.
    async fn permit(&self, caller: &Caller, wanted: &Wanted, is_theirs: bool) -> Result<(), BrokerError> {
        let (record, operation) = (&wanted.record, &wanted.operation);
        let (target, source) = (record.target_tenant, record.source_tenant);
        caller.refuse_unneeded(&[target, source])?;
        let sends_create = operation.kind == OperationKind::Create && operation.phase == Phase::Queued;
        self.still_allowed(record, sends_create)?;
        let awaited = operation.awaiting.as_ref();
        let mut needed = vec![target];
        if target != source && (sends_create || awaited.is_some_and(|awaited| awaited.tenant == source)) {
            needed.push(source);
        }
        // What was demanded was demanded of whoever it goes on in the name of; another may have it, or need it not.
        let demanded = awaited.filter(|_| is_theirs);
        let tokens = self.exchange_answering(caller, &needed, demanded).await?;
        let of = |tenant| tokens.iter().find(|token| token.tenant() == tenant);
        let missing = || DbError::Defect("an exchange for no tenant".to_owned());
        let to_target = of(target).ok_or_else(missing)?;
        let database = &record.target.database;
        match operation.kind {
            OperationKind::Remove => self.preflight_remove(database, to_target).await,
            OperationKind::Create if sends_create => {
                let request = NewConnection {
                    name: record.name.clone(),
                    target: record.target.clone(),
                    source: record.source.clone(),
                    justification: None,
                };
                let to_source = of(source).ok_or_else(missing)?;
                match self.preflight_create(&request, to_target, to_source).await {
                    // Whether the name is free is looked at again directly before it is sent.
                    Err(BrokerError::Refused(refusal)) if refusal.code == Code::NameTaken => Ok(()),
                    told => told.map(drop),
                }
            }
            // It may have been sent, and is never sent again: it is read about.
            OperationKind::Create if is_theirs => self.preflight_read(&record.arm_id, to_target).await,
            OperationKind::Create => self.preflight_write(database, to_target).await,
        }
    }

    /// No token leaves for a tenant that the configuration no longer allows.
    pub(super) fn still_allowed(
        &self,
        record: &ConnectionRecord,
        sends_create: bool,
    ) -> Result<(), BrokerError> {
        let (target, source) = (record.target_tenant, record.source_tenant);
        let allowed = if sends_create {
            self.tenants.allows_pair(target, source)
        } else {
            self.tenants.allows(target, Direction::Target)
        };
        if allowed {
            return Ok(());
        }
        let detail = format!(
            "what connects tenant {target} to tenant {source} is no longer allowed by this service's configuration; until it is again, the operation can't go on"
        );
        Err(Refusal::new(Code::TenantNotAllowed, detail).into())
    }

    /// One commit: in whose name the operation goes on, the request's key, the ledger event.
    async fn commit_continuation(&self, caller: &Caller, wanted: &Wanted) -> Result<(), BrokerError> {
        let seen = &wanted.operation;
        let mut transaction = begin(&self.pool, "record continuation").await?;
        let db = &mut *transaction;
        let actor = self.person(db, caller).await?;
        // People first, as everywhere.
        self.participants(db, caller).await?;
        connections::lock(db, seen.connection).await?;
        let continued = operations::continue_as(db, seen.id, seen.actor, actor, caller.app()).await?;
        if !continued {
            let detail =
                "the operation ended, or somebody else went on with it, at the same moment; look again";
            return Err(Refusal::new(Code::ChangeInProgress, detail).into());
        }
        let operation = OperationRecord {
            actor,
            app: caller.app(),
            ..seen.clone()
        };
        // They see from now on what they had a part in; as one of the source's tenant does, who is not told why it was wanted.
        let part = if caller.actor().tenant == wanted.record.target_tenant {
            Part::Actor
        } else {
            Part::Participant
        };
        let participants = self
            .record_people(db, seen.connection, (actor, part), caller)
            .await?;
        self.keep_key(db, caller, wanted.keyed.as_ref(), &operation)
            .await?;
        let details = json!({
            "requestHash": seen.request_hash,
            "awaitedTenant": seen.awaiting.as_ref().map(|awaiting| awaiting.tenant),
            "actorBefore": seen.actor,
            "participants": participants,
        });
        let mut event = self.event(EventKind::OperationContinued, &wanted.record, &operation, details);
        event.request_id = Some(caller.request_id().to_owned());
        ledger_events::append(db, &event).await?;
        Ok(transaction.commit().await?)
    }
}

impl Wanted {
    /// Whoever goes on with another's operation has to say by its hash what they take on; whoever names one means that one.
    fn check_hash(&self, is_theirs: bool) -> Result<(), BrokerError> {
        match &self.hash {
            Some(hash) if hash.eq_ignore_ascii_case(&self.operation.request_hash) => Ok(()),
            Some(_) => {
                let detail = "is not the hash of this operation's request; look at it again, and give its requestHash if you mean to go on with it";
                let refusal = Refusal::new(Code::RequestHashDiffers, format!("requestHash {detail}"));
                Err(refusal.at(POINTER, detail).into())
            }
            None if is_theirs => Ok(()),
            None => {
                let detail = "another person asked for this operation; to go on with it in your own name, give its requestHash, which the operation shows";
                let refusal = Refusal::new(Code::RequestHashMissing, detail);
                Err(refusal.at(POINTER, detail).into())
            }
        }
    }
}
