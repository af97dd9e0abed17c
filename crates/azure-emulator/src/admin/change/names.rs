//! The names that would have been known, for refusals.

use crate::world::World;

/// How many names a refusal lists.
const MANY: usize = 40;

/// The known names of a kind, as `UnknownName` calls kinds.
pub(super) fn known(world: &World, kind: &str) -> String {
    let (directory, resources) = (&world.directory, &world.resources);
    let tenants = || {
        directory
            .tenants
            .iter()
            .filter_map(|tenant| tenant.domains.first().cloned())
    };
    let users = || directory.users.iter().map(|user| user.upn.clone());
    let apps = || directory.apps.iter().map(|app| app.name.clone());
    let namespaces = || {
        resources
            .namespaces
            .iter()
            .map(|namespace| namespace.id.to_string())
    };
    let clusters = || resources.clusters.iter();
    let names: Vec<String> = match kind {
        "tenant" => tenants().collect(),
        "user" | "guest" => users().collect(),
        "app" => apps().collect(),
        "principal in that tenant" => users().chain(apps()).collect(),
        "scope" => directory.apps.iter().flat_map(|app| app.scopes.clone()).collect(),
        "app role" => directory
            .apps
            .iter()
            .flat_map(|app| app.app_roles.clone())
            .collect(),
        "role" | "role at that scope" => resources
            .role_definitions
            .iter()
            .map(|role| role.name.clone())
            .collect(),
        "group" | "group in that tenant" => directory.groups.iter().map(|group| group.name.clone()).collect(),
        "policy" => directory
            .policies
            .iter()
            .map(|policy| policy.name.clone())
            .collect(),
        "subscription" => resources.subscriptions.iter().map(|s| s.id.clone()).collect(),
        "namespace" => namespaces().collect(),
        "authorization rule" => {
            let rules = resources
                .namespaces
                .iter()
                .flat_map(|n| n.authorization_rules.iter());
            rules.map(|rule| rule.name.clone()).collect()
        }
        "event hub" => {
            let hubs = resources.namespaces.iter();
            hubs.flat_map(|n| {
                n.event_hubs
                    .iter()
                    .map(|hub| n.id.child("eventhubs", &hub.name).to_string())
            })
            .collect()
        }
        "consumer group" => {
            let hubs = resources.namespaces.iter().flat_map(|n| n.event_hubs.iter());
            hubs.flat_map(|hub| hub.consumer_groups.clone()).collect()
        }
        "cluster" => clusters().map(|cluster| cluster.id.to_string()).collect(),
        "database" => clusters()
            .flat_map(|c| {
                c.databases
                    .iter()
                    .map(|d| c.id.child("databases", &d.name).to_string())
            })
            .collect(),
        "data connection" => world.data_connection_ids(),
        _ => Vec::new(),
    };
    listed(names)
}

fn listed(mut names: Vec<String>) -> String {
    names.dedup();
    if names.is_empty() {
        return "GET /admin/state shows what there is".to_owned();
    }
    let more = if names.len() > MANY { ", …" } else { "" };
    names.truncate(MANY);
    format!("one of {}{more}", names.join(", "))
}
