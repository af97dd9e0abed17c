//! Microsoft.Authorization: the caller's permissions, role assignments, role definitions, at any scope.
//! `filter` reads `$filter`, `assignments` also gives and takes roles. Who may do what is decided in `access`;
//! definitions and assignments themselves are `resources`'s. Custom roles are made by seeds and tests only.

mod assignments;
mod definitions;
mod filter;
mod permissions;

use chrono::{DateTime, Utc};
use http::Method;

use super::auth::Caller;
use super::error::ArmError;
use super::{access, api_version, paging, site};
use crate::azure::Azure;
use crate::exchange::{Answer, Call};
use crate::resources::ResourceId;
use crate::world::World;

/// What of a scope is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Permissions,
    RoleAssignments,
    RoleDefinitions,
}

/// An address of Microsoft.Authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Nothing above all subscriptions.
    pub(super) scope: Option<ResourceId>,
    pub(super) subject: Subject,
    /// Nothing for the list.
    pub(super) name: Option<String>,
}

impl Address {
    /// Reads path segments; nothing when they are no such address.
    pub(super) fn parse(segments: &[&str]) -> Option<Address> {
        let at = segments.windows(2).rposition(|pair| {
            matches!(pair, [first, second] if first.eq_ignore_ascii_case("providers")
                && second.eq_ignore_ascii_case("Microsoft.Authorization"))
        })?;
        let (scope, rest) = segments.split_at_checked(at)?;
        let (word, name) = match rest {
            [_, _, word] => (word, None),
            [_, _, word, name] => (word, Some((*name).to_owned())),
            _ => return None,
        };
        let subject = match word.to_ascii_lowercase().as_str() {
            "permissions" if name.is_none() => Subject::Permissions,
            "roleassignments" => Subject::RoleAssignments,
            "roledefinitions" => Subject::RoleDefinitions,
            _ => return None,
        };
        let scope = match scope {
            [] => None,
            scope => Some(ResourceId::from_segments(scope)?),
        };
        Some(Address { scope, subject, name })
    }
}

/// A call that passed the door.
pub(super) struct Request<'a> {
    pub(super) azure: &'a Azure,
    pub(super) call: &'a Call,
    pub(super) version: &'a str,
    pub(super) caller: &'a Caller,
    pub(super) now: DateTime<Utc>,
}

/// Versions of the role calls (published API).
const ROLES: &[&str] = &[
    "2014-10-01-preview",
    "2015-07-01",
    "2017-10-01-preview",
    "2018-01-01-preview",
    "2018-07-01",
    "2018-09-01-preview",
    "2020-03-01-preview",
    "2020-04-01-preview",
    "2020-08-01-preview",
    "2020-10-01-preview",
    "2022-04-01",
    "2022-05-01-preview",
];

/// Answers a call.
pub(super) fn answer(
    request: &Request<'_>,
    world: &mut World,
    address: &Address,
) -> Result<Answer, ArmError> {
    let call = request.call;
    let size = world.list_page_size;
    let known = |word, versions| api_version::known_anywhere(request.version, word, versions);
    let scope = address.scope.as_ref();
    match (&call.method, address.subject, scope, address.name.as_deref()) {
        (&Method::GET, Subject::Permissions, Some(scope), _) => {
            known("permissions", api_version::AUTHORIZATION)?;
            let items = permissions::list(&world.resources, request.caller, scope);
            paging::answer(request.azure, call, size, &items)
        }
        (&Method::GET, Subject::RoleDefinitions, scope, None) => {
            known("roleDefinitions", ROLES)?;
            let items = definitions::list(request, world, scope)?;
            paging::answer(request.azure, call, size, &items)
        }
        (&Method::GET, Subject::RoleDefinitions, scope, Some(name)) => {
            known("roleDefinitions", ROLES)?;
            definitions::get(request, world, scope, name)
        }
        (&Method::GET, Subject::RoleAssignments, Some(scope), None) => {
            known("roleAssignments", ROLES)?;
            let items = assignments::list(request, world, scope)?;
            paging::answer(request.azure, call, size, &items)
        }
        (method, Subject::RoleAssignments, Some(scope), Some(name)) => {
            known("roleAssignments", ROLES)?;
            match *method {
                Method::GET => assignments::get(request, world, scope, name),
                Method::PUT => assignments::put(request, world, scope, name),
                Method::DELETE => assignments::delete(request, world, scope, name),
                _ => Err(site::no_such_method(call)),
            }
        }
        _ => Err(site::no_such_method(call)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_scope_a_subject_and_perhaps_a_name() {
        let at = |path: &str| Address::parse(&path.split('/').skip(1).collect::<Vec<_>>());
        let namespace = "/subscriptions/s/resourcegroups/g/providers/Microsoft.EventHub/namespaces/n";
        let id = |text: &str| ResourceId::parse(text).ok();
        for (path, scope, subject, name) in [
            (
                format!("{namespace}/providers/microsoft.authorization/permissions"),
                id(namespace),
                Subject::Permissions,
                None,
            ),
            (
                "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/x".to_owned(),
                id("/subscriptions/s"),
                Subject::RoleAssignments,
                Some("x".to_owned()),
            ),
            (
                "/providers/Microsoft.Authorization/roleDefinitions".to_owned(),
                None,
                Subject::RoleDefinitions,
                None,
            ),
        ] {
            let expected = Address { scope, subject, name };
            assert_eq!(at(&path), Some(expected), "{path}");
        }
        for path in [
            namespace,
            "/subscriptions/s/providers/Microsoft.Authorization/locks",
            "/x/providers/Microsoft.Authorization/roleDefinitions",
            "/subscriptions/s/providers/Microsoft.Authorization/permissions/x",
        ] {
            assert_eq!(at(path), None, "{path}");
        }
    }
}
