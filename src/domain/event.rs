//! One event, before and after it is stored.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::{ActorId, ConnectionId, OperationId, TenantId};

use crate::domain::EventKind;

/// An event: to be recorded, or as it was read, with the word of its kind, which a newer version may have written.
#[derive(Debug, Clone)]
pub struct Event<Kind = EventKind> {
    /// Its id (UUIDv7).
    pub id: Uuid,
    /// When it happened, by the service's clock.
    pub occurred_at: DateTime<Utc>,
    /// What happened.
    pub kind: Kind,
    /// To which connection; none if it was refused before there was one.
    pub connection: Option<ConnectionId>,
    /// In which operation.
    pub operation: Option<OperationId>,
    /// Who caused it, as a pseudonym.
    pub actor: Option<ActorId>,
    /// The app that acted in their name.
    pub app: Option<Uuid>,
    /// The HTTP request it came with.
    pub request_id: Option<String>,
    /// The target's tenant, once known.
    pub target_tenant: Option<TenantId>,
    /// The source's tenant, once known.
    pub source_tenant: Option<TenantId>,
    /// What else there is to say; never a token, a person or free text.
    pub details: Value,
}

impl Event {
    /// The tenants that it concerns, each once.
    #[must_use]
    pub fn tenants(&self) -> Vec<Uuid> {
        let named = [self.target_tenant, self.source_tenant].into_iter().flatten();
        let mut tenants: Vec<Uuid> = named.map(TenantId::uuid).collect();
        tenants.sort_unstable();
        tenants.dedup();
        tenants
    }
}

/// An event as the ledger holds it.
#[derive(Debug, Clone)]
pub struct RecordedEvent {
    /// Its place in the ledger.
    pub sequence: i64,
    /// What was recorded.
    pub event: Event<String>,
}

/// The trace that free text leaves in an event: SHA-256 over salt and text, in hexadecimal. With the text and its salt
/// it proves what was said; without them it reveals nothing.
#[must_use]
pub fn salted_hash(salt: &[u8], text: &str) -> Value {
    json!(hex(&Sha256::new()
        .chain_update(salt)
        .chain_update(text.as_bytes())
        .finalize()))
}

/// Lower-case hexadecimal: how events show hashes.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
