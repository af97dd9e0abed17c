//! A short list of what is in the world, for scripts that need names and ids only. `state` tells all.

use serde_json::{Value, json};

use crate::azure::Azure;

pub(super) fn of(azure: &Azure) -> Value {
    let world = azure.world();
    let (directory, resources) = (&world.directory, &world.resources);
    let tenant = |id: &str| {
        directory
            .tenant(id)
            .and_then(|t| t.domains.first().cloned())
            .unwrap_or_default()
    };
    json!({
        "entra": azure.entra_url.as_str(),
        "arm": azure.arm_url.as_str(),
        "now": world.now().to_rfc3339(),
        "tenants": directory.tenants.iter()
            .map(|t| json!({ "id": t.id, "name": t.name, "domains": t.domains })).collect::<Vec<_>>(),
        "users": directory.users.iter().map(|u| json!({
            "upn": u.upn,
            "tenants": u.memberships.iter()
                .map(|m| json!({ "tenant": tenant(&m.tenant_id), "oid": m.oid, "enabled": m.enabled }))
                .collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "apps": directory.apps.iter().map(|a| json!({
            "name": a.name,
            "clientId": a.client_id,
            "identifierUris": a.identifier_uris,
            "scopes": a.scopes,
            "appRoles": a.app_roles,
            "provisionedIn": a.provisioned.iter().map(|(id, _)| tenant(id)).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "subscriptions": resources.subscriptions.iter()
            .map(|s| json!({ "id": s.id, "name": s.name, "tenant": tenant(&s.tenant_id) })).collect::<Vec<_>>(),
        "databases": resources.clusters.iter().flat_map(|c| {
            c.databases.iter().map(|d| c.id.child("databases", &d.name).to_string())
        }).collect::<Vec<_>>(),
        "eventHubs": resources.namespaces.iter().flat_map(|n| {
            n.event_hubs.iter().map(|h| n.id.child("eventhubs", &h.name).to_string())
        }).collect::<Vec<_>>(),
        "dataConnections": world.data_connection_ids(),
    })
}
