//! Groups, policies, custom roles, and how the cloud runs, as the admin API shows them.

use serde::Serialize;

use super::{app_name, principal_name, tenant_name};
use crate::arm::{BucketSize, ChallengeForm, ThrottledBody};
use crate::azure::Azure;
use crate::directory::Requirement;
use crate::emulator::ParallelWrites;
use crate::world::World;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Group {
    pub(in crate::admin) id: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) members: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Policy {
    pub(in crate::admin) id: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) tenant: String,
    /// Users and groups; everybody when there are none and guests are not meant.
    pub(in crate::admin) principals: Vec<String>,
    pub(in crate::admin) guests: bool,
    pub(in crate::admin) resources: Vec<String>,
    pub(in crate::admin) apps: Vec<String>,
    pub(in crate::admin) requires: Option<&'static str>,
    pub(in crate::admin) claims: bool,
    pub(in crate::admin) sign_in_frequency_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct CustomRole {
    pub(in crate::admin) id: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) scopes: Vec<String>,
    pub(in crate::admin) actions: Vec<String>,
    pub(in crate::admin) not_actions: Vec<String>,
}

/// How the cloud runs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Settings {
    pub(in crate::admin) operation_milliseconds: u128,
    pub(in crate::admin) read_lag_milliseconds: u128,
    pub(in crate::admin) role_lag_seconds: u64,
    pub(in crate::admin) list_page_size: Option<usize>,
    pub(in crate::admin) parallel_writes: &'static str,
    pub(in crate::admin) challenge_form: &'static str,
    pub(in crate::admin) writes_need: Vec<WritesNeed>,
    pub(in crate::admin) throttling: Throttling,
    pub(in crate::admin) token_rates: Vec<TokenRate>,
    pub(in crate::admin) loop_detection: bool,
    /// `kid`s of the keys that are published for tenants; the first signs.
    pub(in crate::admin) signing_keys: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct WritesNeed {
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) context: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct TokenRate {
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) app: Option<String>,
    pub(in crate::admin) requests: u32,
    pub(in crate::admin) seconds: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Throttling {
    pub(in crate::admin) enforced: bool,
    pub(in crate::admin) reads: Bucket,
    pub(in crate::admin) writes: Bucket,
    pub(in crate::admin) deletes: Bucket,
    pub(in crate::admin) global_factor: u32,
    pub(in crate::admin) body: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Bucket {
    pub(in crate::admin) calls: u32,
    pub(in crate::admin) refill_per_second: u32,
}

impl From<BucketSize> for Bucket {
    fn from(size: BucketSize) -> Bucket {
        Bucket {
            calls: size.calls,
            refill_per_second: size.refill_per_second,
        }
    }
}

pub(super) fn groups(world: &World) -> Vec<Group> {
    let groups = world.directory.groups.iter();
    groups
        .map(|group| Group {
            id: group.id.clone(),
            name: group.name.clone(),
            tenant: tenant_name(world, &group.tenant_id),
            members: (group.members.iter())
                .map(|oid| principal_name(world, &group.tenant_id, oid))
                .collect(),
        })
        .collect()
}

pub(super) fn policies(world: &World) -> Vec<Policy> {
    let apps = |ids: &[String]| ids.iter().map(|id| app_name(world, id)).collect();
    let policies = world.directory.policies.iter();
    policies
        .map(|policy| Policy {
            id: policy.id.clone(),
            name: policy.name.clone(),
            tenant: tenant_name(world, &policy.tenant_id),
            principals: (policy.users.iter().chain(&policy.groups))
                .map(|oid| principal_name(world, &policy.tenant_id, oid))
                .collect(),
            guests: policy.guests,
            resources: apps(&policy.resources),
            apps: apps(&policy.apps),
            requires: policy.requires.map(|requirement| match requirement {
                Requirement::Mfa => "mfa",
                Requirement::CompliantDevice => "compliantDevice",
                Requirement::External => "external",
                Requirement::Block => "block",
            }),
            claims: policy.claims,
            sign_in_frequency_seconds: policy.sign_in_frequency.map(|time| time.as_secs()),
        })
        .collect()
}

pub(super) fn custom_roles(world: &World) -> Vec<CustomRole> {
    let roles = world.resources.role_definitions.iter();
    roles
        .filter(|role| role.is_custom())
        .map(|role| CustomRole {
            id: role.id.clone(),
            name: role.name.clone(),
            scopes: role.assignable_scopes.iter().map(ToString::to_string).collect(),
            actions: role.actions.clone(),
            not_actions: role.not_actions.clone(),
        })
        .collect()
}

pub(super) fn settings(azure: &Azure, world: &World) -> Settings {
    let tenants = world.directory.tenants.iter();
    let writes_need = tenants.filter_map(|tenant| {
        let context = world.arm.writes_need(&tenant.id)?.to_owned();
        let tenant = tenant_name(world, &tenant.id);
        Some(WritesNeed { tenant, context })
    });
    let rates = world.limits.rates();
    let rates = rates.map(|(tenant_id, client_id, requests, per)| TokenRate {
        tenant: tenant_name(world, tenant_id),
        app: client_id.map(|id| app_name(world, id)),
        requests,
        seconds: per.num_seconds(),
    });
    Settings {
        operation_milliseconds: world.operation_duration.as_millis(),
        read_lag_milliseconds: world.resources.read_lag.as_millis(),
        role_lag_seconds: world.resources.rights_lag.as_secs(),
        list_page_size: world.list_page_size,
        parallel_writes: match world.parallel_writes {
            ParallelWrites::Allowed => "allowed",
            ParallelWrites::Refused => "refused",
            ParallelWrites::Failed => "failed",
        },
        challenge_form: match world.arm.challenge_form() {
            ChallengeForm::Standard => "standard",
            ChallengeForm::Older => "older",
        },
        writes_need: writes_need.collect(),
        throttling: throttling(world),
        token_rates: rates.collect(),
        loop_detection: world.limits.detects_loops(),
        signing_keys: azure.keys.published_kids(),
    }
}

fn throttling(world: &World) -> Throttling {
    let limits = world.arm.throttling();
    Throttling {
        enforced: limits.enforced,
        reads: limits.reads.into(),
        writes: limits.writes.into(),
        deletes: limits.deletes.into(),
        global_factor: limits.global_factor,
        body: limits.body.map(|body| match body {
            ThrottledBody::Subscription => "subscription",
            ThrottledBody::BackendStorage => "backendStorage",
            ThrottledBody::Resource => "resource",
            ThrottledBody::Plain => "plain",
        }),
    }
}
