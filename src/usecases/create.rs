//! Create: exchanges tokens, reads, commits the intent; from then on the driver runs the operation to its end.

mod existing;
mod pending_removal;

use std::sync::Arc;

use crate::authz::Scope;
use crate::db::Db;
use crate::ledger::details::{self, CreateIntentDetails};
use crate::ledger::recorder::Recorder;
use crate::operations::driver::Driver;
use crate::operations::queue::Queue;
use crate::preflight::{Cleared, Preflight, Report};
use crate::usecases::idempotency::{IdempotencyKey, IdempotencyKeys, IdempotentRequest, Outcome};
use crate::usecases::queries::Queries;
use crate::usecases::recheck::LateEffects;
use existing::Existing;
pub(super) use existing::waits;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::authz::Caller;
use crate::db::connections::ConnectionRole;
use crate::db::leases::Claim;
use crate::db::operations::{FIRST_REVISION, NewOperation};
use crate::db::revisions::NewRevision;
use crate::db::{DbError, connections, ledger_events, revisions};
use crate::domain::{
    ActorId, Code, ConnectionId, Error, Event, EventKind, NewConnection, NewRecord, OperationKind,
    OperationRecord, Phase, hex, salted_hash,
};
use crate::sources;

/// The result of a create.
#[derive(Debug)]
pub struct Created {
    /// The operation that makes the connection.
    pub operation: OperationRecord,
    /// Whether this request, or the first one with its key, created the operation; any other repeat finds it.
    pub began: bool,
}

/// A request to create, with its hashes and key.
#[derive(Debug, Clone)]
pub(crate) struct CreateCommand {
    request: NewConnection,
    /// See [`request_hash`].
    hash: Vec<u8>,
    keyed: Option<IdempotentRequest>,
}

/// Creates connections. Cheap to clone.
#[derive(Clone)]
pub struct Create {
    pub(super) db: Db,
    pub(super) preflight: Preflight,
    pub(super) recorder: Recorder,
    pub(super) driver: Driver,
    pub(crate) queue: Queue,
    pub(super) keys: IdempotencyKeys,
    pub(super) queries: Queries,
    pub(super) late_effects: LateEffects,
}

impl Create {
    /// Creates a connection. When this returns, the intent is recorded and the operation runs in the background. Requests with the
    /// same key create it once, and all are answered from that operation.
    ///
    /// # Errors
    /// [`Error::Refused`] with all findings; nothing was changed then, at ARM or in the records.
    pub async fn run(
        &self,
        caller: &Caller,
        request: NewConnection,
        key: Option<IdempotencyKey>,
    ) -> Result<Created, Error> {
        caller.require(Scope::ReadWrite)?;
        let wanted = CreateCommand {
            hash: request_hash(&request),
            keyed: key.map(|key| key.of_request(body_hash(&request))),
            request,
        };
        let (kind, id) = (EventKind::CreateRefused, wanted.request.id());
        let work = self.answer(caller, &wanted);
        self.recorder.refusals(kind, caller, None, &id, work).await
    }

    async fn answer(&self, caller: &Caller, wanted: &CreateCommand) -> Result<Created, Error> {
        // Boxed: the futures around it would otherwise hold all of it inline.
        let work = Box::pin(self.find_or_begin(caller, wanted));
        let outcome = self.keys.once(caller, wanted.keyed.as_ref(), work).await?;
        if outcome.replayed {
            // A repeat is answered as long as its caller may see the connection.
            let connection = outcome.operation.connection;
            self.queries.connection(caller, connection).await?;
        }
        if outcome.replayed || !outcome.began {
            self.provide_tokens(caller, &outcome.operation).await?;
        }
        Ok(Created {
            operation: outcome.operation,
            began: outcome.began,
        })
    }

    async fn find_or_begin(&self, caller: &Caller, wanted: &CreateCommand) -> Result<Outcome, Error> {
        let others = match self.existing(caller, wanted).await? {
            Existing::Theirs(operation) => return Ok(Outcome::found(*operation)),
            Existing::Somebodys(refusal) => Some(refusal),
            Existing::Nothing => None,
        };
        let cleared = self.preflight.create(caller, &wanted.request).await;
        let cleared = cleared.and_then(Report::into_result);
        if let Some(refusal) = others {
            // That one exists is disclosed only to callers who may create there.
            return match cleared {
                Err(error) if !is_taken(&error) => Err(error),
                _ => Err((*refusal).into()),
            };
        }
        match cleared {
            // A concurrent equal request may have created what Azure holds.
            Err(error) if is_taken(&error) => {
                // Or an earlier create of unknown outcome has taken effect since.
                self.late_effects
                    .recheck_late_effect_at(caller, &wanted.request.id())
                    .await?;
                self.known_to_the_permitted(caller, wanted).await?.ok_or(error)
            }
            Err(error) => Err(error),
            Ok(cleared) => match self.begin(caller, wanted, cleared).await {
                // A concurrent request committed first; its record decides.
                Err(conflict @ Error::Conflict(_)) => {
                    self.known_to_the_permitted(caller, wanted).await?.ok_or(conflict)
                }
                begun => begun,
            },
        }
    }

    /// Commits the intent and starts the operation, whatever becomes of the request.
    async fn begin(
        &self,
        caller: &Caller,
        wanted: &CreateCommand,
        cleared: Cleared,
    ) -> Result<Outcome, Error> {
        let claimed_at = Instant::now();
        let (service, by, wanted) = (self.clone(), caller.clone(), wanted.clone());
        let work = Box::pin(async move {
            let (operation, claim) = service.record_intent(&by, &wanted, &cleared).await?;
            service.driver.start(&operation, claim, by, claimed_at);
            Ok(Outcome::began(operation))
        });
        self.driver.replica.spawn_uncancellable(work).await
    }

    /// One commit: the connection, its people, the body to send and its hash, the time of the proof of absence, the request's key, the
    /// ledger event. Returns the operation, and the claim on it if it is to be sent now.
    async fn record_intent(
        &self,
        caller: &Caller,
        wanted: &CreateCommand,
        cleared: &Cleared,
    ) -> Result<(OperationRecord, Option<Claim>), Error> {
        let request = &wanted.request;
        let body = sources::arm_body(request, &cleared.target.location);
        let body_hash = Sha256::digest(body.to_string().as_bytes()).to_vec();
        let mut transaction = self.db.begin("record create intent").await?;
        let db = &mut *transaction;
        let actor = self.recorder.ensure_actor(db, caller).await?;
        let record = self.new_record(wanted, cleared, actor);
        let mut operation =
            self.queue
                .new_operation(record.id, OperationKind::Create, hex(&body_hash), actor, caller);
        connections::insert(db, &record).await?;
        self.refuse_while_a_removal_may_land(db, &record.arm_id).await?;
        let participants = self
            .recorder
            .record_people(db, record.id, (actor, ConnectionRole::Actor), caller)
            .await?;
        let salt = uuid::Uuid::new_v4();
        if let Some(text) = &request.justification {
            connections::add_note(db, record.id, text, salt.as_bytes()).await?;
        }
        let cluster = record.target.database.cluster();
        // The last lock: its holder blocks others until the commit.
        self.queue.acquire_slot(db, &cluster, &mut operation).await?;
        if operation.phase == Phase::Queued {
            self.queue.refuse_longer_queue(db, &cluster, actor).await?;
        }
        let new = NewOperation {
            body: Some(Arc::new(body)),
            body_hash: Some(body_hash),
            absence_seen_at: Some(cleared.target.absent_at),
            ..self.queue.to_record(operation)
        };
        self.record_revision(db, &new, &record).await?;
        self.queue.insert(db, &new, &cluster).await?;
        self.keys
            .keep_key(db, caller, wanted.keyed.as_ref(), &new.record)
            .await?;
        let justification = request.justification.as_ref();
        let details = CreateIntentDetails {
            participants,
            justification_hash: justification.map(|text| salted_hash(salt.as_bytes(), text)),
            ..details::create_intent(
                &record,
                &new.record.request_hash,
                record.absent_at,
                self.queue.api_version(),
            )
        };
        let event = self.intent_event(caller, &record, &new.record, &details);
        ledger_events::append(db, &event).await?;
        transaction.commit().await?;
        let claim = new.claim();
        Ok((new.record, claim))
    }

    /// The ledger event of a create's intent.
    fn intent_event(
        &self,
        caller: &Caller,
        record: &NewRecord,
        operation: &OperationRecord,
        details: &CreateIntentDetails,
    ) -> Event {
        let kind = match operation.phase {
            Phase::Queued => EventKind::CreateQueued,
            _ => EventKind::CreateIntended,
        };
        let details = details::json(details);
        Event {
            request_id: Some(caller.request_id().to_owned()),
            ..self.recorder.event(kind, record, operation, details)
        }
    }

    /// The configuration that a create requests.
    async fn record_revision(
        &self,
        db: &mut PgConnection,
        new: &NewOperation,
        record: &NewRecord,
    ) -> Result<(), DbError> {
        let configuration = record.source.configuration(&record.target.settings);
        let revision = NewRevision {
            connection: record.id,
            number: FIRST_REVISION,
            configuration: &configuration.map_err(DbError::internal)?,
            sent: new.body.as_deref().unwrap_or(&Value::Null),
            api_version: &new.api_version,
        };
        revisions::insert(db, &revision).await
    }

    fn new_record(&self, wanted: &CreateCommand, cleared: &Cleared, actor: ActorId) -> NewRecord {
        let request = &wanted.request;
        NewRecord {
            id: ConnectionId::new(self.driver.clock.new_id()),
            arm_id: request.id(),
            name: request.name.clone(),
            target_tenant: cleared.tenants.target,
            source_tenant: cleared.tenants.source,
            target: request.target.clone(),
            source: request.source.clone(),
            location: cleared.target.location.clone(),
            request_hash: wanted.hash.clone(),
            created_by: actor,
            created_at: self.driver.clock.now(),
            absent_at: cleared.target.absent_at,
        }
    }
}

/// Whether Azure holds a data connection of the name.
fn is_taken(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if refusal.code == Code::NameTaken)
}

/// SHA-256 of the request in its canonical form, so that two spellings of the same request are equal. The justification is not part
/// of the configuration and does not count.
fn request_hash(request: &NewConnection) -> Vec<u8> {
    Sha256::digest(sources::canonical(request).to_string().as_bytes()).to_vec()
}

/// SHA-256 of the whole request: a key never stands for a request that differs in any member.
fn body_hash(request: &NewConnection) -> Vec<u8> {
    let whole = json!([sources::canonical(request), request.justification]);
    Sha256::digest(whole.to_string().as_bytes()).to_vec()
}
