//! Storage accounts, event subscriptions, blobs, and kinds of data connections to come.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Draft, Subject, Wrong};
use crate::resources::{BlobEvent, KeyKind, NewAccount, NewBlob};

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Sources {
    AddStorageAccount {
        id: String,
        location: String,
        kind: Option<String>,
        #[serde(default)]
        is_hns_enabled: bool,
        allow_shared_key_access: Option<bool>,
    },
    RemoveStorageAccount {
        id: String,
    },
    RotateStorageKey {
        account: String,
        key: Option<KeyKind>,
    },
    SetSharedKeyAccess {
        account: String,
        allowed: Option<bool>,
    },
    AddSystemTopic {
        id: String,
        location: String,
        source: String,
    },
    RemoveSystemTopic {
        id: String,
    },
    SetEventSubscription {
        id: String,
        properties: Map<String, Value>,
    },
    RemoveEventSubscription {
        id: String,
    },
    UploadBlob {
        account: String,
        container: String,
        path: String,
        api: Option<String>,
    },
    RenameBlob {
        account: String,
        container: String,
        path: String,
    },
    AddFutureKind {
        kind: String,
    },
}

impl Subject for Sources {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Sources::AddStorageAccount {
                id,
                location,
                kind,
                is_hns_enabled,
                allow_shared_key_access,
            } => world.add_storage_account(&NewAccount {
                id,
                location,
                kind,
                is_hns_enabled,
                allow_shared_key_access,
            })?,
            Sources::RemoveStorageAccount { id } => world.remove_storage_account(&id)?,
            Sources::RotateStorageKey { account, key } => {
                world.rotate_storage_key(&account, key.unwrap_or(KeyKind::Primary))?;
            }
            Sources::SetSharedKeyAccess { account, allowed } => {
                world.set_shared_key_access(&account, allowed)?;
            }
            Sources::AddSystemTopic { id, location, source } => {
                world.add_system_topic(&id, &location, &source)?;
            }
            Sources::RemoveSystemTopic { id } => world.remove_system_topic(&id)?,
            Sources::SetEventSubscription { id, properties } => {
                world.set_event_subscription(&id, &json!({ "properties": properties }))?;
            }
            Sources::RemoveEventSubscription { id } => world.remove_event_subscription(&id)?,
            Sources::UploadBlob {
                account,
                container,
                path,
                api,
            } => {
                let event = BlobEvent::Created;
                blob(draft, account, container, path, api, event)?;
            }
            Sources::RenameBlob {
                account,
                container,
                path,
            } => blob(draft, account, container, path, None, BlobEvent::Renamed)?,
            Sources::AddFutureKind { kind } => world.add_future_kind(&kind),
        }
        Ok(())
    }
}

fn blob(
    draft: &mut Draft,
    account: String,
    container: String,
    path: String,
    api: Option<String>,
    event: BlobEvent,
) -> Result<(), Wrong> {
    draft.world.upload_blob(&NewBlob {
        account,
        container,
        path,
        event,
        api,
    })?;
    Ok(())
}
