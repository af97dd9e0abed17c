//! Continue: a caller provides tokens, also for writes, to an operation that waits for some. Its requester needs nothing else; another
//! permitted person names its request's hash, and the operation runs in that person's name from then on.

use crate::authz::Scope;
use crate::authz::tenants::TenantPair;
use crate::db::Db;
use crate::ledger::recorder::Recorder;
use crate::operations::driver::Driver;
use crate::preflight::Preflight;
use crate::usecases::actor_change;
use crate::usecases::create::waits;
use crate::usecases::idempotency::{IdempotencyKey, IdempotencyKeys, IdempotentRequest, Outcome};
use crate::usecases::queries::Queries;
use crate::usecases::recheck::LateEffects;
use sha2::{Digest, Sha256};

use crate::authz::Caller;
use crate::domain::{
    Code, ConnectionRecord, Error, EventKind, NewConnection, OperationId, OperationKind, OperationRecord,
    Phase, Refusal,
};
use crate::visibility::ViewerRole;

/// The result of a request to continue.
#[derive(Debug)]
pub struct Continued {
    /// The operation.
    pub operation: OperationRecord,
    /// The role in which the caller sees its connection.
    pub viewer_role: ViewerRole,
    /// Whether this request, or the first one with its key, resumed it; otherwise it did not wait for a caller.
    pub resumed: bool,
}

/// The request, with the operation and connection that it names.
struct ContinueCommand {
    record: ConnectionRecord,
    operation: OperationRecord,
    /// Whether the caller requested it.
    is_theirs: bool,
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
    /// Resumes an operation that waits for a caller with the caller's tokens. `hash` is its request's hash: a person other than its
    /// requester must name it, and is its recorded actor afterwards. An operation that waits for no caller stays as it is.
    ///
    /// # Errors
    /// [`Error::Refused`] when the caller may not, or the tokens do not suffice; nothing was changed then.
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
        let body_hash = Sha256::digest(hash.as_deref().unwrap_or_default()).to_vec();
        let wanted = ContinueCommand {
            record: found.record,
            is_theirs: self.queries.is_requester(caller, &operation).await?,
            operation,
            hash,
            keyed: key.map(|key| key.of_request(body_hash)),
        };
        let (record, kind) = (&wanted.record, EventKind::ContinueRefused);
        let work = self.answer(caller, &wanted);
        let refusals = self
            .recorder
            .refusals(kind, caller, Some(record), &record.arm_id, work);
        let resumed = refusals.await?;
        Ok(Continued {
            operation: wanted.operation,
            viewer_role,
            resumed,
        })
    }

    /// Whether the operation was resumed, by this request or the first one with its key.
    async fn answer(&self, caller: &Caller, wanted: &ContinueCommand) -> Result<bool, Error> {
        let work = self.find_or_continue(caller, wanted);
        let outcome = self.keys.once(caller, wanted.keyed.as_ref(), work).await?;
        // Another person may have continued the operation since the first request with the key.
        if outcome.replayed && waits(&wanted.operation) && wanted.is_theirs {
            self.permit_continuation(caller, wanted).await?;
            self.driver.resume(&wanted.operation, caller).await;
            return Ok(true);
        }
        Ok(outcome.began)
    }

    async fn find_or_continue(&self, caller: &Caller, wanted: &ContinueCommand) -> Result<Outcome, Error> {
        if !waits(&wanted.operation) {
            // A create that was closed with an unknown outcome may have taken effect since.
            self.late_effects
                .recheck_late_effect(caller, &wanted.record)
                .await;
            return Ok(Outcome::found(wanted.operation.clone()));
        }
        self.permit_continuation(caller, wanted).await?;
        let continued = self.db.change(self.commit_continuation(caller, wanted)).await?;
        self.driver.resume(&continued, caller).await;
        Ok(Outcome::began(wanted.operation.clone()))
    }

    async fn permit_continuation(&self, caller: &Caller, wanted: &ContinueCommand) -> Result<(), Error> {
        wanted.check_hash()?;
        match self.permit(caller, wanted).await {
            Err(error) if self.preflight.exchange.forget_refused(caller, &error).await => {
                self.permit(caller, wanted).await?;
            }
            permitted => permitted?,
        }
        self.driver.replica.refuse_when_stopping()
    }

    /// Checks that the tokens suffice for the rest of the operation, and that ARM allows it to their user.
    async fn permit(&self, caller: &Caller, wanted: &ContinueCommand) -> Result<(), Error> {
        let (record, operation, is_theirs) = (&wanted.record, &wanted.operation, wanted.is_theirs);
        let (target, source) = (record.target_tenant, record.source_tenant);
        caller.refuse_unneeded(&[target, source])?;
        let sends_create = operation.kind == OperationKind::Create && operation.phase == Phase::Queued;
        self.preflight.tenants.still_allowed(record, sends_create)?;
        let awaited = operation.awaiting.as_ref();
        let mut needed = vec![target];
        if target != source && (sends_create || awaited.is_some_and(|awaited| awaited.tenant == source)) {
            needed.push(source);
        }
        // Claims were required of the recorded actor; another person may satisfy them already, or not need them.
        let demanded = awaited.filter(|_| is_theirs);
        let tokens = self
            .preflight
            .exchange
            .answering(caller, &needed, demanded)
            .await?;
        let of = |tenant| tokens.iter().find(|token| token.tenant() == tenant);
        let missing = || Error::Internal("an exchange for no tenant".to_owned());
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
                let tenants = TenantPair { target, source };
                let report = self
                    .preflight
                    .check_create(&request, tenants, Some(to_target), Some(to_source))
                    .await?;
                match report.into_result() {
                    // Absence is proved again directly before the request is sent.
                    Err(Error::Refused(refusal)) if refusal.code == Code::NameTaken => Ok(()),
                    told => told.map(drop),
                }
            }
            // It may have been sent, and is never sent again: reads settle it.
            OperationKind::Create if is_theirs => {
                self.preflight.preflight_read(&record.arm_id, to_target).await
            }
            OperationKind::Create => self.preflight.preflight_write(database, to_target).await,
        }
    }

    /// One commit: the operation's actor, the request's key, the ledger event. Returns the operation in the caller's name.
    async fn commit_continuation(
        &self,
        caller: &Caller,
        wanted: &ContinueCommand,
    ) -> Result<OperationRecord, Error> {
        let mut transaction = self.db.begin("record continuation").await?;
        let db = &mut *transaction;
        let operation =
            actor_change::record(db, &self.recorder, &wanted.record, &wanted.operation, caller).await?;
        self.keys
            .keep_key(db, caller, wanted.keyed.as_ref(), &operation)
            .await?;
        transaction.commit().await?;
        Ok(operation)
    }
}

impl ContinueCommand {
    /// Another person's operation must be named by its hash; a hash that is given must match in any case.
    fn check_hash(&self) -> Result<(), Error> {
        match &self.hash {
            Some(hash) if hash.eq_ignore_ascii_case(&self.operation.request_hash) => Ok(()),
            Some(_) => {
                let detail = "not the hash of this operation's request; read it again, and send its requestHash to continue it";
                Err(Refusal::new(Code::RequestHashDiffers, detail).into())
            }
            None if self.is_theirs => Ok(()),
            None => {
                let detail = "another person requested this operation; to continue it in your own name, send its requestHash, which the operation shows";
                Err(Refusal::new(Code::RequestHashMissing, detail).into())
            }
        }
    }
}
