//! The world and the records: what is at Azure is recorded, and what is recorded as there is there.

use std::collections::BTreeMap;

use super::sends::name;
use crate::history::record::{Connection, History, Operation};

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
    for arm_id in &history.world {
        // One that has not settled is recorded all the same.
        if !open.contains_key(arm_id.as_str()) {
            found.push(format!(
                "an orphan: {} is at Azure and in no record",
                name(arm_id)
            ));
        }
    }
    for connection in open.values().copied().filter(is_settled) {
        if !history.world.contains(&connection.arm_id) {
            found.push(format!(
                "lost: {} is recorded as {} and not at Azure",
                name(&connection.arm_id),
                connection.observed
            ));
        } else if connection.observed != "present" {
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
