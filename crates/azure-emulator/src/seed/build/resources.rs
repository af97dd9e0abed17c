//! Subscriptions, resources and role assignments.

use super::{Builder, file};
use crate::resources::{
    Cluster, DataConnection, Database, EventHub, Namespace, ResourceId, RoleAssignment, Subscription, Table,
    Wanted, built_in_roles,
};

impl Builder {
    pub(super) fn subscriptions(&mut self, subscriptions: &[file::Subscription]) {
        self.resources.role_definitions = built_in_roles();
        for (i, subscription) in subscriptions.iter().enumerate() {
            let id = self.guid(&format!("subscriptions[{i}].id"), &subscription.id);
            let tenant_id = self.tenant_id(&format!("subscriptions[{i}].tenant"), &subscription.tenant);
            let groups = subscription.resource_groups.iter();
            let resource_groups = groups.map(|g| (g.name.clone(), g.location.clone())).collect();
            let name = subscription.name.clone();
            self.resources.subscriptions.push(Subscription {
                id,
                name,
                tenant_id,
                resource_groups,
            });
        }
    }

    /// A resource id of the given type in a subscription and group of this seed.
    pub(super) fn resource_id(
        &mut self,
        path: &str,
        text: &str,
        namespace: &str,
        types: &[&str],
    ) -> Option<ResourceId> {
        let id = self.note(path, ResourceId::parse(text))?;
        if !id.is_type(namespace, types) {
            self.problem(
                path,
                format!("expected an id of type {namespace}/{}", types.join("/")),
            );
            return None;
        }
        let group = id.resource_group().unwrap_or_default();
        let known = self.resources.subscription_of(&id).map(|subscription| {
            subscription
                .resource_groups
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(group))
        });
        match known {
            None => self.problem(
                path,
                format!("there is no subscription \"{}\"", id.subscription()),
            ),
            Some(false) => self.problem(
                path,
                format!("the subscription has no resource group \"{group}\""),
            ),
            Some(true) if !self.ids.insert(id.key().to_owned()) => {
                self.problem(path, "this id is used twice");
            }
            Some(true) => {}
        }
        Some(id)
    }

    pub(super) fn clusters(&mut self, clusters: &[file::Cluster]) {
        for (i, cluster) in clusters.iter().enumerate() {
            let path = format!("clusters[{i}].id");
            let Some(id) = self.resource_id(&path, &cluster.id, "Microsoft.Kusto", &["clusters"]) else {
                continue;
            };
            let table = |t: &file::Table| Table {
                name: t.name.clone(),
                mappings: t.mappings.clone(),
            };
            let database = |d: &file::Database| Database {
                name: d.name.clone(),
                tables: d.tables.iter().map(table).collect(),
            };
            let databases = cluster.databases.iter().map(database).collect();
            self.resources.clusters.push(Cluster {
                id,
                location: cluster.location.clone(),
                databases,
            });
        }
    }

    pub(super) fn namespaces(&mut self, namespaces: &[file::Namespace]) {
        for (i, namespace) in namespaces.iter().enumerate() {
            let path = format!("namespaces[{i}].id");
            let Some(id) = self.resource_id(&path, &namespace.id, "Microsoft.EventHub", &["namespaces"])
            else {
                continue;
            };
            let hub = |h: &file::EventHub| EventHub {
                name: h.name.clone(),
                consumer_groups: h.consumer_groups.clone(),
                partitions: h.partitions,
            };
            let event_hubs = namespace.event_hubs.iter().map(hub).collect();
            let mut built = Namespace::new(id, namespace.location.clone(), event_hubs);
            built.local_auth_disabled = namespace.disable_local_auth;
            self.resources.namespaces.push(built);
        }
    }

    pub(super) fn role_assignments(&mut self, assignments: &[file::RoleAssignment]) {
        for (i, given) in assignments.iter().enumerate() {
            let path = format!("role_assignments[{i}]");
            let Some(scope) = self.note(format!("{path}.scope"), ResourceId::parse(&given.scope)) else {
                continue;
            };
            let Some(subscription) = self.resources.subscription_of(&scope) else {
                let message = format!("there is no subscription \"{}\"", scope.subscription());
                self.problem(format!("{path}.scope"), message);
                continue;
            };
            let oid = self.directory.oid(&given.principal, &subscription.tenant_id);
            let role_id = self
                .resources
                .role(&given.role, &scope)
                .map(|role| role.id.clone());
            let role_id = self.note(
                format!("{path}.role"),
                role_id.ok_or("there is no such role at that scope"),
            );
            let principal_oid = self.note(format!("{path}.principal"), oid);
            let (Some(role_id), Some(principal_oid)) = (role_id, principal_oid) else {
                continue;
            };
            let assignment = RoleAssignment::new(principal_oid, role_id, scope);
            self.resources.role_assignments.push(assignment);
        }
    }

    pub(super) fn data_connections(&mut self, connections: &[file::DataConnection]) {
        let types = ["clusters", "databases", "dataConnections"];
        for (i, connection) in connections.iter().enumerate() {
            let path = format!("data_connections[{i}].id");
            let Some(id) = self.resource_id(&path, &connection.id, "Microsoft.Kusto", &types) else {
                continue;
            };
            if id
                .parent()
                .and_then(|database| self.resources.database(&database))
                .is_none()
            {
                self.problem(&path, "its database is not in this seed");
            }
            let location = self.resources.location_of(&id).to_owned();
            let (kind, properties) = (connection.kind.clone(), connection.properties.clone());
            let wanted = Wanted {
                kind,
                location,
                properties,
            };
            let (by, at) = (&connection.created_by, connection.created_at);
            let keys = self.resources.keys_for(&wanted);
            self.resources
                .data_connections
                .push(DataConnection::at_rest(id, wanted, by, at, keys));
        }
    }
}
