//! The ledger of each operation: which event may follow which, that its end is the row's, and that nothing is left undone.

use crate::history::record::{History, Operation};

pub(super) fn check(history: &History, found: &mut Vec<String>) {
    for operation in &history.operations {
        let words: Vec<&str> = history
            .events_of(operation.id)
            .map(|event| event.kind.as_str())
            .collect();
        let told = |what: String| format!("{what}: {} {} with {words:?}", operation.kind, operation.id);
        let mut last = "";
        for word in words.iter().filter(|word| !is_aside(word)) {
            if !may_follow(&operation.kind, last, word) {
                found.push(told(format!("{word} may not follow '{last}'")));
            }
            last = word;
        }
        let ended = matches!(last.split('.').nth(1), Some("succeeded" | "failed"));
        if ended != operation.is_over() || (ended && !last.ends_with(operation.phase.as_str())) {
            found.push(told(format!("recorded as {}", operation.phase)));
        }
        if !operation.is_over() && !is_excused(history, operation) {
            found.push(told(format!("left undone as {}", operation.phase)));
        }
    }
    for event in &history.events {
        let known = event
            .operation_id
            .is_none_or(|id| history.operation(id).is_some());
        if !known {
            found.push(format!("{} is of no operation", event.kind));
        }
    }
}

/// Events that say who goes on, or why not, which may stand anywhere before the end; and what was seen of a create after it.
fn is_aside(word: &str) -> bool {
    word.starts_with("operation.") || word == "create.appeared"
}

/// Which event may come after which; `last` is empty at the start.
fn may_follow(kind: &str, last: &str, word: &str) -> bool {
    let of = |suffix: &str| word.strip_prefix(kind) == Some(suffix);
    let began = |after: &str| last.strip_prefix(kind) == Some(after);
    let in_flight = began(".intended") || began(".repeated");
    match word {
        _ if last.is_empty() => {
            of(".queued") || of(".intended") || (kind == "remove" && (of(".succeeded") || of(".failed")))
        }
        "outcome.unknown" => in_flight || began(".accepted"),
        "change.putOff" => in_flight,
        _ if began(".queued") => of(".intended") || of(".succeeded") || of(".failed"),
        _ if in_flight => [".accepted", ".repeated", ".held", ".failed"]
            .iter()
            .any(|w| of(w)),
        _ if began(".accepted") => of(".succeeded") || of(".failed"),
        _ if began(".held") || last == "change.putOff" => [".repeated", ".failed", ".succeeded", ".held"]
            .iter()
            .any(|w| of(w)),
        // A create of unknown outcome is never sent again; a removal may be.
        _ if last == "outcome.unknown" => {
            of(".succeeded") || of(".failed") || (kind == "remove" && of(".repeated"))
        }
        _ => false,
    }
}

/// Whether it waits for somebody who never came, or for a change of the same connection that does.
fn is_excused(history: &History, operation: &Operation) -> bool {
    let waits = |row: &Operation| {
        let owner = history.person(row.person_id);
        row.awaiting_tenant_id.is_some() && owner.is_some_and(|who| history.gone.contains(&who))
    };
    history
        .operations
        .iter()
        .filter(|row| row.connection_id == operation.connection_id)
        .any(waits)
}
