//! Subscriptions, resources, role assignments and operations, as the admin API shows them.

use serde_json::{Value, json};

use super::{list, principal_name, tenant_name};
use crate::resources::{OperationStatus, ResourceId};
use crate::world::World;

/// How many operations are shown, the young ones.
const OPERATIONS: usize = 100;

/// The members of a data connection that name its source.
const SOURCES: [&str; 4] = [
    "eventHubResourceId",
    "storageAccountResourceId",
    "iotHubResourceId",
    "cosmosDbAccountResourceId",
];

/// The tenant of the subscription that an id lies in.
pub(super) fn owner(world: &World, id: &ResourceId) -> String {
    let subscription = world.resources.subscription_of(id);
    subscription.map_or_else(String::new, |found| tenant_name(world, &found.tenant_id))
}

pub(super) fn subscriptions(world: &World) -> Value {
    list(&world.resources.subscriptions, |subscription| {
        json!({
            "id": subscription.id,
            "name": subscription.name,
            "tenant": tenant_name(world, &subscription.tenant_id),
            "resourceGroups": list(&subscription.resource_groups, |(name, _)| json!(name)),
        })
    })
}

pub(super) fn clusters(world: &World) -> Value {
    list(&world.resources.clusters, |cluster| {
        json!({
            "id": cluster.id.to_string(),
            "name": cluster.id.name(),
            "tenant": owner(world, &cluster.id),
            "location": cluster.location,
            "databases": list(&cluster.databases, |database| json!({
                "id": cluster.id.child("databases", &database.name).to_string(),
                "name": database.name,
                "tables": list(&database.tables, |table| json!({
                    "name": table.name,
                    "mappings": table.mappings,
                })),
            })),
        })
    })
}

/// Of each key it is told how often it was made anew.
pub(super) fn namespaces(world: &World) -> Value {
    list(&world.resources.namespaces, |namespace| {
        json!({
            "id": namespace.id.to_string(),
            "name": namespace.id.name(),
            "tenant": owner(world, &namespace.id),
            "location": namespace.location,
            "localAuthEnabled": !namespace.local_auth_disabled,
            "authorizationRules": list(&namespace.authorization_rules, |rule| json!({
                "name": rule.name,
                "rights": rule.rights,
                "primaryKeyRotations": rule.generations.0,
                "secondaryKeyRotations": rule.generations.1,
            })),
            "eventHubs": list(&namespace.event_hubs, |hub| json!({
                "id": namespace.id.child("eventhubs", &hub.name).to_string(),
                "name": hub.name,
                "consumerGroups": hub.consumer_groups,
                "partitions": hub.partitions,
            })),
        })
    })
}

pub(super) fn roles(world: &World) -> Value {
    list(&world.resources.role_assignments, |given| {
        let subscription = world.resources.subscription_of(&given.scope);
        let tenant_id = subscription.map_or("", |subscription| subscription.tenant_id.as_str());
        let mut known = world.resources.role_definitions.iter();
        let role = known.find(|role| role.id == given.role_id);
        json!({
            "principal": principal_name(world, tenant_id, &given.principal_oid),
            "oid": given.principal_oid,
            "tenant": tenant_name(world, tenant_id),
            "role": role.map_or(&given.role_id, |role| &role.name),
            "scope": given.scope.to_string(),
        })
    })
}

pub(super) fn connections(world: &World) -> Value {
    list(&world.resources.data_connections, |connection| {
        let source = SOURCES.iter().find_map(|member| connection.text(member));
        let source = source.and_then(|id| ResourceId::parse(id).ok());
        json!({
            "id": connection.id.to_string(),
            "kind": connection.wanted.kind,
            "provisioning": connection.provisioning,
            "createdBy": connection.created_by,
            "createdAt": connection.created_at.to_rfc3339(),
            "modifiedBy": connection.modified_by,
            "modifiedAt": connection.modified_at.to_rfc3339(),
            "sourceTenant": source.map(|id| owner(world, &id)),
            "properties": connection.wanted.properties,
            "ingestion": world.resources.ingestion(&connection.id),
        })
    })
}

/// Of a failure its code and its message are shown.
pub(super) fn operations(world: &World) -> Value {
    let young = world.resources.operations.iter().rev().take(OPERATIONS);
    list(young, |operation| {
        let (status, error) = match &operation.status {
            OperationStatus::Running => ("Running", None),
            OperationStatus::Succeeded(_) => ("Succeeded", None),
            OperationStatus::Failed(why) => ("Failed", Some((&why.code, &why.message))),
            OperationStatus::Canceled => ("Canceled", None),
        };
        json!({
            "id": operation.id,
            "kind": operation.kind,
            "connection": operation.connection.to_string(),
            "started": operation.started.to_rfc3339(),
            "ends": operation.ends.to_rfc3339(),
            "status": status,
            "error": error,
        })
    })
}
