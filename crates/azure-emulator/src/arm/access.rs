//! May this caller do that there?

use http::StatusCode;

use super::auth::Caller;
use super::error::ArmError;
use crate::resources::{ResourceId, Resources};

/// Whether one of the roles that the caller holds, itself or through a group, at the scope or above it, allows the
/// action. The primary caller and those of auxiliary tokens are asked about in the same way.
pub(super) fn allows(resources: &Resources, caller: &Caller, action: &str, scope: &ResourceId) -> bool {
    resources.allows(&caller.principals, action, scope)
}

/// Refuses with `AuthorizationFailed` unless the caller may. Who may is told of a resource group that isn't there; all others get
/// the same words whether it is or not.
pub(super) fn require(
    resources: &Resources,
    caller: &Caller,
    action: &str,
    scope: &ResourceId,
) -> Result<(), ArmError> {
    if allows(resources, caller, action, scope) {
        return match scope.resource_group() {
            Some(group) if !resources.has_group(scope) => Err(ArmError::group_not_found(group)),
            _ => Ok(()),
        };
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
