//! Changes to storage accounts, event subscriptions and blobs, and to the kinds of data connections that there are.

use serde_json::Value;

use super::World;
use crate::resources::{ChangeError, KeyKind, NewAccount, NewBlob, Upload};

impl World {
    /// Makes a storage account in an existing resource group.
    pub fn add_storage_account(&mut self, account: &NewAccount) -> Result<(), ChangeError> {
        self.resources.add_storage_account(account)
    }

    /// Removes a storage account with its event subscriptions and its system topic.
    pub fn remove_storage_account(&mut self, id: &str) -> Result<(), ChangeError> {
        self.resources.remove_storage_account(id)
    }

    /// Makes a key of a storage account anew: data connections that hold the old one stop.
    pub fn rotate_storage_key(&mut self, account: &str, which: KeyKind) -> Result<(), ChangeError> {
        self.resources.rotate_storage_key(account, which)
    }

    /// Lets a storage account accept keys or not; nothing is the default, which accepts them.
    pub fn set_shared_key_access(&mut self, account: &str, allowed: Option<bool>) -> Result<(), ChangeError> {
        self.resources.set_shared_key_access(account, allowed)
    }

    /// Makes a system topic of a storage account; Azure allows one for each.
    pub fn add_system_topic(&mut self, id: &str, location: &str, source: &str) -> Result<(), ChangeError> {
        self.resources.add_system_topic(id, location, source)
    }

    /// Removes a system topic with its event subscriptions.
    pub fn remove_system_topic(&mut self, id: &str) -> Result<(), ChangeError> {
        self.resources.remove_system_topic(id)
    }

    /// Makes an event subscription on a storage account or of a system topic, or replaces it: a body as ARM has it, with
    /// `destination` or `deliveryWithResourceIdentity`, perhaps `filter`, `provisioningState`, `eventDeliverySchema`.
    pub fn set_event_subscription(&mut self, id: &str, body: &Value) -> Result<(), ChangeError> {
        self.resources.set_event_subscription(id, body)
    }

    /// Removes an event subscription.
    pub fn remove_event_subscription(&mut self, id: &str) -> Result<(), ChangeError> {
        self.resources.remove_event_subscription(id)
    }

    /// Uploads or renames a blob: tells the event, who delivered it, and in which data connections it arrived.
    pub fn upload_blob(&mut self, blob: &NewBlob) -> Result<Upload, ChangeError> {
        let now = self.now();
        self.resources.upload_blob(blob, now)
    }

    /// From now on Kusto has this kind of data connection in its newest api-version, with members that nobody knows.
    pub fn add_future_kind(&mut self, kind: &str) {
        self.resources.future_kinds.push(kind.to_owned());
    }
}
