//! The names that would have been known, for refusals.

use std::collections::BTreeSet;

use crate::directory::Directory;
use crate::resources::Resources;
use crate::world::World;

/// How many names a refusal lists.
const MANY: usize = 40;

/// The known names of a kind, as `UnknownName` calls kinds.
pub(super) fn known(world: &World, kind: &str) -> String {
    let of_resources = || in_resources(&world.resources, kind);
    let names = in_directory(&world.directory, kind).or_else(of_resources);
    listed(&names.unwrap_or_default())
}

fn in_directory(directory: &Directory, kind: &str) -> Option<BTreeSet<String>> {
    let users = || directory.users.iter().map(|user| user.upn.clone());
    let apps = directory.apps.iter();
    let names = |apps: std::slice::Iter<'_, crate::directory::App>| {
        apps.map(|app| app.name.clone()).collect::<BTreeSet<String>>()
    };
    Some(match kind {
        "tenant" => {
            let tenants = directory.tenants.iter();
            tenants
                .filter_map(|tenant| tenant.domains.first().cloned())
                .collect()
        }
        "user" | "guest" => users().collect(),
        "app" | "such secret of app" => names(apps),
        "principal in that tenant" => users().chain(names(apps)).collect(),
        "scope" => apps.flat_map(|app| app.scopes.clone()).collect(),
        "app role" => apps.flat_map(|app| app.app_roles.clone()).collect(),
        "group in that tenant" => directory.groups.iter().map(|group| group.name.clone()).collect(),
        "policy" => {
            let policies = directory.policies.iter();
            policies.map(|policy| policy.name.clone()).collect()
        }
        _ => return None,
    })
}

fn in_resources(resources: &Resources, kind: &str) -> Option<BTreeSet<String>> {
    let (namespaces, clusters) = (resources.namespaces.iter(), resources.clusters.iter());
    Some(match kind {
        "role at that scope" => {
            let roles = resources.role_definitions.iter();
            roles.map(|role| role.name.clone()).collect()
        }
        "subscription" => resources.subscriptions.iter().map(|s| s.id.clone()).collect(),
        "namespace" => namespaces.map(|namespace| namespace.id.to_string()).collect(),
        "authorization rule" => namespaces
            .flat_map(|namespace| &namespace.authorization_rules)
            .map(|rule| rule.name.clone())
            .collect(),
        "event hub" => namespaces
            .flat_map(|n| n.event_hubs.iter().map(|hub| n.id.child("eventhubs", &hub.name)))
            .map(|id| id.to_string())
            .collect(),
        "consumer group" => namespaces
            .flat_map(|namespace| &namespace.event_hubs)
            .flat_map(|hub| hub.consumer_groups.clone())
            .collect(),
        "cluster" => clusters.map(|cluster| cluster.id.to_string()).collect(),
        "database" => clusters
            .flat_map(|c| c.databases.iter().map(|d| c.id.child("databases", &d.name)))
            .map(|id| id.to_string())
            .collect(),
        "storage account" => {
            let accounts = resources.storage_accounts.iter();
            accounts.map(|account| account.id.to_string()).collect()
        }
        "system topic" => {
            let topics = resources.system_topics.iter();
            topics.map(|topic| topic.id.to_string()).collect()
        }
        "event subscription" => {
            let known = resources.event_subscriptions.iter();
            known.map(|subscription| subscription.id.to_string()).collect()
        }
        "data connection" => resources
            .data_connections
            .iter()
            .map(|c| c.id.to_string())
            .collect(),
        _ => return None,
    })
}

fn listed(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "GET /admin/state shows what there is".to_owned();
    }
    let more = if names.len() > MANY { ", …" } else { "" };
    let shown: Vec<&str> = names.iter().take(MANY).map(String::as_str).collect();
    format!("one of {}{more}", shown.join(", "))
}
