//! What strangers made is theirs: nothing of it is deleted or overwritten that a read could have told, and nobody is told that it
//! is as they asked for.

use chrono::{DateTime, TimeDelta, Utc};

use super::sends::name;
use crate::history::record::{ChangeKind, History, Operation, Owner, Sent, Shown, Wish};

pub(super) fn check(history: &History, found: &mut Vec<String>) {
    for sent in &history.sent {
        let what = format!("the {} of {} at {}", sent.method, name(&sent.arm_id), sent.at);
        if let Some(Owner::Stranger(since)) = history.owner(&sent.arm_id, sent.at)
            && took_effect(sent)
            && !history.was_frozen(since, sent.at)
            && was_shown(history, sent, since)
        {
            found.push(format!(
                "{what} met what a stranger had made at {since}, and a read had shown it"
            ));
        }
        let operation = history
            .operations
            .iter()
            .find(|row| row.correlation_id.to_string() == sent.correlation);
        let Some(operation) = operation else {
            continue;
        };
        if sent.method == "DELETE" && !follows_a_read(history, operation, sent) {
            found.push(format!("{what} left without a read that had shown what is there"));
        }
        if sent.method == "PUT" {
            found.extend(replaced(history, operation, sent));
        }
    }
}

/// Whether ARM began to carry it out.
const fn took_effect(sent: &Sent) -> bool {
    matches!(sent.status, 200..=202)
}

/// Whether a read in the name of the caller who sent a request had shown the stranger's before it left, so that it could have been kept
/// back. What other callers' requests read meanwhile is nothing to this one.
fn was_shown(history: &History, sent: &Sent, since: DateTime<Utc>) -> bool {
    let mut reads = history.reads.iter();
    reads.any(|read| {
        read.arm_id == sent.arm_id
            && read.who == sent.who
            && read.shown == Shown::Theirs
            && read.at >= since
            && read.answered_at <= sent.at
            && !has_rivals(history, sent, read.at)
    })
}

/// Whether the caller who sent a request had several under way for the same name since a read, so that it can't be told which of them made
/// it.
fn has_rivals(history: &History, sent: &Sent, since: DateTime<Utc>) -> bool {
    let is_for_it = |wish: &Wish| match wish {
        Wish::Create { arm_id, .. } => *arm_id == sent.arm_id,
        Wish::Remove { connection, .. } => history
            .connection(*connection)
            .is_some_and(|row| row.arm_id == sent.arm_id),
        Wish::Look { .. } | Wish::Continue { .. } => false,
    };
    let under_way = history.calls.iter().filter(|call| {
        call.who == sent.who && is_for_it(&call.wish) && call.at <= sent.at && call.at + call.took >= since
    });
    under_way.count() > 1
}

/// Whether a read had shown what a removal is for, after the removal was asked for and before its request left.
fn follows_a_read(history: &History, operation: &Operation, sent: &Sent) -> bool {
    let asked_at = history
        .events_of(operation.id)
        .map(|event| event.committed_at)
        .min();
    let earliest = history
        .calls
        .iter()
        .filter(|call| {
            matches!(call.wish, Wish::Remove { connection, .. } if connection == operation.connection_id)
        })
        .map(|call| call.at)
        .min();
    let began = earliest.into_iter().chain(asked_at).min();
    let mut reads = history
        .reads
        .iter()
        .filter(|read| read.arm_id == sent.arm_id && read.who == sent.who);
    reads.any(|read| {
        read.shown != Shown::Nothing
            && began.is_none_or(|began| read.answered_at >= began)
            && read.answered_at <= sent.at
    })
}

/// A create that replaced a stranger's, and whose answer said so, ended as contested.
fn replaced(history: &History, operation: &Operation, sent: &Sent) -> Option<String> {
    let replaced = history.changes.iter().any(|change| {
        change.kind == ChangeKind::Update
            && change.arm_id == sent.arm_id
            && change.started >= sent.at
            && change.started <= sent.at + TimeDelta::milliseconds(100)
    });
    let mut events = history.events_of(operation.id);
    // What no answer told can't be told from what the create itself made.
    let is_doubtful = events.any(|event| event.kind == "outcome.unknown");
    let is_told = operation.code() == Some("contested");
    (replaced && sent.status == 200 && sent.delivered && !is_doubtful && !is_told).then(|| {
        format!(
            "{} replaced a stranger's, and its create is recorded as {} {:?}",
            name(&sent.arm_id),
            operation.phase,
            operation.code()
        )
    })
}
