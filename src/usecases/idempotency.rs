//! Idempotency keys: a request with a key can be repeated, and the result of the first one answers all of them. A rejected request
//! stores no key, so that it can be corrected and sent again.

use crate::db::Db;
use crate::ledger::recorder::Recorder;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::authz::Caller;
use crate::db::idempotency_keys::{Entry, Scope};
use crate::db::{DbError, connections, idempotency_keys, operations, principals};
use crate::domain::{ActorId, Code, Error, OperationRecord, Refusal};

/// The longest key, in characters.
const LONGEST_KEY: usize = 255;

/// How many keys one statement deletes: few enough to be quick.
const SWEPT_AT_ONCE: u16 = 1000;

/// A key under which a caller may repeat a request: 1 to 255 visible ASCII characters, of which only the SHA-256 is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(Vec<u8>);

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {LONGEST_KEY} visible ASCII characters")]
pub struct KeyError;

impl FromStr for IdempotencyKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let is_key =
            (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_key
            .then(|| Self(Sha256::digest(text.as_bytes()).to_vec()))
            .ok_or(KeyError)
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
    pub(crate) key: IdempotencyKey,
    /// Method and path with its parameters.
    pub(crate) route: String,
    /// SHA-256 of the canonical request.
    pub(crate) body_hash: Vec<u8>,
}

/// The result of an earlier request with the same key.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) operation: OperationRecord,
    /// Whether that request created the operation; otherwise it found it.
    pub(crate) began: bool,
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

    /// The result that the key stands for, if it was used before. Visibility is checked separately.
    ///
    /// # Errors
    /// [`Code::IdempotencyKeyReused`] when it was used for another request.
    pub(crate) async fn replay(
        &self,
        caller: &Caller,
        keyed: &IdempotentRequest,
    ) -> Result<Option<Replay>, Error> {
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
                    let detail = "was used for another request; send a new request with a new key";
                    return Err(Refusal::new(
                        Code::IdempotencyKeyReused,
                        format!("the Idempotency-Key {detail}"),
                    )
                    .at("Idempotency-Key", detail)
                    .into());
                }
                let operation = operations::find(db, entry.operation)
                    .await?
                    .ok_or_else(|| DbError::Defect("a key of no operation".to_owned()))?;
                Ok(Some(Replay {
                    operation,
                    began: entry.began,
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

    /// Stores that the request with this key found the operation, so that a late duplicate finds the same one, whatever the state of
    /// the connection by then.
    ///
    /// # Errors
    /// As [`Self::replay`], for a concurrent request with the same key.
    pub(crate) async fn attach_key(
        &self,
        caller: &Caller,
        keyed: &IdempotentRequest,
        operation: OperationRecord,
    ) -> Result<Replay, Error> {
        let bound = async {
            let mut db = self.db.begin("bind idempotency key").await?;
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
            Ok(()) => Ok(Replay {
                operation,
                began: false,
            }),
            Err(error @ Error::Database(DbError::Conflict(_))) => {
                self.replay(caller, keyed).await?.ok_or(error)
            }
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
            route: &self.route,
            key_hash: &self.key.0,
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
