//! Continue: somebody brings tokens for an operation that waits for some, to write with too. Its own requester just goes on;
//! another permitted person says by its request's hash what they go on with, and the rest is done in their name.

use crate::authz::Scope;
use crate::db::Db;
use crate::ledger::recorder::Recorder;
use crate::operations::driver::Driver;
use crate::operations::driver::Lending;
use crate::preflight::Preflight;
use crate::usecases::idempotency::IdempotencyKeys;
use crate::usecases::queries::Queries;
use crate::usecases::recheck::LateEffects;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::authz::Caller;
use crate::db::DbError;
use crate::db::connections;
use crate::db::connections::ConnectionRole;
use crate::db::ledger_events;
use crate::db::operations;
use crate::domain::Code;
use crate::domain::ConnectionRecord;
use crate::domain::Error;
use crate::domain::EventKind;
use crate::domain::NewConnection;
use crate::domain::OperationId;
use crate::domain::OperationKind;
use crate::domain::OperationRecord;
use crate::domain::Phase;
use crate::domain::Refusal;
use crate::usecases::idempotency::IdempotencyKey;
use crate::usecases::idempotency::IdempotentRequest;
use crate::visibility::ViewerRole;

/// Where a request says which operation it goes on with.
const POINTER: &str = "/requestHash";

/// What a request to go on led to.
#[derive(Debug)]
pub struct Continued {
    /// The operation.
    pub operation: OperationRecord,
    /// From where the caller saw its connection.
    pub viewer_role: ViewerRole,
    /// Whether it goes on by this request, or by the first one with its key; else it waited for nobody.
    pub goes_on: bool,
}

/// What was asked for, and what of.
struct ContinueCommand {
    record: ConnectionRecord,
    operation: OperationRecord,
    hash: Option<String>,
    keyed: Option<IdempotentRequest>,
}

/// Resumes operations that wait for a caller. Cheap to clone.
#[derive(Clone)]
pub struct ContinueOperation {
    pub(super) db: Db,
    pub(super) preflight: Preflight,
    pub(super) recorder: Recorder,
    pub(super) driver: Driver,
    pub(super) keys: IdempotencyKeys,
    pub(super) queries: Queries,
    pub(super) late_effects: LateEffects,
}

impl ContinueOperation {
    /// Goes on with an operation that waits for a token, by the caller's. `hash` is its request's, which another person than
    /// its requester has to name, and who then is its recorded actor. One that waits for nobody stays as it is.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] when the caller may not, or their tokens don't do; nothing was changed then.
    pub async fn run(
        &self,
        caller: &Caller,
        id: OperationId,
        hash: Option<String>,
        key: Option<IdempotencyKey>,
    ) -> Result<Continued, Error> {
        caller.require(Scope::ReadWrite)?;
        let operation = self.queries.recorded_operation(id).await?;
        let found = self.queries.find(caller, operation.connection).await?;
        let side = self.queries.visibility.viewer_role(caller, &found).await?;
        let viewer_role = side.ok_or_else(|| Error::not_found("operation"))?;
        let keyed = key.map(|key| IdempotentRequest {
            key,
            route: format!("POST /v1/operations/{id}/continue"),
            body_hash: Sha256::digest(hash.as_deref().unwrap_or_default()).to_vec(),
        });
        let wanted = ContinueCommand {
            record: found.record,
            operation,
            hash,
            keyed,
        };
        // Boxed: the request's own future would carry all of it.
        let result = Box::pin(self.try_continue(caller, &wanted)).await;
        if let Err(Error::Refused(refusal)) = &result {
            let (record, kind) = (&wanted.record, EventKind::ContinueRefused);
            let arm_id = record.arm_id.resource().canonical();
            self.recorder
                .record_refusal(kind, caller, Some(record), arm_id, refusal)
                .await;
        }
        let (operation, goes_on) = result?;
        Ok(Continued {
            operation,
            viewer_role,
            goes_on,
        })
    }

    /// The operation, and whether it goes on.
    async fn try_continue(
        &self,
        caller: &Caller,
        wanted: &ContinueCommand,
    ) -> Result<(OperationRecord, bool), Error> {
        let ContinueCommand { operation, keyed, .. } = wanted;
        let replay = match keyed {
            Some(keyed) => self.keys.replay(caller, keyed).await?,
            None => None,
        };
        let is_theirs = self.queries.is_requester(caller, operation).await?;
        let waits = !operation.phase.is_terminal() && operation.awaiting.is_some();
        match (&replay, waits) {
            // What the first one led to; somebody else may have gone on with it since.
            (Some(replay), _) if !waits || !is_theirs => return Ok((operation.clone(), replay.began)),
            (None, false) => {
                // A create that ended in doubt may have come to something since.
                self.late_effects
                    .look_for_late_effect(caller, &wanted.record)
                    .await;
                if let Some(keyed) = keyed {
                    self.keys.bind(caller, keyed, operation.clone()).await?;
                }
                return Ok((operation.clone(), false));
            }
            _ => {}
        }
        wanted.check_hash(is_theirs)?;
        match self.permit(caller, wanted, is_theirs).await {
            Err(error) if self.preflight.exchange.forget_refused(caller, &error).await => {
                self.permit(caller, wanted, is_theirs).await?;
            }
            permitted => permitted?,
        }
        self.driver.replica.refuse_when_stopping()?;
        if replay.is_none() {
            self.db.change(self.commit_continuation(caller, wanted)).await?;
        }
        // It goes on in their name now: tokens of whoever it went on for before, if some are still here, are no good for it.
        self.driver.tokens.store.forget(operation.id);
        let lending = Lending::Write(operation.id);
        self.driver.resume(&wanted.record, caller, lending).await?;
        Ok((operation.clone(), true))
    }

    /// Asks whether the tokens do for what is left of the operation, and whether ARM lets their user do it.
    async fn permit(&self, caller: &Caller, wanted: &ContinueCommand, is_theirs: bool) -> Result<(), Error> {
        let (record, operation) = (&wanted.record, &wanted.operation);
        let (target, source) = (record.target_tenant, record.source_tenant);
        caller.refuse_unneeded(&[target, source])?;
        let sends_create = operation.kind == OperationKind::Create && operation.phase == Phase::Queued;
        self.preflight.tenants.still_allowed(record, sends_create)?;
        let awaited = operation.awaiting.as_ref();
        let mut needed = vec![target];
        if target != source && (sends_create || awaited.is_some_and(|awaited| awaited.tenant == source)) {
            needed.push(source);
        }
        // What was demanded was demanded of whoever it goes on in the name of; another may have it, or need it not.
        let demanded = awaited.filter(|_| is_theirs);
        let tokens = self
            .preflight
            .exchange
            .answering(caller, &needed, demanded)
            .await?;
        let of = |tenant| tokens.iter().find(|token| token.tenant() == tenant);
        let missing = || DbError::Defect("an exchange for no tenant".to_owned());
        let to_target = of(target).ok_or_else(missing)?;
        let database = &record.target.database;
        match operation.kind {
            OperationKind::Remove => self.preflight.preflight_remove(database, to_target).await,
            OperationKind::Create if sends_create => {
                let request = NewConnection {
                    name: record.name.clone(),
                    target: record.target.clone(),
                    source: record.source.clone(),
                    justification: None,
                };
                let to_source = of(source).ok_or_else(missing)?;
                match self
                    .preflight
                    .preflight_create(&request, to_target, to_source)
                    .await
                {
                    // Whether the name is free is looked at again directly before it is sent.
                    Err(Error::Refused(refusal)) if refusal.code == Code::NameTaken => Ok(()),
                    told => told.map(drop),
                }
            }
            // It may have been sent, and is never sent again: it is read about.
            OperationKind::Create if is_theirs => {
                self.preflight.preflight_read(&record.arm_id, to_target).await
            }
            OperationKind::Create => self.preflight.preflight_write(database, to_target).await,
        }
    }

    /// One commit: in whose name the operation goes on, the request's key, the ledger event.
    async fn commit_continuation(&self, caller: &Caller, wanted: &ContinueCommand) -> Result<(), Error> {
        let seen = &wanted.operation;
        let mut transaction = self.db.begin("record continuation").await?;
        let db = &mut *transaction;
        let actor = self.recorder.ensure_actor(db, caller).await?;
        // People first, as everywhere.
        self.recorder.participants(db, caller).await?;
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
            ConnectionRole::Actor
        } else {
            ConnectionRole::Participant
        };
        let participants = self
            .recorder
            .record_people(db, seen.connection, (actor, part), caller)
            .await?;
        self.keys
            .keep_key(db, caller, wanted.keyed.as_ref(), &operation)
            .await?;
        let details = json!({
            "requestHash": seen.request_hash,
            "awaitedTenant": seen.awaiting.as_ref().map(|awaiting| awaiting.tenant),
            "actorBefore": seen.actor,
            "participants": participants,
        });
        let mut event =
            self.recorder
                .event(EventKind::OperationContinued, &wanted.record, &operation, details);
        event.request_id = Some(caller.request_id().to_owned());
        ledger_events::append(db, &event).await?;
        Ok(transaction.commit().await?)
    }
}

impl ContinueCommand {
    /// Whoever goes on with another's operation has to say by its hash what they take on; whoever names one means that one.
    fn check_hash(&self, is_theirs: bool) -> Result<(), Error> {
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
