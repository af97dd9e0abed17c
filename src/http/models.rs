//! The bodies of responses. Members that don't apply are absent, never null, so that generated clients stay simple.

mod operation;
mod resources;
mod source;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) use operation::{Operation, OperationStatus, standing};
pub(super) use source::CreateSource;

use resources::{PersonView, TouchedResource};
use source::ConnectionSource;

use crate::authz::TenantNames;
use crate::domain::{ConnectionRecord, State};

/// A connection as this service recorded it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection {
    /// This service's id of it.
    id: Uuid,
    /// The data connection's name.
    name: String,
    /// How it stands.
    state: State,
    /// The data connection's resource id at Azure.
    resource_id: String,
    /// Where the events go.
    target: ConnectionTarget,
    /// Where the events come from.
    source: ConnectionSource,
    /// Every resource that it touches, with the tenant of its subscription.
    resources: Vec<TouchedResource>,
    /// Who requested it.
    created_by: PersonView,
    /// When it was requested.
    created_at: DateTime<Utc>,
    /// When a read last confirmed `state` at Azure.
    observed_at: DateTime<Utc>,
    /// Why it is wanted: shown to the people who requested the connection or a change of it, and to callers who see it from the
    /// target's side: an account of the target's tenant that took part in it or has `Connections.Read.All` there, and callers who
    /// may read the data connection at Azure. Not shown to others of the source's tenant, to callers who see it by the event hub,
    /// and to operators; the ledger contains only a salted hash of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    justification: Option<String>,
    /// What Azure holds under the name although the record differs. The ETag names it: a removal with that in `If-Match` removes exactly
    /// this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    found: Option<FoundResource>,
    /// The newest operation: the running one, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_operation: Option<Operation>,
}

/// What a read found at Azure that differs from the record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FoundResource {
    /// The data connection as Azure showed it, without the names of people; absent for those who see the connection from the
    /// source's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Object)]
    resource: Option<serde_json::Value>,
    /// Where it differs from what is recorded: JSON pointers (RFC 6901) into `resource`.
    differences: Vec<String>,
    /// When it was seen.
    seen_at: DateTime<Utc>,
}

/// Where the events go.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConnectionTarget {
    /// The tenant of the cluster's subscription, according to Azure.
    tenant_id: Uuid,
    /// That tenant's name, if this service's configuration has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant_name: Option<String>,
    /// The database's resource id.
    database: String,
    /// The database's name.
    database_name: String,
    /// The cluster's name.
    cluster_name: String,
    /// The cluster's region.
    location: String,
    /// The table; absent if each event names its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    table: Option<String>,
    /// The ingestion mapping of that table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    mapping: Option<String>,
    /// The format of the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    data_format: Option<String>,
}

impl Connection {
    /// A connection as the record has it, for whom the record was read.
    pub(super) fn of(record: &ConnectionRecord, names: &TenantNames) -> Self {
        let text = |name: &crate::domain::EntityName| name.as_str().to_owned();
        let settings = &record.target.settings;
        let database = record.target.database.resource();
        Self {
            id: record.id.uuid(),
            name: record.name.to_string(),
            state: record.state(),
            resource_id: record.arm_id.to_string(),
            target: ConnectionTarget {
                tenant_id: record.target_tenant.uuid(),
                tenant_name: names.of(record.target_tenant),
                database: database.as_written().to_owned(),
                database_name: database.name().to_owned(),
                cluster_name: database.parent_as_written().1.to_owned(),
                location: record.location.clone(),
                table: settings.table.as_ref().map(text),
                mapping: settings.mapping.as_ref().map(text),
                data_format: settings.data_format.map(|format| format.as_str().to_owned()),
            },
            source: ConnectionSource::of(record, names),
            resources: TouchedResource::of(record),
            created_by: PersonView::creator(record, names),
            created_at: record.created_at,
            observed_at: record.observed_at,
            justification: record.justification.clone(),
            found: record.found.as_ref().map(|found| FoundResource {
                resource: found.resource.clone(),
                differences: found.differences.clone(),
                seen_at: found.seen_at,
            }),
            last_operation: record
                .last_operation
                .as_ref()
                .map(|operation| Operation::of(operation, names)),
        }
    }
}
