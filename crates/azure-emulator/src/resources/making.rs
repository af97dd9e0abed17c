//! Subscriptions, clusters, namespaces and roles that come and go while the cloud runs.

use uuid::Uuid;

use super::{ChangeError, Cluster, Namespace, ResourceId, Resources, Subscription};
use crate::directory::UnknownName;

impl Resources {
    /// Makes a subscription of the tenant (GUID) with resource groups: name and location of each.
    pub fn add_subscription(
        &mut self,
        id: Uuid,
        name: &str,
        tenant_id: &str,
        groups: &[(String, String)],
    ) -> Result<(), ChangeError> {
        let id = id.to_string();
        if self.subscription(&id).is_some() {
            return Err(ChangeError::Exists("subscription", id));
        }
        self.subscriptions.push(Subscription {
            id,
            name: name.to_owned(),
            tenant_id: tenant_id.to_owned(),
            resource_groups: groups.to_vec(),
        });
        Ok(())
    }

    /// Makes an empty cluster in an existing resource group.
    pub fn add_cluster(&mut self, id: &str, location: &str) -> Result<(), ChangeError> {
        let id = self.free_id(id, &["Microsoft.Kusto", "clusters"], "cluster")?;
        self.clusters.push(Cluster {
            id,
            location: location.to_owned(),
            databases: Vec::new(),
        });
        Ok(())
    }

    /// Removes a cluster with its databases and their data connections.
    pub fn remove_cluster(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        if self.cluster(&id).is_none() {
            return Err(UnknownName::new("cluster", id.as_str()).into());
        }
        self.clusters.retain(|cluster| cluster.id != id);
        self.data_connections
            .retain(|connection| !connection.id.is_within(&id));
        Ok(())
    }

    /// Makes a namespace without event hubs in an existing resource group.
    pub fn add_namespace(&mut self, id: &str, location: &str) -> Result<(), ChangeError> {
        let id = self.free_id(id, &["Microsoft.EventHub", "namespaces"], "namespace")?;
        self.namespaces
            .push(Namespace::new(id, location.to_owned(), Vec::new()));
        Ok(())
    }

    /// Removes a namespace with its event hubs. Data connections that name them stay, as at ARM.
    pub fn remove_namespace(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = ResourceId::parse(id)?;
        if self.namespace(&id).is_none() {
            return Err(UnknownName::new("namespace", id.as_str()).into());
        }
        self.namespaces.retain(|namespace| namespace.id != id);
        Ok(())
    }

    /// Removes a custom role, with what was given of it. Built-in roles stay.
    pub fn remove_role(&mut self, name: &str, scope: &str) -> Result<(), ChangeError> {
        let scope = ResourceId::parse(scope)?;
        let role = self.role(name, &scope).filter(|role| role.is_custom());
        let unknown = || UnknownName::new("custom role at that scope", name);
        let id = role.ok_or_else(unknown)?.id.clone();
        self.role_definitions.retain(|role| role.id != id);
        self.role_assignments.retain(|given| given.role_id != id);
        Ok(())
    }

    /// An id of the type in a resource group that is there, and that nothing else has.
    pub(super) fn free_id(
        &self,
        text: &str,
        kind: &[&str; 2],
        word: &'static str,
    ) -> Result<ResourceId, ChangeError> {
        let id = ResourceId::parse(text)?;
        let [namespace, kind] = *kind;
        if !id.is_type(namespace, &[kind]) {
            return Err(ChangeError::WrongType(id.to_string(), word));
        }
        let unknown = |kind, name: &str| Err(UnknownName::new(kind, name).into());
        let Some(subscription) = self.subscription_of(&id) else {
            return unknown("subscription", id.subscription());
        };
        let group = id.resource_group().unwrap_or_default();
        let mut groups = subscription.resource_groups.iter();
        if !groups.any(|(name, _)| name.eq_ignore_ascii_case(group)) {
            return unknown("resource group", group);
        }
        if self.regions().iter().any(|(known, _)| **known == id) {
            return Err(ChangeError::Exists(word, id.to_string()));
        }
        Ok(id)
    }
}
