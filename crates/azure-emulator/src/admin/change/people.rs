//! Users, guests, sessions, app roles.

use serde::Deserialize;
use uuid::Uuid;

use super::{Draft, Subject, Wrong};

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum People {
    DisableUser {
        user: String,
    },
    EnableUser {
        user: String,
    },
    AddGuest {
        user: String,
        tenant: String,
        oid: Option<Uuid>,
    },
    RemoveGuest {
        user: String,
        tenant: String,
    },
    RevokeSessions {
        user: String,
    },
    ChangePassword {
        user: String,
    },
    SetMfaEnrolled {
        user: String,
        enrolled: bool,
    },
    DeleteUser {
        user: String,
    },
    AssignAppRole {
        user: String,
        tenant: String,
        app: String,
        role: String,
    },
    RevokeAppRoles {
        user: String,
        tenant: String,
        app: String,
    },
}

impl Subject for People {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            People::DisableUser { user } => world.disable_user(&user)?,
            People::EnableUser { user } => world.enable_user(&user)?,
            People::AddGuest { user, tenant, oid } => world.add_guest(&user, &tenant, oid)?,
            People::RemoveGuest { user, tenant } => world.remove_guest(&user, &tenant)?,
            People::RevokeSessions { user } => world.revoke_sessions(&user)?,
            People::ChangePassword { user } => world.change_password(&user)?,
            People::SetMfaEnrolled { user, enrolled } => world.set_mfa_enrolled(&user, enrolled)?,
            People::DeleteUser { user } => world.delete_user(&user)?,
            People::AssignAppRole {
                user,
                tenant,
                app,
                role,
            } => {
                world.assign_app_role(&user, &tenant, &app, &role)?;
            }
            People::RevokeAppRoles { user, tenant, app } => world.revoke_app_roles(&user, &tenant, &app)?,
        }
        Ok(())
    }
}
