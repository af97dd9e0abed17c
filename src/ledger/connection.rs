//! What the ledger says of a connection.

use crate::domain::{ConnectionId, ConnectionRecord, DataConnectionId, NewRecord, ResourceId, TenantId};

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
