//! Whether ARM, the records and the ledger agree once all is settled: what each trial ends with, whatever it did before.

use std::collections::{BTreeMap, BTreeSet};

use azure_emulator::resources::Operation;
use azure_emulator::{Entry, Host};
use serde_json::Value;

use crate::Stack;

/// A change that the service said it took: with a 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The connection that it named.
    pub connection: String,
    /// The operation that it named.
    pub operation: String,
}

/// What is looked at beside ARM's world and the journal.
#[derive(Debug, Default)]
pub struct Claims {
    /// What was acknowledged.
    pub acknowledged: Vec<Acknowledged>,
    /// Data connections that others made behind the service's back, as they made them, by their ids in lower case: to be there
    /// untouched, and in no record.
    pub strangers: BTreeMap<String, Value>,
}

/// Everything that is recorded.
struct Records {
    connections: Vec<Value>,
    operations: BTreeMap<String, Value>,
    /// Of each operation, the kinds of its events in the ledger's order.
    events: BTreeMap<String, Vec<String>>,
}

fn text<'a>(row: &'a Value, member: &str) -> &'a str {
    row.get(member).and_then(Value::as_str).unwrap_or_default()
}

impl Records {
    async fn read(stack: &Stack) -> anyhow::Result<Self> {
        let database = &stack.database;
        let connections = database
            .rows("select id, arm_id, desired, observed, closed_at from connections")
            .await?;
        let operations = database
            .rows(
                "select id, connection_id, kind, phase, correlation_id, body, awaiting_tenant_id, error from operations",
            )
            .await?;
        let rows = database
            .rows("select operation_id, kind from ledger_events where operation_id is not null order by sequence")
            .await?;
        let mut events: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &rows {
            let of = events.entry(text(row, "operation_id").to_owned()).or_default();
            of.push(text(row, "kind").to_owned());
        }
        Ok(Self {
            connections,
            operations: operations
                .into_iter()
                .map(|row| (text(&row, "id").to_owned(), row))
                .collect(),
            events,
        })
    }

    fn events(&self, operation: &str) -> &[String] {
        self.events.get(operation).map_or(&[], Vec::as_slice)
    }

    /// Whether a create of the connection ended because something else had its name.
    fn drifted(&self, connection: &str) -> bool {
        self.operations.values().any(|row| {
            text(row, "connection_id") == connection
                && row.pointer("/error/code").and_then(Value::as_str) == Some("drifted")
        })
    }

    fn is_open(&self, connection: &str) -> bool {
        self.operations
            .values()
            .any(|row| text(row, "connection_id") == connection && !is_over(row))
    }
}

fn is_over(operation: &Value) -> bool {
    matches!(text(operation, "phase"), "succeeded" | "failed")
}

/// Everything in which ARM, the records, the ledger and the journal of the calls differ, a sentence each; nothing when all is well.
/// To be asked when nothing is under way any more.
pub async fn differences(stack: &Stack, claims: &Claims) -> anyhow::Result<Vec<String>> {
    let records = Records::read(stack).await?;
    let mut found = Vec::new();
    compare_with_arm(stack, claims, &records, &mut found);
    compare_with_journal(stack, &records, &mut found);
    overlaps(stack, &mut found);
    for (id, operation) in &records.operations {
        if is_over(operation) {
            found.extend(ledger_gap(id, operation, records.events(id)));
        } else {
            found.push(format!("left open: {operation}"));
        }
    }
    found.extend(crate::feed::agreement::disagreements(stack).await?);
    for ack in &claims.acknowledged {
        let connections = &records.connections;
        if !connections.iter().any(|row| text(row, "id") == ack.connection)
            || !records.operations.contains_key(&ack.operation)
        {
            found.push(format!("lost acknowledgement: {ack:?}"));
        }
    }
    Ok(found)
}

/// Each data connection has one open record, and each record that says so its data connection.
fn compare_with_arm(stack: &Stack, claims: &Claims, records: &Records, found: &mut Vec<String>) {
    let at_arm: BTreeSet<String> = stack.emulator.read(|world| {
        let ids = world.data_connection_ids();
        ids.iter().map(|id| id.to_ascii_lowercase()).collect()
    });
    let is_open = |row: &&Value| row.get("closed_at").is_none_or(Value::is_null);
    let mut recorded = BTreeSet::new();
    for row in records.connections.iter().filter(is_open) {
        recorded.insert(text(row, "arm_id").to_owned());
        if records.is_open(text(row, "id")) {
            continue;
        }
        match (text(row, "observed"), at_arm.contains(text(row, "arm_id"))) {
            ("present", true) | ("absent", false) => {}
            // Something else had the name when the create settled: what it left is told to nobody as there.
            ("unknown", _) if records.drifted(text(row, "id")) => {}
            (_, there) => found.push(format!("record and ARM differ (there: {there}): {row}")),
        }
    }
    for id in &at_arm {
        if !recorded.contains(id) && !claims.strangers.contains_key(id) {
            found.push(format!("orphan at ARM: {id}"));
        }
    }
    for (id, made) in &claims.strangers {
        match stack.emulator.read(|world| world.data_connection(id)) {
            None => found.push(format!("deleted what was somebody else's: {id}")),
            Some(now) if now != *made => found.push(format!("changed what was somebody else's: {now}")),
            Some(_) if recorded.contains(id) => {
                found.push(format!("recorded what is somebody else's: {id}"));
            }
            Some(_) => {}
        }
    }
}

/// Each change that left had been committed before, as it left; and no more often than was committed.
fn compare_with_journal(stack: &Stack, records: &Records, found: &mut Vec<String>) {
    let entries = stack.emulator.journal().entries();
    let is_write = |entry: &&Entry| entry.host == Host::Arm && matches!(&*entry.method, "PUT" | "DELETE");
    let mut sent: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(is_write) {
        let name = "x-ms-correlation-request-id";
        let correlation = entry.request_headers.get(name).map_or("", String::as_str);
        let by_id = |row: &&Value| text(row, "correlation_id").eq_ignore_ascii_case(correlation);
        match records.operations.values().find(by_id) {
            Some(operation) => sent.entry(text(operation, "id")).or_default().push(entry),
            None => found.push(format!("{} {} without a record", entry.method, entry.path())),
        }
    }
    for (id, entries) in sent {
        let Some(operation) = records.operations.get(id) else {
            continue;
        };
        let events = records.events(id);
        let (method, intents) = match text(operation, "kind") {
            "create" => ("PUT", ["create.intended", "create.repeated"]),
            _ => ("DELETE", ["remove.intended", "remove.repeated"]),
        };
        let intended = events.iter().filter(|kind| intents.contains(&&***kind)).count();
        // What ARM refused had no effect, and may be sent again under the same intent.
        let effective = entries
            .iter()
            .filter(|entry| !(400..500).contains(&entry.status))
            .count();
        if effective > intended {
            found.push(format!("{effective} {method} for {intended} intents: {events:?}"));
        }
        let connection = |row: &&Value| text(row, "id") == text(operation, "connection_id");
        let arm_id = records.connections.iter().find(connection);
        let arm_id = arm_id.map_or("", |row| text(row, "arm_id"));
        for entry in entries {
            if !entry.path().eq_ignore_ascii_case(arm_id) {
                found.push(format!(
                    "{} {} for a change of {arm_id}",
                    entry.method,
                    entry.path()
                ));
            }
            let body = operation.get("body").filter(|body| !body.is_null());
            if entry.method != method || (method == "PUT" && entry.request_body.as_ref() != body) {
                found.push(format!(
                    "{} {} is not what was committed",
                    entry.method,
                    entry.path()
                ));
            }
        }
    }
}

/// At most one change of each cluster was in flight at ARM, and so at most one of each data connection.
fn overlaps(stack: &Stack, found: &mut Vec<String>) {
    let all = stack.emulator.read(|world| world.resources.operations.clone());
    let cluster = |operation: &Operation| {
        let database = operation.connection.parent();
        database.and_then(|database| database.parent())
    };
    for (index, one) in all.iter().enumerate() {
        for other in all.iter().skip(index + 1) {
            if cluster(one) == cluster(other) && one.started < other.ends && other.started < one.ends {
                found.push(format!(
                    "two changes of a cluster at once: {:?} of {} and {:?} of {}",
                    one.kind, one.connection, other.kind, other.connection
                ));
            }
        }
    }
}

/// What the ledger lacks, or has too much, of an operation that has ended.
fn ledger_gap(id: &str, operation: &Value, events: &[String]) -> Option<String> {
    let kind = text(operation, "kind");
    let count = |suffix: &str| {
        let name = format!("{kind}.{suffix}");
        events.iter().filter(|event| **event == name).count()
    };
    let phase = text(operation, "phase");
    let begun = count("intended").max(count("queued"));
    let complete = begun == 1
        && count(phase) == 1
        && count("succeeded") + count("failed") == 1
        && events
            .last()
            .is_some_and(|last| *last == format!("{kind}.{phase}"));
    // The removal of a create that was not sent is asked for and ends in one commit, and one event.
    let at_once = *events == ["remove.succeeded"] && phase == "succeeded";
    (!complete && !at_once).then(|| format!("the ledger of the {kind} {id}, which {phase}, has {events:?}"))
}

#[cfg(test)]
mod tests {
    use azure_emulator::{Options, how_to};
    use serde_json::json;

    use super::*;
    use crate::Ground;

    /// A connection that the service says is there, and whose create it says has succeeded.
    const RECORD: &str = "
        insert into connections (id, arm_id, arm_id_written, name, target_tenant_id, source_tenant_id, database_id, source_kind,
            source_id, consumer_group, location, request_hash, created_by, created_at, desired, observed, observed_at)
        values ('00000000-0000-7000-8000-000000000001', '$id', '$id', 'one', gen_random_uuid(), gen_random_uuid(), 'd', 'eventHub',
            's', 'g', 'West Europe', '', gen_random_uuid(), now(), 'present', 'present', now())";

    fn id(name: &str) -> String {
        format!("{}/dataConnections/{name}", how_to::DATABASE)
    }

    fn make(stack: &Stack, name: &str) {
        let body = json!({ "location": "West Europe", "kind": "EventHub", "properties": {
            "eventHubResourceId": how_to::HUB1, "consumerGroup": "$Default"
        } });
        let made = stack
            .emulator
            .edit(|world| world.add_data_connection(&id(name), &body));
        made.expect("a data connection");
    }

    #[tokio::test]
    async fn what_arm_and_the_records_say_differently_is_found() {
        // Never run here: any program with the name of the variable in it will do, such as this one.
        let program = std::env::current_exe().expect("a program");
        let ground = Ground::start(Some(program), false).await.expect("a Postgres");
        let stack = ground.stack(Options::default()).await.expect("a stack");
        let found = async |claims: &Claims| differences(&stack, claims).await.expect("an answer").join("; ");
        assert_eq!(found(&Claims::default()).await, "");
        make(&stack, "one");
        assert!(found(&Claims::default()).await.contains("orphan at ARM"));
        let made = stack.emulator.read(|world| world.data_connection(&id("one")));
        let strangers = BTreeMap::from([(id("one").to_ascii_lowercase(), made.expect("it is there"))]);
        let theirs = Claims {
            strangers,
            ..Claims::default()
        };
        assert_eq!(found(&theirs).await, "");
        let members = json!({ "consumerGroup": "another" });
        let changed = stack.emulator.edit(|world| {
            let members = members.as_object().expect("an object");
            world.set_data_connection_members(&id("one"), members)
        });
        changed.expect("it changes");
        assert!(found(&theirs).await.contains("changed what was somebody else's"));

        let record = RECORD.replace("$id", &id("one").to_ascii_lowercase());
        stack.database.run(&record).await.expect("a record");
        assert_eq!(found(&Claims::default()).await, "");
        let acknowledged = vec![Acknowledged {
            connection: "00000000-0000-7000-8000-000000000001".to_owned(),
            operation: "none".to_owned(),
        }];
        let lost = Claims {
            acknowledged,
            ..Claims::default()
        };
        assert!(found(&lost).await.contains("lost acknowledgement"));
        let gone = stack
            .emulator
            .edit(|world| world.remove_data_connection(&id("one")));
        gone.expect("it goes");
        assert!(found(&Claims::default()).await.contains("record and ARM differ"));
        assert!(found(&theirs).await.contains("deleted what was somebody else's"));
        stack.stop().await.expect("an end");
        ground.stop().await.expect("an end");
    }

    #[test]
    fn a_ledger_without_a_beginning_or_an_end_or_with_two_is_found() {
        let gap = |phase: &str, events: &[&str]| {
            let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
            ledger_gap("o", &json!({ "kind": "create", "phase": phase }), &events)
        };
        let whole = ["create.intended", "create.accepted", "create.succeeded"];
        assert_eq!(gap("succeeded", &whole), None);
        for events in [
            &whole[1..],
            &whole[..2],
            &["create.intended", "create.failed"],
            &["create.intended", "create.succeeded", "create.succeeded"],
            &["create.intended", "create.succeeded", "outcome.unknown"],
        ] {
            assert!(gap("succeeded", events).is_some(), "{events:?}");
        }
    }
}
