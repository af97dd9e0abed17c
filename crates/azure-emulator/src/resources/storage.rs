//! Storage accounts: what Event Grid data connections read blobs from, and the keys that they do it with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha512};

use super::blobs::BlobEvent;
use super::{ChangeError, KeyKind, ResourceId, Resources};
use crate::directory::UnknownName;

/// Kinds of accounts that raise events (Microsoft Learn: "Azure Blob Storage as an Event Grid source").
const RAISING: &[&str] = &["StorageV2", "BlockBlobStorage", "BlobStorage"];

/// A storage account.
#[derive(Clone, Debug)]
pub struct StorageAccount {
    /// Resource id.
    pub id: ResourceId,
    /// Display name of its region.
    pub location: String,
    /// `StorageV2`, `Storage`, `BlobStorage`, `BlockBlobStorage` or `FileStorage`.
    pub kind: String,
    /// A hierarchical namespace: blobs can be renamed.
    pub is_hns_enabled: bool,
    /// Whether keys are accepted; nothing counts as yes, and is shown as nothing.
    pub allow_shared_key_access: Option<bool>,
    /// The same for blobs alone, which api-versions since 2026-09-01 have.
    pub allow_shared_key_access_for_blobs: Option<bool>,
    /// How often each key was made anew.
    pub(crate) generations: (u32, u32),
}

impl StorageAccount {
    /// An account as the portal makes it.
    pub(crate) fn new(id: ResourceId, location: String) -> StorageAccount {
        StorageAccount {
            id,
            location,
            kind: "StorageV2".to_owned(),
            is_hns_enabled: false,
            allow_shared_key_access: None,
            allow_shared_key_access_for_blobs: None,
            generations: (0, 0),
        }
    }

    /// One of its two keys: 64 bytes in Base64, as Azure's are. Worked out from the name; nobody can use it anywhere.
    pub fn key(&self, which: KeyKind) -> String {
        let (word, generation) = match which {
            KeyKind::Primary => ("key1", self.generations.0),
            KeyKind::Secondary => ("key2", self.generations.1),
        };
        STANDARD.encode(Sha512::digest(format!("{} {word} {generation}", self.id.key())))
    }

    /// Makes one of the keys anew.
    pub(crate) fn regenerate(&mut self, which: KeyKind) {
        match which {
            KeyKind::Primary => self.generations.0 += 1,
            KeyKind::Secondary => self.generations.1 += 1,
        }
    }

    /// Whether blobs may be read with keys.
    pub fn accepts_keys(&self) -> bool {
        self.allow_shared_key_access.unwrap_or(true) && self.allow_shared_key_access_for_blobs.unwrap_or(true)
    }

    /// Whether the key is one of the account's two.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        [KeyKind::Primary, KeyKind::Secondary]
            .iter()
            .any(|&which| self.key(which) == key)
    }

    /// Whether the account raises such events: the older kinds raise none, and blobs are renamed only where they lie in
    /// folders.
    pub(crate) fn raises(&self, event: BlobEvent) -> bool {
        let is_raising = RAISING.iter().any(|kind| kind.eq_ignore_ascii_case(&self.kind));
        is_raising && (event == BlobEvent::Created || self.is_hns_enabled)
    }
}

impl Resources {
    /// A storage account by resource id.
    pub fn storage_account(&self, id: &ResourceId) -> Option<&StorageAccount> {
        self.storage_accounts.iter().find(|account| account.id == *id)
    }

    /// Makes a storage account in an existing resource group.
    pub fn add_storage_account(&mut self, account: &NewAccount) -> Result<(), ChangeError> {
        let types = ["Microsoft.Storage", "storageAccounts"];
        let id = self.free_id(&account.id, &types, "storage account")?;
        let mut made = StorageAccount::new(id, account.location.clone());
        if let Some(kind) = &account.kind {
            made.kind.clone_from(kind);
        }
        made.is_hns_enabled = account.is_hns_enabled;
        made.allow_shared_key_access = account.allow_shared_key_access;
        self.storage_accounts.push(made);
        Ok(())
    }

    /// Removes a storage account with the event subscriptions on it and the system topics of it. Data connections that
    /// name it stay, as at ARM.
    pub fn remove_storage_account(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = self.storage_account_mut(id)?.id.clone();
        self.storage_accounts.retain(|account| account.id != id);
        let gone = self.system_topics.extract_if(.., |topic| topic.source == id);
        let mut owners: Vec<ResourceId> = gone.map(|topic| topic.id).collect();
        owners.push(id);
        self.event_subscriptions
            .retain(|subscription| !owners.iter().any(|owner| subscription.id.is_within(owner)));
        Ok(())
    }

    /// Makes a key of a storage account anew: data connections that hold the old one stop.
    pub fn rotate_storage_key(&mut self, account: &str, which: KeyKind) -> Result<(), ChangeError> {
        self.storage_account_mut(account)?.regenerate(which);
        Ok(())
    }

    /// Lets a storage account accept keys or not; nothing is the default, which accepts them.
    pub fn set_shared_key_access(&mut self, account: &str, allowed: Option<bool>) -> Result<(), ChangeError> {
        self.storage_account_mut(account)?.allow_shared_key_access = allowed;
        Ok(())
    }

    pub(crate) fn storage_account_mut(&mut self, id: &str) -> Result<&mut StorageAccount, ChangeError> {
        let id = ResourceId::parse(id)?;
        let unknown = || UnknownName::new("storage account", id.as_str());
        let found = self.storage_accounts.iter_mut().find(|account| account.id == id);
        Ok(found.ok_or_else(unknown)?)
    }
}

/// A storage account that is to be made.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// Resource id.
    pub id: String,
    /// Display name of its region.
    pub location: String,
    /// `StorageV2` when nothing is said.
    pub kind: Option<String>,
    /// A hierarchical namespace.
    pub is_hns_enabled: bool,
    /// Whether keys are accepted.
    pub allow_shared_key_access: Option<bool>,
}
