//! Subscriptions, resources, role assignments and operations, as the admin API shows them.

use serde::Serialize;
use serde_json::Value;

use super::{principal_name, tenant_name};
use crate::resources::{Ingestion, OperationKind, OperationStatus, Provisioning};
use crate::world::World;

/// How many operations are shown, the young ones.
const OPERATIONS: usize = 100;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Subscription {
    pub(in crate::admin) id: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) resource_groups: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Cluster {
    pub(in crate::admin) id: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) location: String,
    pub(in crate::admin) databases: Vec<Database>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Database {
    pub(in crate::admin) id: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) tables: Vec<Table>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Table {
    pub(in crate::admin) name: String,
    pub(in crate::admin) mappings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Namespace {
    pub(in crate::admin) id: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) location: String,
    pub(in crate::admin) local_auth_enabled: bool,
    pub(in crate::admin) authorization_rules: Vec<Rule>,
    pub(in crate::admin) event_hubs: Vec<EventHub>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Rule {
    pub(in crate::admin) name: String,
    pub(in crate::admin) rights: Vec<String>,
    /// How often each was made anew.
    pub(in crate::admin) primary_key_rotations: u32,
    pub(in crate::admin) secondary_key_rotations: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct EventHub {
    pub(in crate::admin) id: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) consumer_groups: Vec<String>,
    pub(in crate::admin) partitions: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Role {
    pub(in crate::admin) principal: String,
    pub(in crate::admin) oid: String,
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) role: String,
    pub(in crate::admin) scope: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Connection {
    pub(in crate::admin) id: String,
    pub(in crate::admin) kind: String,
    /// Creating, Updating, Deleting or Succeeded.
    pub(in crate::admin) provisioning: &'static str,
    pub(in crate::admin) created_by: String,
    pub(in crate::admin) created_at: String,
    pub(in crate::admin) modified_by: String,
    pub(in crate::admin) modified_at: String,
    /// The tenant of the source's subscription.
    pub(in crate::admin) source_tenant: Option<String>,
    pub(in crate::admin) properties: serde_json::Map<String, Value>,
    pub(in crate::admin) ingestion: Option<Ingestion>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Operation {
    pub(in crate::admin) id: String,
    pub(in crate::admin) kind: &'static str,
    pub(in crate::admin) connection: String,
    pub(in crate::admin) started: String,
    pub(in crate::admin) ends: String,
    pub(in crate::admin) status: &'static str,
    /// Code and message of a failure.
    pub(in crate::admin) error: Option<(String, String)>,
}

/// The tenant of the subscription that an id lies in.
fn owner(world: &World, id: &crate::resources::ResourceId) -> String {
    let subscription = world.resources.subscription_of(id);
    subscription.map_or_else(String::new, |found| tenant_name(world, &found.tenant_id))
}

pub(super) fn subscriptions(world: &World) -> Vec<Subscription> {
    let subscriptions = world.resources.subscriptions.iter();
    subscriptions
        .map(|subscription| Subscription {
            id: subscription.id.clone(),
            name: subscription.name.clone(),
            tenant: tenant_name(world, &subscription.tenant_id),
            resource_groups: subscription
                .resource_groups
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
        })
        .collect()
}

pub(super) fn clusters(world: &World) -> Vec<Cluster> {
    let table = |table: &crate::resources::Table| Table {
        name: table.name.clone(),
        mappings: table.mappings.clone(),
    };
    let clusters = world.resources.clusters.iter();
    clusters
        .map(|cluster| Cluster {
            id: cluster.id.to_string(),
            name: cluster.id.name().to_owned(),
            tenant: owner(world, &cluster.id),
            location: cluster.location.clone(),
            databases: (cluster.databases.iter())
                .map(|database| Database {
                    id: cluster.id.child("databases", &database.name).to_string(),
                    name: database.name.clone(),
                    tables: database.tables.iter().map(table).collect(),
                })
                .collect(),
        })
        .collect()
}

pub(super) fn namespaces(world: &World) -> Vec<Namespace> {
    let namespaces = world.resources.namespaces.iter();
    namespaces
        .map(|namespace| Namespace {
            id: namespace.id.to_string(),
            name: namespace.id.name().to_owned(),
            tenant: owner(world, &namespace.id),
            location: namespace.location.clone(),
            local_auth_enabled: !namespace.local_auth_disabled,
            authorization_rules: (namespace.authorization_rules.iter())
                .map(|rule| Rule {
                    name: rule.name.clone(),
                    rights: rule.rights.clone(),
                    primary_key_rotations: rule.generations.0,
                    secondary_key_rotations: rule.generations.1,
                })
                .collect(),
            event_hubs: (namespace.event_hubs.iter())
                .map(|hub| EventHub {
                    id: namespace.id.child("eventhubs", &hub.name).to_string(),
                    name: hub.name.clone(),
                    consumer_groups: hub.consumer_groups.clone(),
                    partitions: hub.partitions,
                })
                .collect(),
        })
        .collect()
}

pub(super) fn roles(world: &World) -> Vec<Role> {
    let assignments = world.resources.role_assignments.iter();
    assignments
        .map(|given| {
            let subscription = world.resources.subscription_of(&given.scope);
            let tenant_id = subscription.map_or("", |subscription| subscription.tenant_id.as_str());
            let mut known = world.resources.role_definitions.iter();
            let role = known.find(|role| role.id == given.role_id);
            Role {
                principal: principal_name(world, tenant_id, &given.principal_oid),
                oid: given.principal_oid.clone(),
                tenant: tenant_name(world, tenant_id),
                role: role.map_or_else(|| given.role_id.clone(), |role| role.name.clone()),
                scope: given.scope.to_string(),
            }
        })
        .collect()
}

pub(super) fn connections(world: &World) -> Vec<Connection> {
    let connections = world.resources.data_connections.iter();
    connections
        .map(|connection| {
            let source = [
                "eventHubResourceId",
                "storageAccountResourceId",
                "iotHubResourceId",
                "cosmosDbAccountResourceId",
            ];
            let source = source.iter().find_map(|member| connection.text(member));
            let source = source.and_then(|id| crate::resources::ResourceId::parse(id).ok());
            Connection {
                id: connection.id.to_string(),
                kind: connection.wanted.kind.clone(),
                provisioning: match connection.provisioning {
                    Provisioning::Creating => "Creating",
                    Provisioning::Updating => "Updating",
                    Provisioning::Deleting => "Deleting",
                    Provisioning::Succeeded => "Succeeded",
                },
                created_by: connection.created_by.clone(),
                created_at: connection.created_at.to_rfc3339(),
                modified_by: connection.modified_by.clone(),
                modified_at: connection.modified_at.to_rfc3339(),
                source_tenant: source.map(|id| owner(world, &id)),
                properties: connection.wanted.properties.clone(),
                ingestion: world.resources.ingestion(&connection.id),
            }
        })
        .collect()
}

pub(super) fn operations(world: &World) -> Vec<Operation> {
    let young = world.resources.operations.iter().rev().take(OPERATIONS);
    young
        .map(|operation| {
            let (status, error) = match &operation.status {
                OperationStatus::Running => ("Running", None),
                OperationStatus::Succeeded(_) => ("Succeeded", None),
                OperationStatus::Failed(why) => ("Failed", Some((why.code.clone(), why.message.clone()))),
                OperationStatus::Canceled => ("Canceled", None),
            };
            Operation {
                id: operation.id.clone(),
                kind: match operation.kind {
                    OperationKind::Create => "create",
                    OperationKind::Update => "update",
                    OperationKind::Delete => "delete",
                    OperationKind::Validate => "validate",
                },
                connection: operation.connection.to_string(),
                started: operation.started.to_rfc3339(),
                ends: operation.ends.to_rfc3339(),
                status,
                error,
            }
        })
        .collect()
}
