//! Groups and who is in them.

use serde::Deserialize;

use super::{Draft, Subject, Wrong, texts};

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Groups {
    AddGroup {
        tenant: String,
        name: String,
        #[serde(default)]
        members: Vec<String>,
    },
    AddMember {
        tenant: String,
        group: String,
        member: String,
    },
    RemoveMember {
        tenant: String,
        group: String,
        member: String,
    },
}

impl Subject for Groups {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Groups::AddGroup {
                tenant,
                name,
                members,
            } => {
                world.add_group(&tenant, &name, &texts(&members))?;
            }
            Groups::AddMember {
                tenant,
                group,
                member,
            } => world.add_member(&tenant, &group, &member)?,
            Groups::RemoveMember {
                tenant,
                group,
                member,
            } => world.remove_member(&tenant, &group, &member)?,
        }
        Ok(())
    }
}
