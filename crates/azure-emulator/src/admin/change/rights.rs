//! Role assignments, and what a tenant demands of people.

use serde::Deserialize;

use super::{Subject, Wrong};
use crate::world::World;

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
}

impl Subject for Rights {
    fn apply(self, world: &mut World) -> Result<(), Wrong> {
        match self {
            Rights::AssignRole {
                principal,
                role,
                scope,
            } => world.assign_role(&principal, &role, &scope)?,
            Rights::RevokeRoles { principal, scope } => world.revoke_roles(&principal, &scope)?,
        }
        Ok(())
    }
}
