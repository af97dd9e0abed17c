//! Namespaces, event hubs, consumer groups, keys.

use serde::Deserialize;

use super::{Draft, Subject, Wrong};
use crate::resources::{KeyKind, ROOT_RULE};

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Hubs {
    RotateHubKey {
        namespace: String,
        rule: Option<String>,
        key: Option<KeyKind>,
    },
    SetLocalAuth {
        namespace: String,
        enabled: bool,
    },
    AddEventHub {
        id: String,
        #[serde(default)]
        consumer_groups: Vec<String>,
    },
    RemoveEventHub {
        id: String,
    },
    AddConsumerGroup {
        hub: String,
        group: String,
    },
    RemoveConsumerGroup {
        hub: String,
        group: String,
    },
}

impl Subject for Hubs {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Hubs::RotateHubKey { namespace, rule, key } => {
                let which = key.unwrap_or(KeyKind::Primary);
                world.rotate_key(&namespace, rule.as_deref().unwrap_or(ROOT_RULE), which)?;
            }
            Hubs::SetLocalAuth { namespace, enabled } => world.set_local_auth(&namespace, enabled)?,
            Hubs::AddEventHub { id, consumer_groups } => {
                let groups: Vec<&str> = consumer_groups.iter().map(String::as_str).collect();
                world.add_event_hub(&id, &groups)?;
            }
            Hubs::RemoveEventHub { id } => world.remove_event_hub(&id)?,
            Hubs::AddConsumerGroup { hub, group } => world.add_consumer_group(&hub, &group)?,
            Hubs::RemoveConsumerGroup { hub, group } => world.remove_consumer_group(&hub, &group)?,
        }
        Ok(())
    }
}
