//! Role definitions: list and get.

use http::StatusCode;
use serde_json::{Value, json};

use super::filter::{self, Term};
use super::{ArmError, Request, access};
use crate::exchange::Answer;
use crate::resources::{ResourceId, RoleDefinition};
use crate::world::World;

/// When everything that a seed has was made; ARM shows some date.
pub(super) const CREATED: &str = "2024-05-14T08:00:00.0000000Z";
const READ: &str = "Microsoft.Authorization/roleDefinitions/read";

/// `GET {scope}/providers/Microsoft.Authorization/roleDefinitions`: what can be given at the scope. Above all
/// subscriptions the built-in roles are everybody's to see.
pub(super) fn list(
    request: &Request<'_>,
    world: &World,
    scope: Option<&ResourceId>,
) -> Result<Vec<Value>, ArmError> {
    may_read(request, world, scope)?;
    let terms = filter::terms(request.call)?;
    let fits = |role: &&RoleDefinition| terms.iter().all(|term| fits(role, term));
    let roles = visible(world, scope).filter(fits);
    Ok(roles.map(|role| body(role, scope)).collect())
}

/// `GET …/roleDefinitions/{guid}`
pub(super) fn get(
    request: &Request<'_>,
    world: &World,
    scope: Option<&ResourceId>,
    name: &str,
) -> Result<Answer, ArmError> {
    may_read(request, world, scope)?;
    let found = visible(world, scope).find(|role| role.id.eq_ignore_ascii_case(name));
    let role = found.ok_or_else(|| does_not_exist(StatusCode::NOT_FOUND, name))?;
    Ok(Answer::json(StatusCode::OK, &body(role, scope)))
}

pub(super) fn does_not_exist(status: StatusCode, id: &str) -> ArmError {
    let message = format!("The specified role definition with ID '{id}' does not exist.");
    ArmError::provider(status, "RoleDefinitionDoesNotExist", message)
}

/// The id of a definition as a scope's subscription shows it.
pub(super) fn id_at(scope: Option<&ResourceId>, id: &str) -> String {
    let subscription = scope.map_or(String::new(), |scope| {
        format!("/subscriptions/{}", scope.subscription())
    });
    format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{id}")
}

fn may_read(request: &Request<'_>, world: &World, scope: Option<&ResourceId>) -> Result<(), ArmError> {
    scope.map_or(Ok(()), |scope| {
        access::require(&world.resources, request.caller, READ, scope)
    })
}

fn visible<'a>(world: &'a World, scope: Option<&'a ResourceId>) -> impl Iterator<Item = &'a RoleDefinition> {
    let roles = world.resources.role_definitions.iter();
    roles.filter(move |role| match scope {
        Some(scope) => role.is_assignable_at(scope),
        None => !role.is_custom(),
    })
}

/// Conditions that are about assignments let every definition through.
fn fits(role: &RoleDefinition, term: &Term) -> bool {
    match term {
        Term::RoleName(name) => role.name.eq_ignore_ascii_case(name),
        Term::RoleType(kind) => kind_of(role).eq_ignore_ascii_case(kind),
        _ => true,
    }
}

fn kind_of(role: &RoleDefinition) -> &'static str {
    if role.is_custom() {
        "CustomRole"
    } else {
        "BuiltInRole"
    }
}

fn body(role: &RoleDefinition, scope: Option<&ResourceId>) -> Value {
    let mut scopes: Vec<&str> = role.assignable_scopes.iter().map(ResourceId::as_str).collect();
    if scopes.is_empty() {
        scopes.push("/");
    }
    json!({
        "properties": {
            "roleName": role.name,
            "type": kind_of(role),
            "description": role.description,
            "assignableScopes": scopes,
            "permissions": [{
                "actions": role.actions,
                "notActions": role.not_actions,
                "dataActions": role.data_actions,
                "notDataActions": role.not_data_actions,
            }],
            "createdOn": CREATED,
            "updatedOn": CREATED,
            "createdBy": null,
            "updatedBy": null,
        },
        "id": id_at(scope, &role.id),
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.id,
    })
}
