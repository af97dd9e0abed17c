//! Effective permissions of the caller at a scope.

use serde_json::{Value, json};

use super::Caller;
use crate::resources::{ResourceId, Resources};

/// One entry for each role that reaches the scope; an empty list for a caller without any. Unverified: whether ARM
/// refuses such a caller instead.
pub(super) fn list(resources: &Resources, caller: &Caller, scope: &ResourceId) -> Vec<Value> {
    resources
        .roles_at(&caller.principals, scope)
        .iter()
        .map(|role| {
            json!({
                "actions": role.actions,
                "notActions": role.not_actions,
                "dataActions": role.data_actions,
                "notDataActions": role.not_data_actions,
            })
        })
        .collect()
}
