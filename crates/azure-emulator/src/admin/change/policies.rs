//! What tenants demand of sign-ins (Conditional Access) and of writes.

use serde::Deserialize;

use super::{Draft, Subject, Wrong};
use crate::arm::ChallengeForm;
use crate::directory::{PolicySpec, Requirement};

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Policies {
    RequireMfa {
        tenant: String,
        required: bool,
    },
    AddPolicy(NewPolicy),
    RemovePolicy {
        policy: String,
    },
    /// Without a context the demand is taken back.
    SetWritesNeed {
        tenant: String,
        context: Option<String>,
    },
    SetChallengeForm {
        form: ChallengeForm,
    },
}

/// A policy as seeds have it, in JSON's spelling.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewPolicy {
    tenant: String,
    name: String,
    id: Option<uuid::Uuid>,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    guests: bool,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    apps: Vec<String>,
    requires: Option<Requirement>,
    claims: Option<bool>,
    sign_in_frequency_seconds: Option<u64>,
}

impl Subject for Policies {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Policies::RequireMfa { tenant, required } => world.require_mfa(&tenant, required)?,
            Policies::AddPolicy(policy) => {
                if policy.requires.is_none() && policy.sign_in_frequency_seconds.is_none() {
                    let error = "a policy has requires, signInFrequencySeconds or both";
                    return Err(Wrong::Other(error.to_owned()));
                }
                world.add_policy(&policy.into())?;
            }
            Policies::RemovePolicy { policy } => world.remove_policy(&policy)?,
            Policies::SetWritesNeed { tenant, context } => {
                world.set_writes_need(&tenant, context.as_deref())?;
            }
            Policies::SetChallengeForm { form } => world.set_challenge_form(form),
        }
        Ok(())
    }
}

impl From<NewPolicy> for PolicySpec {
    fn from(policy: NewPolicy) -> PolicySpec {
        PolicySpec {
            tenant: policy.tenant,
            name: policy.name,
            id: policy.id.map(|id| id.to_string()),
            users: policy.users,
            groups: policy.groups,
            guests: policy.guests,
            resources: policy.resources,
            apps: policy.apps,
            requires: policy.requires,
            claims: policy.claims,
            sign_in_frequency: policy.sign_in_frequency_seconds,
        }
    }
}
