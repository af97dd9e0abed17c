//! What ARM's responses to the checks say.

use super::report::PARTS;
use crate::arm::{ArmError, Permissions, from_arm};
use crate::domain::{Error, ResourceId};
use crate::upstream::ArmToken;

/// Whether a resource exists, as far as ARM discloses it to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existence {
    Yes,
    No,
    /// Not even what it would be part of.
    NoParent,
    /// Not even the resource group.
    NoGroup,
    /// The caller may not know. ARM says so of names that don't exist, too (Microsoft Learn, "Troubleshoot Azure RBAC": a scope that
    /// doesn't exist returns `AuthorizationFailed`).
    Forbidden,
}

/// Whether a principal has an action on a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PermissionCheck {
    Held,
    Lacking,
    /// ARM doesn't let the principal ask. Whether the roles of the how-to let one is not documented.
    Untold,
    /// ARM knows no such scope, or doesn't show it.
    NoScope,
}

/// What ARM's response says about the existence of a resource.
pub(super) fn existence(answer: &Result<bool, ArmError>, token: &ArmToken) -> Result<Existence, Error> {
    match answer {
        Ok(true) => Ok(Existence::Yes),
        Ok(false) => Ok(Existence::No),
        Err(error) if error.is_code("ResourceGroupNotFound") => Ok(Existence::NoGroup),
        Err(error) if error.is_code("ParentResourceNotFound") => Ok(Existence::NoParent),
        Err(error) if error.status() == Some(404) => Ok(Existence::No),
        Err(error) if error.status() == Some(403) => Ok(Existence::Forbidden),
        Err(error) => Err(from_arm(error, Some(token))),
    }
}

/// What ARM's response says about an action.
pub(super) fn permission(
    answer: Result<Permissions, ArmError>,
    action: &str,
    token: &ArmToken,
) -> Result<PermissionCheck, Error> {
    match answer {
        Ok(permissions) if permissions.allows(action) => Ok(PermissionCheck::Held),
        Ok(_) => Ok(PermissionCheck::Lacking),
        Err(error) if error.status() == Some(403) => Ok(PermissionCheck::Untold),
        Err(error) if error.status() == Some(404) => Ok(PermissionCheck::NoScope),
        Err(error) => Err(from_arm(&error, Some(token))),
    }
}

/// ARM's refusal of a read that the caller's role should allow, passed on as such.
pub(super) fn refused(answer: &Result<bool, ArmError>, token: &ArmToken) -> Result<(), Error> {
    match answer {
        Ok(_) => Ok(()),
        Err(error) => Err(from_arm(error, Some(token))),
    }
}

/// What is said of a resource that is not there.
pub(super) fn absence(found: Existence, noun: &str, id: &ResourceId) -> String {
    if found == Existence::NoGroup {
        return format!(
            "there is no resource group {} in subscription {}, where the {noun} {id} should be: check both",
            id.resource_group(),
            id.subscription()
        );
    }
    format!("there is no {noun} {id}: check {PARTS}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_named_from_the_outermost_that_is_missing() {
        let cluster: ResourceId = "/subscriptions/11111111-0000-4000-8000-000000000001/resourceGroups/rg-1/providers/Microsoft.Kusto/clusters/adx1"
            .parse()
            .expect("an id");
        let of = |found| absence(found, "cluster", &cluster);
        assert!(of(Existence::NoGroup).starts_with(
            "there is no resource group rg-1 in subscription 11111111-0000-4000-8000-000000000001"
        ));
        assert_eq!(
            of(Existence::No),
            format!("there is no cluster {cluster}: check its subscription, resource group and name")
        );
    }
}
