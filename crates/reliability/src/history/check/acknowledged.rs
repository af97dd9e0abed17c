//! What callers were told: it is in the records, it stays true, and a repeat was told the same.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::history::record::{Call, History, Reply, Who, Wish};

pub(super) fn check(history: &History, found: &mut Vec<String>) {
    for call in &history.calls {
        if let Some(reply) = call.reply.as_ref().filter(|reply| reply.is_taken_on()) {
            found.extend(of_call(history, call, reply).err());
        }
    }
    repeats(history, found);
}

/// That what a caller was told is recorded.
fn of_call(history: &History, call: &Call, reply: &Reply) -> Result<(), String> {
    let told = |what: &str| {
        format!(
            "{what}: {} was answered to {:?} of {}",
            reply.status, call.wish, call.who
        )
    };
    let id = reply
        .operation
        .ok_or_else(|| told("taken on without naming the operation that leads there"))?;
    let operation = history
        .operation(id)
        .ok_or_else(|| told("acknowledged, but no such operation is recorded"))?;
    if reply
        .connection
        .is_some_and(|named| named != operation.connection_id)
    {
        return Err(told("the operation that was told is of another connection"));
    }
    if matches!(reply.progress.as_str(), "succeeded" | "failed") && operation.phase != reply.progress {
        return Err(told(&format!(
            "told as {}, but recorded as {}",
            reply.progress, operation.phase
        )));
    }
    let connection = history
        .connection(operation.connection_id)
        .ok_or_else(|| told("acknowledged, but no such connection is recorded"))?;
    match &call.wish {
        Wish::Create { arm_id, .. } => {
            if connection.arm_id != *arm_id {
                return Err(told("the answer is of another data connection"));
            }
            if matches!(reply.status, 200 | 201) && operation.phase != "succeeded" {
                return Err(told("told as made, but not recorded as made"));
            }
        }
        Wish::Remove { connection: id, .. } => {
            if connection.id != *id {
                return Err(told("the answer is of another connection"));
            }
            let is_open = connection.closed_at.is_none() && !history.has_appeared(connection.id);
            if reply.status == 200 && is_open {
                return Err(told("told as removed, but recorded as there"));
            }
        }
        Wish::Look { .. } | Wish::Continue { .. } => {}
    }
    Ok(())
}

/// What a key stands for: whose it is, and the request's route.
type Scope<'a> = (&'a Who, &'a str, Option<Uuid>);

/// That a key was answered with one operation alone, and took one body alone.
fn repeats(history: &History, found: &mut Vec<String>) {
    let mut first: BTreeMap<Scope<'_>, (&str, Uuid)> = BTreeMap::new();
    for call in &history.calls {
        let Some(reply) = call.reply.as_ref().filter(|reply| reply.is_taken_on()) else {
            continue;
        };
        let (scope, body) = match &call.wish {
            Wish::Create {
                key: Some(key), body, ..
            } => ((&call.who, key.as_str(), None), body.as_str()),
            Wish::Remove {
                key: Some(key),
                connection,
            } => ((&call.who, key.as_str(), Some(*connection)), ""),
            _ => continue,
        };
        let Some(operation) = reply.operation else {
            continue;
        };
        let (known_body, known) = *first.entry(scope).or_insert((body, operation));
        if known != operation {
            found.push(format!(
                "the key {} of {} was answered with the operations {known} and {operation}",
                scope.1, call.who
            ));
        }
        if known_body != body {
            found.push(format!("the key {} of {} took two bodies", scope.1, call.who));
        }
    }
}
