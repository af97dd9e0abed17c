//! The canonical form of an event, and its hash: the same bytes for everyone who has the event, so that proofs can be built on them.
//! `docs/operations.md` describes it.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::db::feed::StoredEvent;

/// The version of the form. Another set of members, or another way to write them, is another version.
pub(crate) const HASH_VERSION: i16 = 1;

/// SHA-256 of an event's canonical form.
///
/// # Errors
/// When its details have a number that JSON can't express, which none has.
pub(crate) fn hash(event: &StoredEvent) -> Result<Vec<u8>, serde_json::Error> {
    Ok(Sha256::digest(canonical_form(event)?).to_vec())
}

/// The event as canonical JSON (RFC 8785). Members that do not apply are absent.
fn canonical_form(event: &StoredEvent) -> Result<Vec<u8>, serde_json::Error> {
    let members = [
        ("sequence", json!(event.sequence)),
        ("id", json!(event.id)),
        (
            "occurredAt",
            json!(event.occurred_at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ),
        ("kind", json!(event.kind)),
        ("connectionId", json!(event.connection_id)),
        ("operationId", json!(event.operation_id)),
        ("actorId", json!(event.person_id)),
        ("appId", json!(event.app_id)),
        ("requestId", json!(event.request_id)),
        ("targetTenantId", json!(event.target_tenant_id)),
        ("sourceTenantId", json!(event.source_tenant_id)),
        ("tenantIds", json!(event.tenant_ids)),
        ("details", event.details.clone()),
    ];
    let present: Map<String, Value> = members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    serde_json_canonicalizer::to_vec(&present)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::domain::hex;

    fn event() -> StoredEvent {
        StoredEvent {
            sequence: 7,
            id: Uuid::from_u128(1),
            occurred_at: DateTime::from_timestamp(1_700_000_000, 120_000_000).expect("a time"),
            kind: "create.intended".to_owned(),
            connection_id: Some(Uuid::from_u128(2)),
            operation_id: None,
            person_id: None,
            app_id: None,
            request_id: None,
            target_tenant_id: None,
            source_tenant_id: None,
            tenant_ids: Vec::new(),
            details: json!({"b": [1.0, null, "\u{e9}\n"], "a": {"z": 0.002, "y": true}}),
            is_numbered: false,
        }
    }

    /// What is stored is never computed anew: another result needs another version.
    #[test]
    fn the_canonical_form_and_the_hash_of_version_1_stay_as_they_are() {
        let form = canonical_form(&event()).expect("a form");
        assert_eq!(
            String::from_utf8(form).expect("text"),
            "{\"connectionId\":\"00000000-0000-0000-0000-000000000002\",\
             \"details\":{\"a\":{\"y\":true,\"z\":0.002},\"b\":[1,null,\"\u{e9}\\n\"]},\
             \"id\":\"00000000-0000-0000-0000-000000000001\",\"kind\":\"create.intended\",\
             \"occurredAt\":\"2023-11-14T22:13:20.120000Z\",\"sequence\":7,\"tenantIds\":[]}"
        );
        assert_eq!(
            hex(&hash(&event()).expect("a hash")),
            "9028c1976f089573f84626ce75412e7ff179734d64cc8647480e74ddea155773"
        );
    }

    #[test]
    fn an_event_that_differs_anywhere_has_another_hash() {
        let mut other = event();
        other.details = json!({"b": [1.0, null, "\u{e9}\n"], "a": {"z": 0.002, "y": false}});
        assert_ne!(hash(&event()).expect("a hash"), hash(&other).expect("a hash"));
    }
}
