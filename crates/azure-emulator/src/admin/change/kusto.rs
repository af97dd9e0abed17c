//! Databases, tables, data connections, operations.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Draft, Subject, Wrong};
use crate::resources::{Failure, Operation, ResourceId};

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Kusto {
    AddDatabase {
        id: String,
    },
    RemoveDatabase {
        id: String,
    },
    SetTable {
        database: String,
        table: String,
        #[serde(default)]
        mappings: Vec<String>,
    },
    RemoveTable {
        database: String,
        table: String,
    },
    AddDataConnection {
        id: String,
        kind: Option<String>,
        location: Option<String>,
        properties: Map<String, Value>,
    },
    SetDataConnectionMembers {
        id: String,
        members: Map<String, Value>,
    },
    RemoveDataConnection {
        id: String,
    },
    FinishOperations {
        connection: Option<String>,
    },
    FailOperations {
        connection: Option<String>,
        code: String,
        message: String,
    },
}

impl Subject for Kusto {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Kusto::AddDatabase { id } => world.add_database(&id)?,
            Kusto::RemoveDatabase { id } => world.remove_database(&id)?,
            Kusto::SetTable {
                database,
                table,
                mappings,
            } => {
                let mappings: Vec<&str> = mappings.iter().map(String::as_str).collect();
                world.set_table(&database, &table, &mappings)?;
            }
            Kusto::RemoveTable { database, table } => world.remove_table(&database, &table)?,
            Kusto::AddDataConnection {
                id,
                kind,
                location,
                properties,
            } => {
                let body =
                    serde_json::json!({ "kind": kind, "location": location, "properties": properties });
                world.add_data_connection(&id, &body)?;
            }
            Kusto::SetDataConnectionMembers { id, members } => {
                world.set_data_connection_members(&id, &members)?;
            }
            Kusto::RemoveDataConnection { id } => world.remove_data_connection(&id)?,
            Kusto::FinishOperations { connection } => world.finish_operations(of(connection)?),
            Kusto::FailOperations {
                connection,
                code,
                message,
            } => {
                world.fail_operations(&Failure { code, message }, of(connection)?);
            }
        }
        Ok(())
    }
}

/// Picks the operations of one data connection; all when none is named.
fn of(connection: Option<String>) -> Result<impl Fn(&Operation) -> bool, Wrong> {
    let id = connection.map(|id| ResourceId::parse(&id)).transpose();
    let id = id.map_err(|error| Wrong::Other(error.to_string()))?;
    Ok(move |operation: &Operation| id.as_ref().is_none_or(|id| operation.connection == *id))
}
