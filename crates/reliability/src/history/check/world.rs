//! The world and the records: what is at Azure is recorded, and what is recorded as there is there.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::sends::name;
use crate::history::record::{ChangeKind, Connection, History, Operation, Owner, Who, Wish};

pub(super) fn check(history: &History, found: &mut Vec<String>) {
    let is_settled = |connection: &&Connection| {
        let mut own = history
            .operations
            .iter()
            .filter(|row| row.connection_id == connection.id);
        own.all(Operation::is_over)
    };
    let mut open: BTreeMap<&str, &Connection> = BTreeMap::new();
    for connection in history.connections.iter().filter(|row| row.closed_at.is_none()) {
        if open.insert(&connection.arm_id, connection).is_some() {
            found.push(format!("two records of {} are open", name(&connection.arm_id)));
        }
    }
    let owner = |arm_id: &str| history.owner(arm_id, DateTime::<Utc>::MAX_UTC);
    let is_strangers = |arm_id: &str| matches!(owner(arm_id), Some(Owner::Stranger(_)));
    for arm_id in history.world.iter().filter(|arm_id| !is_strangers(arm_id)) {
        // Nobody who may see it is left to ask for it.
        if is_left_behind(history, arm_id) {
            continue;
        }
        // One that has not settled is recorded all the same.
        if !open.contains_key(arm_id.as_str()) {
            found.push(format!(
                "an orphan: {} is at Azure and in no record",
                name(arm_id)
            ));
        }
    }
    let ours = open.values().copied().filter(|row| !is_strangers(&row.arm_id));
    for connection in ours.filter(is_settled) {
        if !history.world.contains(&connection.arm_id) {
            found.push(format!(
                "lost: {} is recorded as {} and not at Azure",
                name(&connection.arm_id),
                connection.observed
            ));
        } else if connection.observed != "present" && !is_unsettled(history, connection) {
            found.push(format!(
                "{} is at Azure and recorded as {}",
                name(&connection.arm_id),
                connection.observed
            ));
        }
    }
    for connection in history.connections.iter().filter(|row| row.closed_at.is_some()) {
        if connection.observed != "absent" {
            found.push(format!(
                "{} is closed and recorded as {}",
                name(&connection.arm_id),
                connection.observed
            ));
        }
        if !is_settled(&connection) {
            found.push(format!(
                "{} is closed and a change of it is under way",
                name(&connection.arm_id)
            ));
        }
    }
}

/// Whether all who asked for it have no tokens any more: a create that is carried out after its record was closed is found when
/// somebody asks again.
fn is_left_behind(history: &History, arm_id: &str) -> bool {
    let of_it = |wish: &Wish| matches!(wish, Wish::Create { arm_id: wanted, .. } if wanted == arm_id);
    let is_without = |who: &Who| history.gone.contains(who) || history.revoked.contains(who);
    let mut asked = history.calls.iter().filter(|call| of_it(&call.wish)).peekable();
    asked.peek().is_some() && asked.all(|call| is_without(&call.who))
}

/// Whether it is shown as unsettled, with a reason: its create landed late, or met what a stranger had made. One that reads had shown
/// to be a stranger's, and that our PUT still replaced when it arrived at last, can't be told from theirs.
fn is_unsettled(history: &History, connection: &Connection) -> bool {
    let replaced = history
        .changes
        .iter()
        .any(|change| change.kind == ChangeKind::Update && change.arm_id == connection.arm_id);
    let mut creates = history
        .operations
        .iter()
        .filter(|row| row.connection_id == connection.id && row.kind == "create");
    let met_a_strangers = creates.any(|row| match row.code() {
        Some("contested") => true,
        Some("drifted") => replaced,
        _ => false,
    });
    connection.observed == "unknown"
        && connection.confirmed_at.is_none()
        && (met_a_strangers || history.has_appeared(connection.id))
}
