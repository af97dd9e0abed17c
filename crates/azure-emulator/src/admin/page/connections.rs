//! Data connections: where from, where to, and whether anything would arrive.

use serde_json::{Value, json};

use super::super::state::{Connection, State};
use super::html::{button, escape, form, section as part, short, small, table_or};
use crate::resources::{Hindrance, Ingestion};

pub(super) fn section(state: &State, token: &str) -> String {
    let shown = format!(
        "<div id=\"connections-now\">{}</div>",
        table(&state.data_connections)
    );
    let remove: String = state
        .data_connections
        .iter()
        .map(|known| {
            let change = json!({ "removeDataConnection": { "id": known.id } });
            button(
                &format!("Remove {} behind ARM’s back", short(&known.id, 1)),
                &change,
            )
        })
        .collect();
    part(
        "connections",
        "Data connections",
        &format!("{shown}{}", form(token, "connections", &remove)),
    )
}

pub(super) fn table(connections: &[Connection]) -> String {
    let rows: Vec<Vec<String>> = connections.iter().map(cells).collect();
    let columns = ["Data connection", "Reads from", "Writes to", "Made by", "Data"];
    table_or("None yet.", &columns, &rows)
}

fn cells(connection: &Connection) -> Vec<String> {
    let text = |member: &str| {
        connection
            .properties
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let hub = text("eventHubResourceId");
    let source = if hub.is_empty() {
        connection.kind.clone()
    } else {
        short(hub, 2)
    };
    let tenant = connection.source_tenant.as_deref().unwrap_or("elsewhere");
    let group = format!("{} of {tenant}", text("consumerGroup"));
    let name = format!("<strong>{}</strong>", escape(&short(&connection.id, 1)));
    let database = connection
        .id
        .rsplit_once("/dataConnections/")
        .map_or("", |(database, _)| database);
    let table = match (text("tableName"), text("mappingRuleName")) {
        ("", _) => "no table".to_owned(),
        (table, "") => table.to_owned(),
        (table, mapping) => format!("{table} by {mapping}"),
    };
    vec![
        format!("{name} {}", small(connection.provisioning)),
        format!("{} {}", escape(&source), small(&group)),
        format!("{} {}", escape(&short(database, 2)), small(&table)),
        format!(
            "{} {}",
            escape(&connection.created_by),
            small(&at(&connection.created_at))
        ),
        flow(connection.ingestion.as_ref()),
    ]
}

fn at(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}

fn flow(ingestion: Option<&Ingestion>) -> String {
    match ingestion {
        None => String::new(),
        Some(state) if state.flows => "<b class=\"good\">flows</b>".to_owned(),
        Some(state) => {
            let why: String = state
                .reasons
                .iter()
                .map(|reason| format!("<li>{}</li>", escape(words(*reason))))
                .collect();
            format!("<b class=\"bad\">stands still</b><ul>{why}</ul>")
        }
    }
}

fn words(reason: Hindrance) -> &'static str {
    match reason {
        Hindrance::NotProvisioned => "It is being made or removed.",
        Hindrance::EventHubMissing => "The event hub or its namespace is gone.",
        Hindrance::ConsumerGroupMissing => "The event hub has no such consumer group.",
        Hindrance::KeyNotCurrent => "The key was rotated since it was fetched. A PUT fetches the new one.",
        Hindrance::LocalAuthDisabled => "The namespace refuses keys (disableLocalAuth).",
        Hindrance::DatabaseMissing => "The database is gone.",
        Hindrance::TableMissing => "The database has no such table.",
        Hindrance::MappingMissing => "The table has no such mapping.",
    }
}
