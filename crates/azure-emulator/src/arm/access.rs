//! May this caller do that there?

use http::StatusCode;

use super::auth::Caller;
use super::error::ArmError;
use crate::resources::{ResourceId, Resources};

/// Refuses with `AuthorizationFailed` unless one of the caller's roles at the scope, or above it, allows the action.
pub(super) fn require(
    resources: &Resources,
    caller: &Caller,
    action: &str,
    scope: &ResourceId,
) -> Result<(), ArmError> {
    if resources.allows(&caller.oid, action, scope) {
        return Ok(());
    }
    let message = format!(
        "The client '{}' with object id '{}' does not have authorization to perform action '{action}' over scope \
         '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
        caller.name, caller.oid,
    );
    Err(ArmError::gateway(
        StatusCode::FORBIDDEN,
        "AuthorizationFailed",
        message,
    ))
}
