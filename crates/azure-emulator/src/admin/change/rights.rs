//! Role assignments and roles.

use std::time::Duration;

use serde::Deserialize;

use super::{Draft, Subject, Wrong, texts};

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Rights {
    AssignRole {
        principal: String,
        role: String,
        scope: String,
    },
    RevokeRoles {
        principal: String,
        scope: String,
    },
    DefineRole {
        name: String,
        scope: String,
        actions: Vec<String>,
        #[serde(default)]
        not_actions: Vec<String>,
    },
    SetRoleLag {
        seconds: u64,
    },
}

impl Subject for Rights {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Rights::AssignRole {
                principal,
                role,
                scope,
            } => world.assign_role(&principal, &role, &scope)?,
            Rights::RevokeRoles { principal, scope } => world.revoke_roles(&principal, &scope)?,
            Rights::DefineRole {
                name,
                scope,
                actions,
                not_actions,
            } => {
                world.define_role(&name, &scope, &texts(&actions), &texts(&not_actions))?;
            }
            Rights::SetRoleLag { seconds } => world.set_role_lag(Duration::from_secs(seconds)),
        }
        Ok(())
    }
}
