//! The canonical form of an event, and its hash: the same bytes for everyone who may read the event, so that proofs can be built on them.
//! What only some of its readers see, or none, is in it as a hash of its own, so that the others can compute the rest.
//! `docs/operations.md` describes it.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::db::feed::StoredEvent;
use crate::domain::hex;

/// The version of the form. Another set of members, or another way to write them, is another version.
pub(crate) const HASH_VERSION: i16 = 1;

/// SHA-256 of an event's canonical form.
///
/// # Errors
/// When its details have a number that JSON can't express, which none has.
pub(crate) fn hash(event: &StoredEvent) -> Result<Vec<u8>, serde_json::Error> {
    Ok(Sha256::digest(canonical_form(event)?).to_vec())
}

/// The members of an event's details that not every reader of the event sees.
const REDACTED: [&str; 1] = ["justificationHash"];

/// The event as canonical JSON (RFC 8785), as its most redacted reader sees it, with the hash of the rest. Members that do not apply are
/// absent.
fn canonical_form(event: &StoredEvent) -> Result<Vec<u8>, serde_json::Error> {
    let (mut shown, mut hidden) = (event.details.clone(), Map::new());
    hidden.insert("tenantIds".to_owned(), json!(event.tenant_ids));
    if let Some(details) = shown.as_object_mut() {
        hidden.extend(REDACTED.iter().filter_map(|name| details.remove_entry(*name)));
    }
    let hidden_hash = hex(&Sha256::digest(serde_json_canonicalizer::to_vec(&hidden)?));
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
        (
            "sourceTenantIds",
            json!(event.source_tenant_id.map(|tenant| [tenant])),
        ),
        ("details", shown),
        ("hiddenHash", json!(hidden_hash)),
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
            source_tenant_id: Some(Uuid::from_u128(3)),
            tenant_ids: Vec::new(),
            details: json!({"b": [1.0, null, "\u{e9}\n"], "a": {"z": 0.002, "y": true}, "justificationHash": "00ff"}),
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
             \"hiddenHash\":\"3adefbfaba03eac91eef245808a1f0f39022510c9986a693e83f3e8294ab3c95\",\"id\":\"00000000-0000-0000-0000-000000000001\",\"kind\":\"create.intended\",\
             \"occurredAt\":\"2023-11-14T22:13:20.120000Z\",\"sequence\":7,\
             \"sourceTenantIds\":[\"00000000-0000-0000-0000-000000000003\"]}"
        );
        assert_eq!(
            hex(&hash(&event()).expect("a hash")),
            "6fd41a04e733348fad538adfc5f2d1ffab2ca97d718bea177331bb85632ab1cd"
        );
    }

    #[test]
    fn an_event_that_differs_anywhere_has_another_hash() {
        let (mut other, mut hidden, mut concerned) = (event(), event(), event());
        other.details["a"]["y"] = json!(false);
        hidden.details["justificationHash"] = json!("00fe");
        concerned.tenant_ids.push(Uuid::from_u128(3));
        for changed in [other, hidden, concerned] {
            assert_ne!(hash(&event()).expect("a hash"), hash(&changed).expect("a hash"));
        }
    }
}
