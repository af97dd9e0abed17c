//! Groups, policies, custom roles, and how the cloud runs, as the admin API shows them.

use serde_json::{Value, json};

use super::{app_name, list, principal_name, tenant_name};
use crate::azure::Azure;
use crate::world::World;

pub(super) fn groups(world: &World) -> Value {
    list(&world.directory.groups, |group| {
        json!({
            "id": group.id,
            "name": group.name,
            "tenant": tenant_name(world, &group.tenant_id),
            "members": list(&group.members, |oid| json!(principal_name(world, &group.tenant_id, oid))),
        })
    })
}

/// Principals are users and groups; a policy means everybody when there are none and guests are not meant.
pub(super) fn policies(world: &World) -> Value {
    let apps = |ids: &[String]| list(ids, |id| json!(app_name(world, id)));
    list(&world.directory.policies, |policy| {
        let principals = policy.users.iter().chain(&policy.groups);
        json!({
            "id": policy.id,
            "name": policy.name,
            "tenant": tenant_name(world, &policy.tenant_id),
            "principals": list(principals, |oid| json!(principal_name(world, &policy.tenant_id, oid))),
            "guests": policy.guests,
            "resources": apps(&policy.resources),
            "apps": apps(&policy.apps),
            "requires": policy.requires,
            "claims": policy.claims,
            "signInFrequencySeconds": policy.sign_in_frequency.map(|time| time.as_secs()),
        })
    })
}

pub(super) fn custom_roles(world: &World) -> Value {
    let roles = world.resources.role_definitions.iter();
    list(roles.filter(|role| role.is_custom()), |role| {
        json!({
            "id": role.id,
            "name": role.name,
            "scopes": list(&role.assignable_scopes, |scope| json!(scope.to_string())),
            "actions": role.actions,
            "notActions": role.not_actions,
        })
    })
}

/// How the cloud runs. Of the published signing keys the first signs.
pub(super) fn settings(azure: &Azure, world: &World) -> Value {
    let tenants = world.directory.tenants.iter();
    let demands = tenants.filter_map(|tenant| {
        let context = world.arm.writes_need(&tenant.id)?;
        Some(json!({ "tenant": tenant_name(world, &tenant.id), "context": context }))
    });
    let rates = list(world.limits.rates(), |(tenant_id, client_id, requests, per)| {
        json!({
            "tenant": tenant_name(world, tenant_id),
            "app": client_id.map(|id| app_name(world, id)),
            "requests": requests,
            "seconds": per.num_seconds(),
        })
    });
    json!({
        "operationMilliseconds": milliseconds(world.operation_duration),
        "readLagMilliseconds": milliseconds(world.resources.read_lag),
        "roleLagSeconds": world.resources.rights_lag.as_secs(),
        "listPageSize": world.list_page_size,
        "parallelWrites": world.parallel_writes,
        "challengeForm": world.arm.challenge_form(),
        "writesNeed": demands.collect::<Value>(),
        "throttling": world.arm.throttling(),
        "tokenRates": rates,
        "loopDetection": world.limits.detects_loops(),
        "signingKeys": azure.keys.published_kids(),
    })
}

fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
