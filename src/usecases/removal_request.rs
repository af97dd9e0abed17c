//! The options of a removal: a key, the expected version, whether only the record is to be closed.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::domain::{Code, ConnectionRecord, Error, Refusal};
use crate::telemetry::metrics;
use crate::usecases::idempotency::{IdempotencyKey, IdempotentRequest};

/// A request to remove a connection.
#[derive(Debug, Clone, Default)]
pub struct RemovalRequest {
    /// The key under which the request may be repeated.
    pub key: Option<IdempotencyKey>,
    /// The version that the caller last saw. With it, the data connection shown in `found` at that version may be removed, although it
    /// differs from the record.
    pub expected: Option<ExpectedVersion>,
    /// Close only the record; nothing is sent.
    pub record_only: bool,
}

/// The versions of a connection that a change applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Any version. It names no particular one, so it accepts no `found`.
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
    /// What distinguishes this request from another one with the same key. That of a request without options must not change, since it is
    /// stored.
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

/// A removal as the use case processes it.
#[derive(Debug, Clone)]
pub(crate) struct RemoveCommand {
    pub(crate) keyed: Option<IdempotentRequest>,
    expected: Option<ExpectedVersion>,
    pub(crate) record_only: bool,
}

impl RemoveCommand {
    pub(crate) fn of(request: RemovalRequest) -> Self {
        let body_hash = request.fingerprint();
        Self {
            keyed: request.key.map(|key| key.of_request(body_hash)),
            expected: request.expected,
            record_only: request.record_only,
        }
    }

    /// Checks that the connection has the version that the caller expects.
    pub(crate) fn check_version(&self, record: &ConnectionRecord) -> Result<(), Error> {
        match &self.expected {
            Some(expected) if !expected.has(record.version) => {
                let detail = "the connection's version is not the one in If-Match; read the connection again";
                Err(Refusal::new(Code::PreconditionFailed, detail).into())
            }
            _ => Ok(()),
        }
    }

    /// What another person may have created is removed only if the caller names exactly that.
    pub(crate) fn check_contested(&self, record: &ConnectionRecord) -> Result<(), Error> {
        let names_it = matches!(self.expected, Some(ExpectedVersion::OneOf(_))) || self.record_only;
        match &record.found {
            Some(found) if found.contested && !names_it => {
                metrics::write_refused(Code::Contested.as_str());
                let detail = "another person may have created what Azure holds under this name; read the connection's `found`, and repeat the removal with its ETag in If-Match to remove that";
                Err(Refusal::new(Code::Contested, detail).into())
            }
            _ => Ok(()),
        }
    }

    /// The fingerprint of the `found` that the caller names, under the lock of the connection.
    pub(crate) fn accepted(&self, record: &ConnectionRecord) -> Result<Option<String>, Error> {
        self.check_version(record)?;
        self.check_contested(record)?;
        let names_it = matches!(self.expected, Some(ExpectedVersion::OneOf(_)));
        let found = record.found.as_ref().filter(|_| names_it);
        Ok(found.map(|found| found.fingerprint.clone()))
    }
}
