//! Whether events would flow through a data connection now, and what keeps them from it.
//! A key-based data connection lives on copies of the sources' keys: what becomes of the rights of the person who made it does
//! not matter, what becomes of the keys does (Microsoft Learn: "Ingest data from an event hub in another tenant").

use serde::Serialize;

use super::blobs::{BlobEvent, account_of};
use super::keys::HeldKeys;
use super::{DataConnection, KeyKind, Namespace, Provisioning, ResourceId, Resources, Wanted};

/// The state of a data connection's ingestion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ingestion {
    /// Whether an event that arrives now would be ingested.
    pub flows: bool,
    /// Everything that keeps it from that.
    pub reasons: Vec<Hindrance>,
}

/// Something that keeps events from flowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Hindrance {
    /// It is being created or removed.
    NotProvisioned,
    /// The namespace or event hub is gone.
    EventHubMissing,
    /// The event hub has no such consumer group.
    ConsumerGroupMissing,
    /// The key that was fetched is no longer one of the namespace's.
    KeyNotCurrent,
    /// The namespace refuses keys.
    LocalAuthDisabled,
    /// The storage account is gone.
    StorageAccountMissing,
    /// The key that was fetched is no longer one of the storage account's.
    StorageKeyNotCurrent,
    /// The storage account refuses keys.
    SharedKeyAccessDisabled,
    /// The storage account raises no such events: it is of a kind that raises none, or has no hierarchical namespace.
    EventsNotRaised,
    /// No event subscription of the storage account delivers such events of blobs to the event hub.
    EventSubscriptionMissing,
    /// The data connection listens to another type of event.
    OtherEventType,
    /// The database is gone.
    DatabaseMissing,
    /// The database has no such table.
    TableMissing,
    /// The table has no such mapping.
    MappingMissing,
}

/// An event that happened, and the subscriptions that delivered it.
type Delivered<'a> = (BlobEvent, &'a [ResourceId]);

impl Resources {
    /// The state of a data connection's ingestion; nothing when there is no such data connection.
    pub fn ingestion(&self, id: &ResourceId) -> Option<Ingestion> {
        let reasons = self.hindrances(self.connection(id)?, None);
        Some(Ingestion {
            flows: reasons.is_empty(),
            reasons,
        })
    }

    /// What keeps one event from arriving, or any when none is named.
    pub(super) fn hindrances(
        &self,
        connection: &DataConnection,
        delivered: Option<Delivered<'_>>,
    ) -> Vec<Hindrance> {
        let (mut connection, mut reasons) = (connection, Vec::new());
        match (connection.provisioning, &connection.before) {
            // Until an update is through, what was there before goes on.
            (Provisioning::Updating, Some(before)) => connection = before,
            (Provisioning::Creating | Provisioning::Deleting, _) => reasons.push(Hindrance::NotProvisioned),
            _ => {}
        }
        self.check_source_now(connection, &mut reasons);
        self.check_blobs_now(connection, delivered, &mut reasons);
        self.check_target_now(connection, &mut reasons);
        reasons
    }

    /// The keys that Kusto fetches when it connects to these sources; none when an identity reads, or when a source is
    /// not of this cloud.
    pub(crate) fn keys_for(&self, wanted: &Wanted) -> HeldKeys {
        if wanted.text("managedIdentityResourceId").is_some() {
            return HeldKeys::default();
        }
        let named = |name: &str| ResourceId::parse(wanted.text(name)?).ok();
        let hub = named("eventHubResourceId").and_then(|hub| hub.parent());
        let namespace = hub.and_then(|namespace| self.namespace(&namespace));
        let account = named("storageAccountResourceId");
        let account = account.and_then(|account| self.storage_account(&account));
        HeldKeys {
            hub: namespace.and_then(Namespace::key_for_kusto),
            account: account.map(|account| account.key(KeyKind::Primary)),
        }
    }

    /// IoT hubs, Cosmos DB accounts and the rights of identities are not here: they always do.
    fn check_source_now(&self, connection: &DataConnection, reasons: &mut Vec<Hindrance>) {
        let Some(hub) = connection.wanted.event_hub() else {
            return;
        };
        let Some((namespace, hub)) = ResourceId::parse(hub).ok().and_then(|id| self.event_hub(&id)) else {
            reasons.push(Hindrance::EventHubMissing);
            return;
        };
        let group = connection.text("consumerGroup");
        if group.is_none_or(|group| hub.consumer_group(group).is_none()) {
            reasons.push(Hindrance::ConsumerGroupMissing);
        }
        if connection.text("managedIdentityResourceId").is_some() {
            return;
        }
        if !(connection.keys.hub.as_ref()).is_some_and(|key| namespace.accepts(key)) {
            reasons.push(Hindrance::KeyNotCurrent);
        }
        if namespace.local_auth_disabled {
            reasons.push(Hindrance::LocalAuthDisabled);
        }
    }

    fn check_blobs_now(
        &self,
        connection: &DataConnection,
        delivered: Option<Delivered<'_>>,
        reasons: &mut Vec<Hindrance>,
    ) {
        let Some(id) = account_of(connection) else { return };
        let Some(account) = self.storage_account(&id) else {
            reasons.push(Hindrance::StorageAccountMissing);
            return;
        };
        if connection.text("managedIdentityResourceId").is_none() {
            if !(connection.keys.account.as_deref()).is_some_and(|key| account.has_key(key)) {
                reasons.push(Hindrance::StorageKeyNotCurrent);
            }
            if !account.accepts_keys() {
                reasons.push(Hindrance::SharedKeyAccessDisabled);
            }
        }
        let listens_to = BlobEvent::of(connection);
        let event = delivered.map_or(listens_to, |(event, _)| event);
        if event != listens_to {
            reasons.push(Hindrance::OtherEventType);
        }
        if !account.raises(event) {
            reasons.push(Hindrance::EventsNotRaised);
        } else if !self.is_delivered(connection, &id, event, delivered) {
            reasons.push(Hindrance::EventSubscriptionMissing);
        }
    }

    /// Whether some subscription of the account brings the event, or such events, to the data connection's event hub.
    fn is_delivered(
        &self,
        connection: &DataConnection,
        account: &ResourceId,
        event: BlobEvent,
        delivered: Option<Delivered<'_>>,
    ) -> bool {
        let parsed = |text: &str| ResourceId::parse(text).ok();
        let hub = connection.wanted.event_hub().and_then(parsed);
        let mut candidates = self.event_subscriptions.iter().filter(|known| match delivered {
            Some((_, delivered)) => delivered.contains(&known.id),
            None => {
                known.filter.could_pass(event.event_type())
                    && self.delivers(known)
                    && self.source_of(known).as_ref() == Some(account)
            }
        });
        candidates.any(|known| parsed(&known.event_hub) == hub)
    }

    fn check_target_now(&self, connection: &DataConnection, reasons: &mut Vec<Hindrance>) {
        let parent = connection.id.parent();
        let Some((_, database)) = parent.as_ref().and_then(|id| self.database(id)) else {
            reasons.push(Hindrance::DatabaseMissing);
            return;
        };
        let Some(table) = connection.text("tableName") else {
            return;
        };
        match (database.table(table), connection.text("mappingRuleName")) {
            (None, _) => reasons.push(Hindrance::TableMissing),
            (Some(table), Some(mapping)) if !table.mappings.iter().any(|m| m == mapping) => {
                reasons.push(Hindrance::MappingMissing);
            }
            _ => {}
        }
    }
}
