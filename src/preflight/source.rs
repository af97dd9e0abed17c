//! The checks at a resource of the source, as `sources` describes them.

use futures_util::future::join_all;

use super::Preflight;
use super::answers::{Existence, PermissionCheck, absence, existence, permission, refused};
use super::report::{Finding, FindingKind, Status};
use crate::arm::ArmError;
use crate::domain::Error;
use crate::sources::{NeededPart, NeededResource};
use crate::upstream::ArmToken;

impl Preflight {
    /// What a token of its tenant shows of a resource of the source.
    pub(super) async fn check_resource(
        &self,
        resource: &NeededResource,
        token: &ArmToken,
    ) -> Result<Vec<Finding>, Error> {
        let role = &resource.role;
        let parts = resource
            .parts
            .iter()
            .map(|part| self.arm.resource_exists(token, &part.read));
        let (permissions, answer, parts) = tokio::join!(
            self.arm.permissions(token, &role.scope),
            self.arm.resource_exists(token, &resource.read),
            join_all(parts),
        );
        let permission = permission(permissions, role.action, token)?;
        let found = existence(&answer, token)?;
        let reference = |status, pointer| Finding {
            status,
            kind: FindingKind::Reference,
            tenant: token.tenant(),
            pointer,
        };
        if let Some(missing) = missing_scope(found, permission) {
            let fix = absence(missing, role.noun, &role.scope);
            return Ok(vec![reference(Status::Failed(fix), resource.pointer)]);
        }
        let is_there = found != Existence::Forbidden || parts.iter().any(|answer| matches!(answer, Ok(true)));
        let status = status_of_role(permission, found, &answer, token)?;
        let has_role = status.is_some();
        let mut findings = vec![match status {
            Some(status) => Finding {
                kind: FindingKind::Role,
                ..reference(status, resource.pointer)
            },
            None => Finding::lacks(role, is_there, token.tenant(), resource.pointer),
        }];
        findings.push(reference(status_of_resource(resource, found), resource.pointer));
        if found == Existence::Yes {
            for (part, answer) in resource.parts.iter().zip(&parts) {
                let status = status_of_part(resource, part, answer, has_role, token)?;
                findings.push(reference(status, part.pointer));
            }
        }
        Ok(findings)
    }
}

/// What is missing of the scope of the role. ARM checks the right to read before the existence, so a "not found" is reliable.
const fn missing_scope(found: Existence, permission: PermissionCheck) -> Option<Existence> {
    match (found, permission) {
        (Existence::NoGroup | Existence::NoParent, _) => Some(found),
        (Existence::No, PermissionCheck::NoScope) => Some(Existence::No),
        _ => None,
    }
}

/// Whether the principal has the role; `None` if they lack it.
fn status_of_role(
    permission: PermissionCheck,
    found: Existence,
    answer: &Result<bool, ArmError>,
    token: &ArmToken,
) -> Result<Option<Status>, Error> {
    Ok(match (permission, found) {
        (PermissionCheck::Lacking | PermissionCheck::NoScope, _)
        | (PermissionCheck::Untold, Existence::Forbidden) => None,
        (PermissionCheck::Held, Existence::Forbidden) => {
            refused(answer, token)?;
            Some(Status::Passed)
        }
        (PermissionCheck::Held, _) => Some(Status::Passed),
        (PermissionCheck::Untold, _) => Some(Status::Unknown),
    })
}

/// Whether a resource is there, whose role's scope is.
fn status_of_resource(resource: &NeededResource, found: Existence) -> Status {
    let (role, name) = (&resource.role, resource.read.id.name());
    match found {
        Existence::No => Status::Failed(format!(
            "the {} {} has no {} {name}",
            role.noun, role.scope, resource.noun
        )),
        Existence::Yes => Status::Passed,
        _ => Status::Unknown,
    }
}

/// Whether a part of a resource that exists is there.
fn status_of_part(
    resource: &NeededResource,
    part: &NeededPart,
    answer: &Result<bool, ArmError>,
    has_role: bool,
    token: &ArmToken,
) -> Result<Status, Error> {
    match existence(answer, token)? {
        Existence::Yes => Ok(Status::Passed),
        Existence::Forbidden => {
            if has_role {
                refused(answer, token)?;
            }
            Ok(Status::Unknown)
        }
        Existence::No | Existence::NoParent | Existence::NoGroup => Ok(Status::Failed(format!(
            "the {} {} has no {} {}",
            resource.noun,
            resource.read.id,
            part.noun,
            part.read.id.name()
        ))),
    }
}
