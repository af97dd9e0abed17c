//! Role assignments, namespaces, clusters.

use serde_json::json;

use super::super::state::{Namespace, State};
use super::html::{button, escape, form, hint, section, short, small, table_or};

pub(super) fn sections(state: &State, token: &str) -> String {
    [
        roles(state, token),
        namespaces(state, token),
        clusters(state, token),
    ]
    .concat()
}

fn roles(state: &State, token: &str) -> String {
    let rows: Vec<Vec<String>> = state
        .role_assignments
        .iter()
        .map(|given| {
            let change = json!({ "revokeRoles": { "principal": given.oid, "scope": given.scope } });
            vec![
                format!(
                    "<strong>{}</strong> {}",
                    escape(&given.principal),
                    small(&given.tenant)
                ),
                escape(&given.role),
                format!("{} {}", escape(&short(&given.scope, 1)), small(&given.scope)),
                button("Revoke", &change),
            ]
        })
        .collect();
    let shown = table_or("None.", &["Who", "Role", "At", "Switch"], &rows);
    let told = hint("Revoking takes all roles that somebody has at exactly that scope.");
    section(
        "roles",
        "Role assignments",
        &format!("{told}{}", form(token, "roles", &shown)),
    )
}

fn namespaces(state: &State, token: &str) -> String {
    let rows: Vec<Vec<String>> = state.namespaces.iter().map(namespace).collect();
    let shown = table_or("None.", &["Namespace", "Event hubs", "Keys", "Switches"], &rows);
    section("hubs", "Event hubs", &form(token, "hubs", &shown))
}

fn namespace(namespace: &Namespace) -> Vec<String> {
    let hubs = namespace.event_hubs.iter().map(|hub| {
        let groups = std::iter::once("$Default").chain(hub.consumer_groups.iter().map(String::as_str));
        let groups = groups.collect::<Vec<_>>().join(" ");
        format!("<div>{} {}</div>", escape(&hub.name), small(&groups))
    });
    let rules = namespace.authorization_rules.iter().map(|rule| {
        let (primary, secondary) = (rule.primary_key_rotations, rule.secondary_key_rotations);
        let rotated = format!("rotated: primary {primary}×, secondary {secondary}×");
        format!("<div>{} {}</div>", escape(&rule.name), small(&rotated))
    });
    let rotate = namespace.authorization_rules.iter().map(|rule| {
        let change =
            json!({ "rotateHubKey": { "namespace": namespace.id, "rule": rule.name, "key": "primary" } });
        button(&format!("Rotate {}’s primary key", rule.name), &change)
    });
    let (state, label) = match namespace.local_auth_enabled {
        true => ("", "Refuse keys"),
        false => ("<b class=\"bad\">refused</b>", "Accept keys"),
    };
    let enabled = !namespace.local_auth_enabled;
    let local = json!({ "setLocalAuth": { "namespace": namespace.id, "enabled": enabled } });
    vec![
        format!(
            "<strong>{}</strong> {}",
            escape(&namespace.name),
            small(&namespace.tenant)
        ),
        hubs.collect(),
        format!("{state}{}", rules.collect::<String>()),
        format!("{} {}", rotate.collect::<String>(), button(label, &local)),
    ]
}

fn clusters(state: &State, token: &str) -> String {
    let rows: Vec<Vec<String>> = state
        .clusters
        .iter()
        .flat_map(|cluster| {
            cluster.databases.iter().map(|database| {
                let tables = database.tables.iter().map(|table| {
                    let change = json!({ "removeTable": { "database": database.id, "table": table.name } });
                    let drop = button(&format!("Drop {}", table.name), &change);
                    format!(
                        "<div>{} {} {drop}</div>",
                        escape(&table.name),
                        small(&table.mappings.join(" "))
                    )
                });
                vec![
                    format!(
                        "<strong>{}</strong> {}",
                        escape(&cluster.name),
                        small(&cluster.tenant)
                    ),
                    escape(&database.name),
                    tables.collect(),
                ]
            })
        })
        .collect();
    let shown = table_or("None.", &["Cluster", "Database", "Tables and mappings"], &rows);
    section("clusters", "Clusters", &form(token, "clusters", &shown))
}
