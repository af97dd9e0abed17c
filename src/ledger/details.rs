//! The `details` of ledger events: one function for each shape.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::domain::{ConnectionRecord, Failure, TenantId};

/// The details of a create's intent.
pub(crate) fn create_intent(
    record: &ConnectionRecord,
    body_hash: &str,
    absent_at: DateTime<Utc>,
    api_version: &str,
) -> Value {
    json!({
        "armId": record.arm_id.resource().canonical(),
        "sourceId": record.source.hub.resource().canonical(),
        "apiVersion": api_version,
        "bodySha256": body_hash,
        "absenceSeenAt": absent_at,
        "primaryTenant": record.target_tenant,
        "auxiliaryTenants": auxiliary_tenants(record),
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
fn auxiliary_tenants(record: &ConnectionRecord) -> Vec<TenantId> {
    if record.target_tenant == record.source_tenant {
        Vec::new()
    } else {
        vec![record.source_tenant]
    }
}
