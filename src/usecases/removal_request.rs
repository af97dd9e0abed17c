//! What a removal is asked for with: a key, the version that its caller means, whether only the record is to be closed.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::domain::Code;
use crate::domain::ConnectionId;
use crate::domain::ConnectionRecord;
use crate::domain::Error;
use crate::domain::Refusal;
use crate::telemetry::metrics;
use crate::usecases::idempotency::IdempotencyKey;
use crate::usecases::idempotency::IdempotentRequest;

/// What is asked of a removal.
#[derive(Debug, Clone, Default)]
pub struct RemovalRequest {
    /// Under which the request may be repeated.
    pub key: Option<IdempotencyKey>,
    /// What the caller last saw of the connection. With it, what its record then showed at ARM may be removed although it is not
    /// what is recorded.
    pub expected: Option<ExpectedVersion>,
    /// Only the record is to be closed; nothing is sent.
    pub record_only: bool,
}

/// The versions of a connection that a change may be made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Whichever it is. That names nothing in particular, so nothing unexpected is accepted with it.
    Any,
    /// One of these.
    OneOf(Vec<i32>),
}

impl ExpectedVersion {
    fn has(&self, version: i32) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

impl RemovalRequest {
    /// What tells this request from another one with the same key; of a bare one the same as ever, since it is stored.
    fn fingerprint(&self) -> Vec<u8> {
        let said = match (&self.expected, self.record_only) {
            (None, false) => String::new(),
            (expected, record_only) => {
                let versions = match expected {
                    Some(ExpectedVersion::OneOf(versions)) => json!(versions),
                    Some(ExpectedVersion::Any) => json!("*"),
                    None => json!(null),
                };
                json!([versions, record_only]).to_string()
            }
        };
        Sha256::digest(said.as_bytes()).to_vec()
    }
}

/// A removal as the use case goes through it.
#[derive(Debug, Clone)]
pub(crate) struct RemoveCommand {
    pub(crate) keyed: Option<IdempotentRequest>,
    expected: Option<ExpectedVersion>,
    pub(crate) record_only: bool,
}

impl RemoveCommand {
    pub(crate) fn of(request: RemovalRequest, id: ConnectionId) -> Self {
        let body_hash = request.fingerprint();
        Self {
            keyed: request.key.map(|key| IdempotentRequest {
                key,
                route: format!("DELETE /v1/connections/{id}"),
                body_hash,
            }),
            expected: request.expected,
            record_only: request.record_only,
        }
    }

    /// Whether the connection is of the version that the caller means.
    pub(crate) fn check_version(&self, record: &ConnectionRecord) -> Result<(), Error> {
        match &self.expected {
            Some(expected) if !expected.has(record.version) => {
                let detail =
                    "the connection is not as If-Match says; read it again, and decide by what it is now";
                Err(Refusal::new(Code::PreconditionFailed, detail).into())
            }
            _ => Ok(()),
        }
    }

    /// What may be somebody else's is removed only by who names exactly that.
    pub(crate) fn check_contested(&self, record: &ConnectionRecord) -> Result<(), Error> {
        let names_it = matches!(self.expected, Some(ExpectedVersion::OneOf(_))) || self.record_only;
        match &record.found {
            Some(found) if found.contested && !names_it => {
                metrics::write_refused(Code::Contested.as_str());
                let detail = "somebody else may have made what Azure holds under this name; look at the connection's `found`, and repeat the removal with its ETag in If-Match if that is what you want removed";
                Err(Refusal::new(Code::Contested, detail).into())
            }
            _ => Ok(()),
        }
    }

    /// The fingerprint of what the caller saw at ARM and names, under the lock of the connection.
    pub(crate) fn accepted(&self, record: &ConnectionRecord) -> Result<Option<String>, Error> {
        self.check_version(record)?;
        self.check_contested(record)?;
        let names_it = matches!(self.expected, Some(ExpectedVersion::OneOf(_)));
        let found = record.found.as_ref().filter(|_| names_it);
        Ok(found.map(|found| found.fingerprint.clone()))
    }
}
