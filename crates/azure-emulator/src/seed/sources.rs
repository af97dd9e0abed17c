//! The part of the format that is about storage accounts and their events.

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StorageAccount {
    pub(super) id: String,
    pub(super) location: String,
    #[serde(default = "usual_kind")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) is_hns_enabled: bool,
    pub(super) allow_shared_key_access: Option<bool>,
    pub(super) allow_shared_key_access_for_blobs: Option<bool>,
}

fn usual_kind() -> String {
    "StorageV2".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemTopic {
    pub(super) id: String,
    pub(super) location: String,
    /// Id of a storage account of the seed.
    pub(super) source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventSubscription {
    pub(super) id: String,
    pub(super) properties: Map<String, Value>,
}
