//! The `details` of ledger events: one function for each shape.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::domain::{
    ConnectionId, ConnectionRecord, DataConnectionId, Failure, NewRecord, ResourceId, TenantId,
};

/// What the ledger says of a connection, recorded or about to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LedgerConnection<'a> {
    pub(crate) id: ConnectionId,
    pub(crate) arm_id: &'a DataConnectionId,
    pub(crate) source: &'a ResourceId,
    pub(crate) target_tenant: TenantId,
    pub(crate) source_tenant: TenantId,
}

impl<'a> From<&'a ConnectionRecord> for LedgerConnection<'a> {
    fn from(record: &'a ConnectionRecord) -> Self {
        Self {
            id: record.id,
            arm_id: &record.arm_id,
            source: record.source.resource(),
            target_tenant: record.target_tenant,
            source_tenant: record.source_tenant,
        }
    }
}

impl<'a> From<&'a NewRecord> for LedgerConnection<'a> {
    fn from(record: &'a NewRecord) -> Self {
        Self {
            id: record.id,
            arm_id: &record.arm_id,
            source: record.source.resource(),
            target_tenant: record.target_tenant,
            source_tenant: record.source_tenant,
        }
    }
}

/// The details of a create's intent.
pub(crate) fn create_intent<'a>(
    connection: impl Into<LedgerConnection<'a>>,
    body_hash: &str,
    absent_at: DateTime<Utc>,
    api_version: &str,
) -> Value {
    let connection = connection.into();
    json!({
        "armId": connection.arm_id.resource().canonical(),
        "sourceId": connection.source.canonical(),
        "apiVersion": api_version,
        "bodySha256": body_hash,
        "absenceSeenAt": absent_at,
        "primaryTenant": connection.target_tenant,
        "auxiliaryTenants": auxiliary_tenants(connection),
    })
}

pub(crate) fn removal_intent(record: &ConnectionRecord, api_version: &str) -> Value {
    json!({
        "armId": record.arm_id.resource().canonical(),
        "apiVersion": api_version,
        "primaryTenant": record.target_tenant,
        "stateBefore": record.state(),
    })
}

/// A failure as an event's details hold it: ARM's code, never its sentence, which may name people.
pub(crate) fn failure(failure: &Failure) -> Value {
    json!({ "code": failure.code, "comparison": failure.comparison, "upstream": failure.upstream })
}

/// The source's tenant, where it is another: ARM wants no auxiliary token of the primary one.
fn auxiliary_tenants(connection: LedgerConnection<'_>) -> Vec<TenantId> {
    if connection.target_tenant == connection.source_tenant {
        Vec::new()
    } else {
        vec![connection.source_tenant]
    }
}
