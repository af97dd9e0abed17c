//! A history is gathered from the log, the emulator and the database.

use azure_emulator::resources::OperationKind;
use azure_emulator::{Entry, Host, TokenView};
use serde::de::DeserializeOwned;

use super::record::{Change, ChangeKind, History, Operation, Pseudonym, Read, Sent, Shown, Who};
use super::scene::Scene;
use super::strangers::is_theirs;
use crate::Stack;

/// What Azure saw and the service recorded.
pub(crate) async fn of_stack(stack: &Stack) -> anyhow::Result<History> {
    Ok(History {
        sent: stack
            .emulator
            .journal()
            .entries()
            .iter()
            .filter_map(sent)
            .collect(),
        changes: changes(stack),
        reads: stack
            .emulator
            .journal()
            .entries()
            .iter()
            .filter_map(read)
            .collect(),
        world: stack.emulator.read(|world| {
            let ids = world.data_connection_ids();
            ids.iter().map(|id| id.to_ascii_lowercase()).collect()
        }),
        events: rows(stack, EVENTS).await?,
        operations: rows(stack, "select * from operations order by id").await?,
        connections: rows(stack, "select * from connections order by id").await?,
        people: rows(stack, "select * from people").await?,
        ..History::default()
    })
}

const EVENTS: &str = "select *, pg_xact_commit_timestamp(xmin) as committed_at from ledger_events \
                      where operation_id is not null order by sequence";

async fn rows<T: DeserializeOwned>(stack: &Stack, query: &str) -> anyhow::Result<Vec<T>> {
    let rows = stack.database.rows(query).await?;
    Ok(rows
        .into_iter()
        .map(serde_json::from_value)
        .collect::<Result<_, _>>()?)
}

/// The operations that have not ended.
pub(crate) async fn undone(scene: &Scene) -> anyhow::Result<Vec<Operation>> {
    rows(
        scene.stack(),
        "select * from operations where phase not in ('succeeded', 'failed') order by id",
    )
    .await
}

/// Who is known.
pub(crate) async fn people(scene: &Scene) -> anyhow::Result<Vec<Pseudonym>> {
    rows(scene.stack(), "select * from people").await
}

fn changes(stack: &Stack) -> Vec<Change> {
    stack.emulator.read(|world| {
        let kind = |kind| match kind {
            OperationKind::Create => Some(ChangeKind::Create),
            OperationKind::Update => Some(ChangeKind::Update),
            OperationKind::Delete => Some(ChangeKind::Delete),
            OperationKind::Validate => None,
        };
        let operations = world.resources.operations.iter();
        operations
            .filter_map(|operation| {
                Some(Change {
                    kind: kind(operation.kind)?,
                    arm_id: operation.connection.as_str().to_ascii_lowercase(),
                    started: operation.started,
                    ended: operation.ends,
                })
            })
            .collect()
    })
}

fn person(token: &TokenView) -> Who {
    format!("{}/{}", token.tenant, token.oid)
}

/// A request to change a data connection.
fn sent(entry: &Entry) -> Option<Sent> {
    let path = entry.path().to_ascii_lowercase();
    let changes = matches!(entry.method.as_str(), "PUT" | "PATCH" | "DELETE" | "POST");
    if entry.host != Host::Arm || !changes || !path.contains("/dataconnections/") {
        return None;
    }
    Some(Sent {
        at: entry.at,
        method: entry.method.clone(),
        arm_id: path,
        correlation: entry
            .request_headers
            .get("x-ms-correlation-request-id")
            .cloned()
            .unwrap_or_default(),
        who: entry.primary.as_ref().map(person).unwrap_or_default(),
        auxiliary: entry.auxiliary.iter().map(person).collect(),
        status: entry.status,
        delivered: entry.delivered,
        answered_at: entry.at + entry.duration,
    })
}

/// A read of a data connection that was answered.
fn read(entry: &Entry) -> Option<Read> {
    let path = entry.path().to_ascii_lowercase();
    if entry.host != Host::Arm
        || entry.method != "GET"
        || !path.contains("/dataconnections/")
        || !entry.delivered
    {
        return None;
    }
    let shown = match (entry.status, entry.response_body.as_ref()) {
        (404, _) => Shown::Nothing,
        (200, Some(body)) if is_theirs(body) => Shown::Theirs,
        (200, _) => Shown::Ours,
        _ => return None,
    };
    Some(Read {
        at: entry.at,
        answered_at: entry.at + entry.duration,
        arm_id: path,
        who: entry.primary.as_ref().map(person).unwrap_or_default(),
        shown,
    })
}
