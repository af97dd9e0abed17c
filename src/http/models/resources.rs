//! What a connection touches, as responses show it: tenants, resources, people.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::authz::TenantNames;
use crate::domain::words::words;
use crate::domain::{ConnectionRecord, Source, TenantId};

/// A tenant that owns a part of a connection.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SourceTenant)]
pub(super) struct InvolvedTenant {
    /// Its id.
    tenant_id: Uuid,
    /// Its name, if this service's configuration has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant_name: Option<String>,
}

impl InvolvedTenant {
    pub(super) fn of(tenant: TenantId, names: &TenantNames) -> Self {
        Self {
            tenant_id: tenant.uuid(),
            tenant_name: names.of(tenant),
        }
    }
}

/// A resource that a connection touches.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConnectionResource)]
pub(super) struct TouchedResource {
    /// What it is to the connection.
    role: ResourceRole,
    /// Its resource id.
    resource_id: String,
    /// Its own name, the last part of the id.
    name: String,
    /// The tenant of its subscription.
    tenant_id: Uuid,
}

words! {
    /// What a resource is to a connection.
    enum ResourceRole {
        /// The cluster of the database that receives the events.
        Cluster => "cluster",
        /// The database that receives the events.
        Database => "database",
        /// The event hub that the events come from.
        EventHub => "eventHub",
    }
}

impl TouchedResource {
    /// The resources of a connection, the target's first.
    pub(super) fn of(record: &ConnectionRecord) -> Vec<Self> {
        let touched = |role, id: &str, name: &str, tenant: TenantId| Self {
            role,
            resource_id: id.to_owned(),
            name: name.to_owned(),
            tenant_id: tenant.uuid(),
        };
        let (target, source) = (record.target_tenant, record.source_tenant);
        let database = record.target.database.resource();
        let (cluster, cluster_name) = database.parent_as_written();
        let mut resources = vec![
            touched(ResourceRole::Cluster, cluster, cluster_name, target),
            touched(
                ResourceRole::Database,
                database.as_written(),
                database.name(),
                target,
            ),
        ];
        match &record.source {
            Source::EventHub(hub) => {
                let hub = hub.hub.resource();
                resources.push(touched(
                    ResourceRole::EventHub,
                    hub.as_written(),
                    hub.name(),
                    source,
                ));
            }
        }
        resources
    }
}

/// A person, by pseudonym; who that is only for callers who may know.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Person)]
pub(super) struct PersonView {
    /// The pseudonym, which the ledger uses.
    id: Uuid,
    /// The tenant of the account. This member and the next three are shown to the people whom the connection's record names (who
    /// requested it, a change of it, or took part with an auxiliary token), and to callers of that same tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant_id: Option<Uuid>,
    /// That tenant's name, if this service's configuration has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant_name: Option<String>,
    /// The account's object id in that tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    object_id: Option<Uuid>,
    /// The account's name as its last change here was signed in with: for people to read, never an identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_name: Option<String>,
}

impl PersonView {
    /// The requester of a connection.
    pub(super) fn creator(record: &ConnectionRecord, names: &TenantNames) -> Self {
        let known = record.creator.as_ref();
        let tenant = known.map(|known| known.person.tenant);
        Self {
            id: record.created_by.uuid(),
            tenant_id: tenant.map(TenantId::uuid),
            tenant_name: tenant.and_then(|tenant| names.of(tenant)),
            object_id: known.map(|known| known.person.object.uuid()),
            user_name: known.and_then(|known| known.user_name.clone()),
        }
    }
}
