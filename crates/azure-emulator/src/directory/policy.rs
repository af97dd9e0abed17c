//! Conditional Access policies: whom they mean, for what, and what they ask.
//! What an attempt that does not meet one is told, is decided in `entra`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{App, Directory, Membership, UnknownName, User};

/// What a policy asks for (Microsoft Learn: "Conditional Access: Grant").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Requirement {
    /// A second factor.
    Mfa,
    /// A device that the organization manages and found in order.
    CompliantDevice,
    /// A provider outside of Entra has to be satisfied (a custom control).
    External,
    /// Nothing helps.
    Block,
}

/// One tenant's rule on sign-ins and tokens.
#[derive(Clone, Debug)]
pub struct Policy {
    /// GUID; claims challenges name it.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// The tenant's GUID.
    pub tenant_id: String,
    /// Object ids of users. Without users, groups and guests, everybody is meant.
    pub users: Vec<String>,
    /// Object ids of groups.
    pub groups: Vec<String>,
    /// Every guest is meant.
    pub guests: bool,
    /// Client ids of the apps that are called; empty means all.
    pub resources: Vec<String>,
    /// Client ids of the apps that call; empty means all.
    pub apps: Vec<String>,
    /// What is asked for; nothing if the policy is only about the age of sign-ins.
    pub requires: Option<Requirement>,
    /// Whether refusals at the token endpoint carry the claims that a new sign-in must satisfy.
    pub claims: bool,
    /// How old a sign-in may be.
    pub sign_in_frequency: Option<Duration>,
}

/// A policy as seeds and tests write it: everything by name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    /// GUID or domain.
    pub tenant: String,
    /// Name for people.
    pub name: String,
    /// GUID; a new one if left out.
    pub id: Option<String>,
    /// UPNs or object ids. Without users, groups and guests, everybody is meant.
    #[serde(default)]
    pub users: Vec<String>,
    /// Names or object ids.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Every guest is meant.
    #[serde(default)]
    pub guests: bool,
    /// Apps that are called, by name, client id or App ID URI; empty means all.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Apps that call; empty means all.
    #[serde(default)]
    pub apps: Vec<String>,
    /// `mfa`, `compliantDevice`, `external` or `block`.
    pub requires: Option<Requirement>,
    /// Whether refusals carry claims. If left out they do, except for `block`.
    pub claims: Option<bool>,
    /// How old a sign-in may be, in seconds.
    pub sign_in_frequency: Option<u64>,
}

impl Policy {
    /// Whether the policy means this user, whatever is called.
    pub fn means(&self, directory: &Directory, user: &User, member: &Membership) -> bool {
        let everybody = self.users.is_empty() && self.groups.is_empty() && !self.guests;
        everybody
            || self.users.contains(&member.oid)
            || (self.guests && user.is_guest_in(&self.tenant_id))
            || directory
                .groups_of(&self.tenant_id, &member.oid)
                .any(|group| self.groups.iter().any(|meant| meant == group))
    }

    /// Whether the policy is about calls of `client` to `resource`.
    pub fn covers(&self, client: &App, resource: &App) -> bool {
        let fits = |meant: &[String], app: &App| meant.is_empty() || meant.contains(&app.client_id);
        fits(&self.resources, resource) && fits(&self.apps, client)
    }
}

impl Directory {
    /// Policies of the tenant (GUID).
    pub fn policies_of(&self, tenant_id: &str) -> impl Iterator<Item = &Policy> {
        self.policies
            .iter()
            .filter(move |policy| policy.tenant_id == tenant_id)
    }

    /// Whether guests of the tenant need a second factor for everything: by its `requires_mfa`, or by a policy.
    pub(crate) fn demands_mfa_of_strangers(&self, tenant_id: &str) -> bool {
        let by_tenant = self.tenants.iter().any(|t| t.id == tenant_id && t.requires_mfa);
        by_tenant
            || self.policies_of(tenant_id).any(|policy| {
                let strangers = policy.guests || (policy.users.is_empty() && policy.groups.is_empty());
                policy.requires == Some(Requirement::Mfa) && strangers && policy.resources.is_empty()
            })
    }

    /// Adds a policy; gives its id.
    pub fn add_policy(&mut self, spec: &PolicySpec) -> Result<String, UnknownName> {
        let tenant_id = self.tenant_id(&spec.tenant)?;
        let users = spec.users.iter().map(|name| self.oid(name, &tenant_id));
        let groups = spec.groups.iter().map(|name| self.group_id(name, &tenant_id));
        let apps =
            |names: &[String]| -> Result<_, _> { names.iter().map(|name| self.client_id(name)).collect() };
        let id = spec.id.as_ref().map(|id| id.to_ascii_lowercase());
        let id = id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let policy = Policy {
            id: id.clone(),
            name: spec.name.clone(),
            users: users.collect::<Result<_, _>>()?,
            groups: groups.collect::<Result<_, _>>()?,
            guests: spec.guests,
            resources: apps(&spec.resources)?,
            apps: apps(&spec.apps)?,
            requires: spec.requires,
            claims: spec.claims.unwrap_or(spec.requires != Some(Requirement::Block)),
            sign_in_frequency: spec.sign_in_frequency.map(Duration::from_secs),
            tenant_id,
        };
        self.policies.push(policy);
        Ok(id)
    }

    /// Removes a policy by its id or name.
    pub fn remove_policy(&mut self, policy: &str) -> Result<(), UnknownName> {
        let before = self.policies.len();
        self.policies
            .retain(|known| known.name != policy && !known.id.eq_ignore_ascii_case(policy));
        if self.policies.len() == before {
            return Err(UnknownName::new("policy", policy));
        }
        Ok(())
    }
}
