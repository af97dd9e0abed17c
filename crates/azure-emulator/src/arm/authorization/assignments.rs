//! Role assignments: list, get, give, take. Codes and texts of refusals are those that people report in issues.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::definitions::{self, CREATED};
use super::filter::{self, Term};
use super::{ArmError, Request, access};
use crate::exchange::{Answer, set};
use crate::resources::{ResourceId, RoleAssignment, rfc3339_ticks};
use crate::world::World;

const TYPE: &str = "Microsoft.Authorization/roleAssignments";

/// `GET {scope}/providers/Microsoft.Authorization/roleAssignments`: at the scope, above and below.
pub(super) fn list(request: &Request<'_>, world: &World, scope: &ResourceId) -> Result<Vec<Value>, ArmError> {
    access::require(&world.resources, request.caller, &format!("{TYPE}/read"), scope)?;
    let terms = filter::terms(request.call)?;
    let tenant_id = &request.caller.tenant_id;
    let groups: Vec<Vec<String>> = terms
        .iter()
        .map(|term| match term {
            Term::AssignedTo(id) => world.directory.principals_of(tenant_id, id),
            _ => Vec::new(),
        })
        .collect();
    let fits = |assignment: &RoleAssignment| {
        terms.iter().zip(&groups).all(|(term, groups)| match term {
            Term::AtScope => scope.is_within(&assignment.scope),
            Term::Principal(id) => assignment.principal_oid == *id,
            Term::AssignedTo(_) => groups.contains(&assignment.principal_oid),
            Term::AtScopeAndBelow | Term::RoleName(_) | Term::RoleType(_) => true,
        })
    };
    let near = |a: &&RoleAssignment| scope.is_within(&a.scope) || a.scope.is_within(scope);
    let found = world.resources.role_assignments.iter().filter(near);
    Ok(found
        .filter(|a| fits(a))
        .map(|a| body(request, world, a))
        .collect())
}

/// `GET …/roleAssignments/{guid}`
pub(super) fn get(
    request: &Request<'_>,
    world: &World,
    scope: &ResourceId,
    name: &str,
) -> Result<Answer, ArmError> {
    access::require(&world.resources, request.caller, &format!("{TYPE}/read"), scope)?;
    let found = find(world, scope, name).ok_or_else(|| {
        let message = format!("The role assignment '{name}' is not found.");
        ArmError::provider(StatusCode::NOT_FOUND, "RoleAssignmentNotFound", message)
    })?;
    Ok(Answer::json(StatusCode::OK, &body(request, world, found)))
}

/// `DELETE …/roleAssignments/{guid}`: 200 with what was taken, or 204.
pub(super) fn delete(
    request: &Request<'_>,
    world: &mut World,
    scope: &ResourceId,
    name: &str,
) -> Result<Answer, ArmError> {
    let at = address(scope, name);
    access::require(
        &world.resources,
        request.caller,
        &format!("{TYPE}/delete"),
        at.as_ref().unwrap_or(scope),
    )?;
    let Some(found) = find(world, scope, name).cloned() else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    world.resources.unassign(request.now, |a| a.id == found.id);
    Ok(Answer::json(StatusCode::OK, &body(request, world, &found)))
}

/// `PUT …/roleAssignments/{guid}`: 201, or 200 for what is there already.
pub(super) fn put(
    request: &Request<'_>,
    world: &mut World,
    scope: &ResourceId,
    name: &str,
) -> Result<Answer, ArmError> {
    let at = address(scope, name);
    access::require(
        &world.resources,
        request.caller,
        &format!("{TYPE}/write"),
        at.as_ref().unwrap_or(scope),
    )?;
    let wanted = wanted(request, world, scope, name)?;
    let same = |a: &RoleAssignment| {
        a.principal_oid == wanted.principal_oid && a.role_id == wanted.role_id && a.scope == wanted.scope
    };
    let known = &mut world.resources.role_assignments;
    if let Some(found) = known.iter_mut().find(|a| a.id == wanted.id) {
        if !same(found) {
            let message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
            return Err(ArmError::bad_request("RoleAssignmentUpdateNotPermitted", message));
        }
        found.description.clone_from(&wanted.description);
        return Ok(Answer::json(StatusCode::OK, &body(request, world, &wanted)));
    }
    if let Some(other) = known.iter().find(|a| same(a)) {
        let message = format!(
            "The role assignment already exists. The ID of the conflicting role assignment is {}.",
            other.id.replace('-', "")
        );
        return Err(ArmError::provider(
            StatusCode::CONFLICT,
            "RoleAssignmentExists",
            message,
        ));
    }
    let answer = Answer::json(StatusCode::CREATED, &body(request, world, &wanted));
    world.resources.assign(wanted, request.now);
    Ok(answer)
}

/// The assignment that a PUT describes.
fn wanted(
    request: &Request<'_>,
    world: &World,
    scope: &ResourceId,
    name: &str,
) -> Result<RoleAssignment, ArmError> {
    let id = Uuid::parse_str(name).map_err(|_| {
        let message =
            format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.");
        ArmError::bad_request("InvalidRoleAssignmentId", message)
    })?;
    let sent = request.call.json().unwrap_or_default();
    let properties = sent.get("properties").unwrap_or(&Value::Null);
    let text = |member: &str| properties.get(member).and_then(Value::as_str);
    let (Some(role), Some(principal)) = (text("roleDefinitionId"), text("principalId")) else {
        // Known for bodies that are no JSON; taken for members that are missing too.
        return Err(ArmError::bad_request(
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized.",
        ));
    };
    let role_id = role.rsplit('/').next().unwrap_or(role);
    let found = world.resources.role(role_id, scope);
    let role_id = found
        .filter(|role| role.id.eq_ignore_ascii_case(role_id))
        .ok_or_else(|| definitions::does_not_exist(StatusCode::BAD_REQUEST, role_id))?
        .id
        .clone();
    let principal_oid = principal.to_ascii_lowercase();
    let principal_type = text("principalType");
    check_principal(request, world, &principal_oid, principal_type)?;
    Ok(RoleAssignment {
        id: id.to_string(),
        principal_type: principal_type.map(str::to_owned),
        description: text("description").map(str::to_owned),
        created: Some((request.now, request.caller.oid.clone())),
        ..RoleAssignment::new(principal_oid, role_id, scope.clone())
    })
}

/// The principal must be in the tenant. Who tells its type may name one that ARM doesn't see yet.
fn check_principal(
    request: &Request<'_>,
    world: &World,
    oid: &str,
    claimed: Option<&str>,
) -> Result<(), ArmError> {
    let tenant_id = &request.caller.tenant_id;
    match (world.directory.principal_type(tenant_id, oid), claimed) {
        (Some(known), Some(claimed)) if !known.eq_ignore_ascii_case(claimed) => {
            // The misspelling is ARM's.
            let message = format!(
                "The PrincipalId '{}' has type '{known}' , which is different from specified PrinciaplType '{claimed}'.",
                oid.replace('-', "")
            );
            Err(ArmError::bad_request("UnmatchedPrincipalType", message))
        }
        (None, None) => {
            let message = format!(
                "Principal {} does not exist in the directory {tenant_id}. Check that you have the correct principal \
                 ID. If you are creating this principal and then immediately assigning a role, this error might be \
                 related to a replication delay. In this case, set the role assignment principalType property to a \
                 value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
                oid.replace('-', "")
            );
            Err(ArmError::bad_request("PrincipalNotFound", message))
        }
        _ => Ok(()),
    }
}

fn find<'a>(world: &'a World, scope: &ResourceId, name: &str) -> Option<&'a RoleAssignment> {
    let mut known = world.resources.role_assignments.iter();
    known.find(|a| a.id.eq_ignore_ascii_case(name) && a.scope == *scope)
}

/// The id of an assignment.
fn address(scope: &ResourceId, name: &str) -> Option<ResourceId> {
    ResourceId::parse(&format!("{scope}/providers/{TYPE}/{name}")).ok()
}

fn body(request: &Request<'_>, world: &World, assignment: &RoleAssignment) -> Value {
    let (scope, version) = (&assignment.scope, request.version);
    let (created, creator) = match &assignment.created {
        Some((at, by)) => (rfc3339_ticks(*at), json!(by)),
        None => (CREATED.to_owned(), Value::Null),
    };
    let mut properties = json!({
        "roleDefinitionId": definitions::id_at(Some(scope), &assignment.role_id),
        "principalId": assignment.principal_oid,
        "scope": scope.as_str(),
        "createdOn": created,
        "updatedOn": created,
        "createdBy": creator,
        "updatedBy": creator,
    });
    // The published API tells when these came.
    if version >= "2018-09-01" {
        let tenant_id = &request.caller.tenant_id;
        let known = world
            .directory
            .principal_type(tenant_id, &assignment.principal_oid);
        let kind = known
            .or(assignment.principal_type.as_deref())
            .unwrap_or("Unknown");
        set(&mut properties, "principalType", json!(kind));
    }
    if version >= "2020-03-01" {
        for member in ["condition", "conditionVersion"] {
            set(&mut properties, member, Value::Null);
        }
        set(&mut properties, "description", json!(assignment.description));
    }
    if version >= "2020-04-01" {
        set(&mut properties, "delegatedManagedIdentityResourceId", Value::Null);
    }
    json!({
        "properties": properties,
        "id": format!("{scope}/providers/{TYPE}/{}", assignment.id),
        "type": TYPE,
        "name": assignment.id,
    })
}
