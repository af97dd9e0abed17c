//! Idempotency keys: a request with a key can be repeated, and the result of the first one answers all of them. A rejected request
//! stores no key, so that it can be corrected and sent again.

use crate::db::Db;
use crate::ledger::recorder::Recorder;
use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::authz::Caller;
use crate::db::idempotency_keys::{Entry, Scope};
use crate::db::{DbError, connections, idempotency_keys, operations, principals};
use crate::domain::{ActorId, Code, Error, OperationRecord, Refusal};

/// The longest key, in characters.
const MAX_KEY_LENGTH: usize = 255;

/// How many keys one statement deletes: few enough to be quick.
const SWEPT_AT_ONCE: u16 = 1000;

/// A key under which a caller may repeat a request: 1 to 255 visible ASCII characters, of which only the SHA-256 is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    hash: Vec<u8>,
    /// The endpoint that it counts for: method and path with its parameters.
    route: String,
}

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_KEY_LENGTH} visible ASCII characters")]
pub struct KeyError;

impl IdempotencyKey {
    /// A key for an endpoint: its method and path with its parameters.
    ///
    /// # Errors
    /// When the text is no key.
    pub fn new(text: &str, route: String) -> Result<Self, KeyError> {
        let is_key =
            (1..=MAX_KEY_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let hash = || Sha256::digest(text.as_bytes()).to_vec();
        is_key.then(|| Self { hash: hash(), route }).ok_or(KeyError)
    }

    /// With the request that it is sent with, by the SHA-256 of its canonical form.
    pub(crate) fn of_request(self, body_hash: Vec<u8>) -> IdempotentRequest {
        IdempotentRequest { key: self, body_hash }
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IdempotencyKey")
    }
}

/// A request with a key.
#[derive(Debug, Clone)]
pub(crate) struct IdempotentRequest {
    key: IdempotencyKey,
    /// SHA-256 of the canonical request.
    body_hash: Vec<u8>,
}

/// What a request to change something led to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) operation: OperationRecord,
    /// Whether this request, or the first one with its key, created the operation; otherwise it found it.
    pub(crate) began: bool,
    /// Whether an earlier request with the same key led to it, and this one did nothing.
    pub(crate) replayed: bool,
    /// Whether the request's key is to stand for the operation.
    pub(crate) keeps_key: bool,
}

impl Outcome {
    pub(crate) fn began(operation: OperationRecord) -> Self {
        Self {
            operation,
            began: true,
            replayed: false,
            keeps_key: true,
        }
    }

    pub(crate) fn found(operation: OperationRecord) -> Self {
        Self {
            began: false,
            ..Self::began(operation)
        }
    }
}

/// How idempotency keys are stored.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a key is kept.
    pub retention: Duration,
    /// How often older keys are deleted.
    pub sweep_every: Duration,
}

/// Stores which operation a key stands for. Cheap to clone.
#[derive(Clone)]
pub struct IdempotencyKeys {
    pub(super) db: Db,
    pub(super) recorder: Recorder,
    pub(super) settings: Settings,
}

impl IdempotencyKeys {
    /// How often old keys are deleted.
    pub(crate) fn sweep_every(&self) -> Duration {
        self.settings.sweep_every
    }

    /// Does the work of a request, unless one with the same key was carried out: what that one led to answers this one too.
    /// Visibility is checked separately. The work stores the key in the transaction that begins an operation
    /// ([`Self::keep_key`]); an operation that it finds gets the key here, so that a late duplicate finds the same one, whatever the
    /// state of the connection by then.
    ///
    /// # Errors
    /// Those of the work, [`Code::IdempotencyKeyReused`] when the key was used for another request, and [`Code::ChangeInProgress`]
    /// when a concurrent change committed first and its operation is not known.
    pub(crate) async fn once(
        &self,
        caller: &Caller,
        keyed: Option<&IdempotentRequest>,
        work: impl Future<Output = Result<Outcome, Error>>,
    ) -> Result<Outcome, Error> {
        if let Some(replay) = self.replay(caller, keyed).await? {
            return Ok(replay);
        }
        match (work.await, keyed) {
            (
                Ok(Outcome {
                    operation,
                    began: false,
                    keeps_key: true,
                    ..
                }),
                Some(keyed),
            ) => self.attach_key(caller, keyed, operation).await,
            (Err(Error::Refused(refusal)), Some(_)) if refusal.code == Code::ChangeInProgress => {
                // Perhaps by the same request, which committed while this one waited for the connection.
                let replay = self.replay(caller, keyed).await?;
                replay.ok_or(Error::Refused(refusal))
            }
            (Err(Error::Conflict(_)), _) => {
                let detail = "another change of the connection committed at the same moment; read it again";
                let unknown = || Refusal::new(Code::ChangeInProgress, detail).into();
                self.replay(caller, keyed).await?.ok_or_else(unknown)
            }
            (done, _) => done,
        }
    }

    /// What the key stands for, if it was used before.
    async fn replay(
        &self,
        caller: &Caller,
        keyed: Option<&IdempotentRequest>,
    ) -> Result<Option<Outcome>, Error> {
        let Some(keyed) = keyed else { return Ok(None) };
        self.db
            .read(async |db| {
                let Some(person) = principals::find(db, caller.actor()).await? else {
                    return Ok(None);
                };
                let scope = keyed.scope(person, caller);
                let Some(entry) = idempotency_keys::find(db, scope, self.settings.retention).await? else {
                    return Ok(None);
                };
                if entry.body_hash != keyed.body_hash {
                    let detail = "the key was used for another request; send a new key";
                    return Err(Refusal::new(Code::IdempotencyKeyReused, detail).into());
                }
                let operation = operations::find(db, entry.operation)
                    .await?
                    .ok_or_else(|| Error::Internal("a key of no operation".to_owned()))?;
                Ok(Some(Outcome {
                    operation,
                    began: entry.began,
                    replayed: true,
                    keeps_key: true,
                }))
            })
            .await
    }

    /// Stores, in the transaction of the change, that the request with this key created the operation.
    ///
    /// # Errors
    /// [`DbError::Conflict`] when a concurrent request with the same key committed first.
    pub(crate) async fn keep_key(
        &self,
        db: &mut PgConnection,
        caller: &Caller,
        keyed: Option<&IdempotentRequest>,
        operation: &OperationRecord,
    ) -> Result<(), DbError> {
        let Some(keyed) = keyed else { return Ok(()) };
        let scope = keyed.scope(operation.actor, caller);
        let entry = keyed.entry(operation, true);
        idempotency_keys::insert(db, scope, &entry, self.settings.retention).await
    }

    /// Stores that the request with this key found the operation.
    async fn attach_key(
        &self,
        caller: &Caller,
        keyed: &IdempotentRequest,
        operation: OperationRecord,
    ) -> Result<Outcome, Error> {
        let bound = async {
            let mut db = self.db.begin("attach idempotency key").await?;
            let person = self.recorder.ensure_actor(&mut db, caller).await?;
            // Locked first, as in every change of a connection: another order could deadlock.
            connections::lock(&mut db, operation.connection).await?;
            let entry = keyed.entry(&operation, false);
            let scope = keyed.scope(person, caller);
            idempotency_keys::insert(&mut db, scope, &entry, self.settings.retention).await?;
            db.commit().await?;
            Ok(())
        };
        match self.db.change(bound).await {
            Ok(()) => Ok(Outcome::found(operation)),
            Err(error @ Error::Conflict(_)) => self.replay(caller, Some(keyed)).await?.ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// Deletes the keys that are older than the retention: a periodic job.
    ///
    /// # Errors
    /// When the database can't answer; the rest waits for the next run.
    pub(crate) async fn sweep_keys(&self) -> Result<(), DbError> {
        let (retention, limit) = (self.settings.retention, SWEPT_AT_ONCE.into());
        let mut swept = 0;
        loop {
            let batch = self
                .db
                .background(async |db| idempotency_keys::sweep(db, retention, limit).await);
            let rows = batch.await?;
            swept += rows;
            if rows < SWEPT_AT_ONCE.into() {
                break;
            }
        }
        tracing::debug!(idempotency.swept = swept, "old idempotency keys are deleted");
        Ok(())
    }
}

impl IdempotentRequest {
    fn scope(&self, person: ActorId, caller: &Caller) -> Scope<'_> {
        Scope {
            person,
            app: caller.app(),
            route: &self.key.route,
            key_hash: &self.key.hash,
        }
    }

    fn entry(&self, operation: &OperationRecord, began: bool) -> Entry {
        Entry {
            body_hash: self.body_hash.clone(),
            connection: operation.connection,
            operation: operation.id,
            began,
        }
    }
}
