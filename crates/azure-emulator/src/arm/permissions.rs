//! Effective permissions of the caller at a scope.

use http::StatusCode;
use serde_json::{Value, json};

use super::auth::Caller;
use crate::exchange::Answer;
use crate::resources::{ResourceId, Resources};

/// One entry for each role that reaches the scope; an empty list for a caller without any. Unverified: whether ARM
/// refuses such a caller instead.
pub(super) fn list(resources: &Resources, caller: &Caller, scope: &ResourceId) -> Answer {
    let entries: Vec<Value> = resources
        .roles_at(&caller.oid, scope)
        .iter()
        .map(|role| {
            json!({
                "actions": role.actions,
                "notActions": role.not_actions,
                "dataActions": role.data_actions,
                "notDataActions": role.not_data_actions,
            })
        })
        .collect();
    Answer::json(StatusCode::OK, &json!({ "value": entries }))
}
