//! Storage accounts, system topics, event subscriptions and what became of blobs, as the admin API shows them.

use serde_json::{Value, json};

use super::list;
use super::resources::owner;
use crate::world::World;

/// How many uploads are shown, the young ones.
const UPLOADS: usize = 100;

/// Of each key it is told how often it was made anew.
pub(super) fn accounts(world: &World) -> Value {
    list(&world.resources.storage_accounts, |account| {
        json!({
            "id": account.id.to_string(),
            "name": account.id.name(),
            "tenant": owner(world, &account.id),
            "location": account.location,
            "kind": account.kind,
            "isHnsEnabled": account.is_hns_enabled,
            "allowSharedKeyAccess": account.allow_shared_key_access,
            "key1Rotations": account.generations.0,
            "key2Rotations": account.generations.1,
        })
    })
}

pub(super) fn topics(world: &World) -> Value {
    list(&world.resources.system_topics, |topic| {
        json!({
            "id": topic.id.to_string(),
            "name": topic.id.name(),
            "location": topic.location,
            "source": topic.source.to_string(),
        })
    })
}

pub(super) fn subscriptions(world: &World) -> Value {
    list(&world.resources.event_subscriptions, |known| {
        json!({
            "id": known.id.to_string(),
            "name": known.id.name(),
            "source": world.resources.source_of(known).map(|source| source.to_string()),
            "eventHub": known.event_hub,
            "byIdentity": known.identity.is_some(),
            "provisioningState": known.provisioning_state,
            "eventTypes": known.filter.included_event_types,
            "subjectBeginsWith": known.filter.subject_begins_with,
            "subjectEndsWith": known.filter.subject_ends_with,
        })
    })
}

/// The youngest first, each with the data connections that it arrived in and what kept it from arriving in others.
pub(super) fn uploads(world: &World) -> Value {
    let young = world.resources.uploads.iter().rev().take(UPLOADS);
    list(young, |upload| {
        json!({
            "event": upload.event,
            "deliveredBy": list(&upload.delivered_by, |id| json!(id.to_string())),
            "connections": list(&upload.connections, |(id, reasons)| json!({
                "id": id.to_string(),
                "arrived": reasons.is_empty(),
                "reasons": reasons,
            })),
        })
    })
}
