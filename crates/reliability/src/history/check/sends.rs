//! What reached ARM: decided and recorded before, in the name of who asked, never twice, and nothing that nobody named.

use uuid::Uuid;

use crate::history::record::{Event, History, Operation, Sent, Wish};

pub(super) fn check(history: &History, found: &mut Vec<String>) {
    for (place, sent) in history.sent.iter().enumerate() {
        let before = history.sent.get(..place).unwrap_or_default();
        found.extend(of_sent(history, before, sent).into_iter().map(|what| {
            format!(
                "{what}: the {} of {} at {}",
                sent.method,
                name(&sent.arm_id),
                sent.at
            )
        }));
    }
}

/// The last segment of an id.
pub(super) fn name(arm_id: &str) -> &str {
    arm_id.rsplit('/').next().unwrap_or(arm_id)
}

fn of_sent(history: &History, before: &[Sent], sent: &Sent) -> Vec<String> {
    let mut found = Vec::new();
    let owner = |row: &&Operation| row.correlation_id.to_string() == sent.correlation;
    let Some(operation) = history.operations.iter().find(owner) else {
        return vec![format!(
            "no operation is recorded with the correlation id {}",
            sent.correlation
        )];
    };
    let connection = history.connection(operation.connection_id);
    if connection.is_none_or(|connection| connection.arm_id != sent.arm_id) {
        found.push("its operation is of another data connection".to_owned());
    }
    let kind = if sent.method == "PUT" { "create" } else { "remove" };
    if operation.kind != kind {
        found.push(format!("its operation is a {}", operation.kind));
    }
    // Anyone who reads the ledger must find why a request left, whenever it did.
    let intents: Vec<&Event> = history
        .events_of(operation.id)
        .filter(|event| is_intent(kind, event) && event.committed_at <= sent.at)
        .collect();
    let same = before
        .iter()
        .filter(|other| other.correlation == sent.correlation);
    let earlier = same.clone().count();
    if intents.len() <= earlier {
        found.push(format!(
            "{} intents were committed before the request that is number {}",
            intents.len(),
            earlier + 1
        ));
    }
    let ended = history
        .events_of(operation.id)
        .find(|event| is_end(kind, event) && event.committed_at <= sent.at);
    if let Some(ended) = ended.filter(|ended| !history.was_frozen(ended.committed_at, sent.at)) {
        found.push(format!("sent after its end at {}", ended.committed_at));
    }
    if kind == "create" {
        found.extend(of_repeated_create(history, operation, same, sent));
    } else if !is_named(history, operation.connection_id, sent) {
        found.push("nobody asked for its removal".to_owned());
    }
    // What a service identity does is of no person, but it sends nothing.
    if let Some(intent) = intents.last() {
        match intent.person_id.and_then(|id| history.person(id)) {
            Some(actor) if actor == sent.who => {}
            Some(actor) => found.push(format!("sent as {}, but recorded as {actor}", sent.who)),
            None => found.push(format!("sent as {}, but recorded as of nobody", sent.who)),
        }
    }
    found
}

/// Of a create that is sent after `earlier` requests of the same operation.
fn of_repeated_create<'a>(
    history: &History,
    operation: &Operation,
    earlier: impl Iterator<Item = &'a Sent> + Clone,
    sent: &Sent,
) -> Vec<String> {
    let mut found = Vec::new();
    let put_off = history.events_of(operation.id);
    let put_off = put_off.filter(|event| event.kind == "change.putOff" && event.committed_at <= sent.at);
    if put_off.count() < earlier.clone().count() {
        found.push("sent again, and no event says that ARM had put it off".to_owned());
    }
    let may_have_had_effect = earlier.filter(|other| !is_surely_without_effect(other));
    found.extend(may_have_had_effect.map(|other| {
        format!(
            "sent again, though the one at {} may have had its effect",
            other.at
        )
    }));
    found
}

fn is_intent(kind: &str, event: &Event) -> bool {
    let suffix = event.kind.strip_prefix(kind).unwrap_or_default();
    matches!(suffix, ".intended" | ".repeated")
}

fn is_end(kind: &str, event: &Event) -> bool {
    let suffix = event.kind.strip_prefix(kind).unwrap_or_default();
    matches!(suffix, ".succeeded" | ".failed")
}

/// ARM said no, and the service can have heard it.
const fn is_surely_without_effect(sent: &Sent) -> bool {
    sent.delivered && matches!(sent.status, 409 | 429)
}

/// Whether a caller had asked for the end of this very connection.
fn is_named(history: &History, id: Uuid, sent: &Sent) -> bool {
    history.calls.iter().any(|call| {
        matches!(call.wish, Wish::Remove { connection, .. } if connection == id) && call.at <= sent.at
    })
}
