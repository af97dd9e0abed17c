//! Blobs that are uploaded or renamed: the event that the account raises, the subscriptions that deliver it, and the data
//! connections that it arrives in. Nothing is stored of a blob but this.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ingestion::Hindrance;
use super::{ChangeError, DataConnection, EventSubscription, ResourceId, Resources, rfc3339_ticks};
use crate::directory::UnknownName;

/// How many uploads are kept; the oldest go first.
const MAX_KEPT: usize = 1_000;

/// What happens to a blob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlobEvent {
    /// It is written.
    #[default]
    Created,
    /// It gets another name, in an account with a hierarchical namespace.
    Renamed,
}

impl BlobEvent {
    /// The event's type.
    pub fn event_type(self) -> &'static str {
        match self {
            BlobEvent::Created => "Microsoft.Storage.BlobCreated",
            BlobEvent::Renamed => "Microsoft.Storage.BlobRenamed",
        }
    }

    /// The one that a data connection listens to.
    pub(crate) fn of(connection: &DataConnection) -> BlobEvent {
        let named = connection.text("blobStorageEventType");
        let is_renamed = named.is_some_and(|word| word.eq_ignore_ascii_case(BlobEvent::Renamed.event_type()));
        if is_renamed {
            BlobEvent::Renamed
        } else {
            BlobEvent::Created
        }
    }
}

/// A blob that is uploaded or renamed.
#[derive(Clone, Debug, Default)]
pub struct NewBlob {
    /// Resource id of the storage account.
    pub account: String,
    /// Its container.
    pub container: String,
    /// Its name in the container, folders included; of a renamed blob the new one.
    pub path: String,
    /// What happens to it.
    pub event: BlobEvent,
    /// The call that did it, such as `PutBlob`; the usual one when nothing is said.
    pub api: Option<String>,
}

/// What became of a blob.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The event, in Event Grid's schema; nothing when the account raises none.
    pub event: Option<Value>,
    /// Event subscriptions that delivered it.
    pub delivered_by: Vec<ResourceId>,
    /// Every data connection of the account, and what kept the blob from arriving in it; nothing where it arrived.
    pub connections: Vec<(ResourceId, Vec<Hindrance>)>,
}

impl Upload {
    /// The data connections that the blob arrived in.
    pub fn arrived_in(&self) -> Vec<&ResourceId> {
        let arrived = self.connections.iter().filter(|(_, reasons)| reasons.is_empty());
        arrived.map(|(id, _)| id).collect()
    }
}

impl Resources {
    /// Uploads or renames a blob, and tells what became of it.
    pub fn upload_blob(&mut self, blob: &NewBlob, now: DateTime<Utc>) -> Result<Upload, ChangeError> {
        let id = ResourceId::parse(&blob.account)?;
        let account = self
            .storage_account(&id)
            .ok_or_else(|| UnknownName::new("storage account", id.as_str()))?;
        let event = account.raises(blob.event).then(|| event(&id, blob, now));
        let delivers = |known: &&EventSubscription| {
            let passes = event.as_ref().is_some_and(|event| known.filter.passes(event));
            passes && self.delivers(known) && self.source_of(known).as_ref() == Some(&id)
        };
        let delivering = self.event_subscriptions.iter().filter(delivers);
        let delivered_by: Vec<ResourceId> = delivering.map(|known| known.id.clone()).collect();
        let of_account = |connection: &&DataConnection| account_of(connection).as_ref() == Some(&id);
        let upload = Upload {
            connections: (self.data_connections.iter())
                .filter(of_account)
                .map(|connection| {
                    let reasons = self.hindrances(connection, Some((blob.event, &delivered_by)));
                    (connection.id.clone(), reasons)
                })
                .collect(),
            event,
            delivered_by,
        };
        if self.uploads.len() >= MAX_KEPT {
            self.uploads.pop_front();
        }
        self.uploads.push_back(upload.clone());
        Ok(upload)
    }

    /// Whether a subscription delivers at all: it stands, its event hub is there, and the namespace accepts how it
    /// delivers. With an identity it does: which roles identities hold is not known here.
    pub(super) fn delivers(&self, subscription: &EventSubscription) -> bool {
        let hub = ResourceId::parse(&subscription.event_hub).ok();
        let namespace = hub
            .as_ref()
            .and_then(|id| self.event_hub(id))
            .map(|(found, _)| found);
        let is_accepted = |disabled: bool| !disabled || subscription.identity.is_some();
        subscription.provisioning_state.eq_ignore_ascii_case("Succeeded")
            && namespace.is_some_and(|namespace| is_accepted(namespace.local_auth_disabled))
    }
}

/// The storage account that a data connection names, with keys or with an identity.
pub(super) fn account_of(connection: &DataConnection) -> Option<ResourceId> {
    ResourceId::parse(connection.wanted.storage_account()?).ok()
}

/// Members of a blob event as Event Grid writes them (Microsoft Learn: "Azure Blob Storage as an Event Grid source").
fn event(account: &ResourceId, blob: &NewBlob, now: DateTime<Utc>) -> Value {
    let usual = match blob.event {
        BlobEvent::Created => "PutBlob",
        BlobEvent::Renamed => "RenameFile",
    };
    let api = blob.api.as_deref().unwrap_or(usual);
    let (name, container, path) = (account.name(), &blob.container, &blob.path);
    let url = format!("https://{name}.blob.core.windows.net/{container}/{path}");
    let data = json!({
        "api": api,
        "requestId": Uuid::new_v4().to_string(),
        "eTag": format!("0x{:X}", now.timestamp_micros()),
        "contentType": "application/octet-stream",
        "contentLength": 1024,
        "blobType": "BlockBlob",
        "url": url,
        "sequencer": format!("{:048X}", now.timestamp_micros()),
    });
    json!({
        "topic": account.as_str(),
        "subject": format!("/blobServices/default/containers/{container}/blobs/{path}"),
        "eventType": blob.event.event_type(),
        "id": Uuid::new_v4().to_string(),
        "data": data,
        "dataVersion": "",
        "metadataVersion": "1",
        "eventTime": rfc3339_ticks(now),
    })
}
