//! Whether events would flow through a data connection now, and what keeps them from it.
//! A key-based data connection lives on a copy of the source's key: what becomes of the rights of whoever made it does
//! not matter, what becomes of the key does (Microsoft Learn: "Ingest data from an event hub in another tenant").

use serde::Serialize;

use super::keys::HeldKey;
use super::{DataConnection, Provisioning, ResourceId, Resources, Wanted};

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
    /// The database is gone.
    DatabaseMissing,
    /// The database has no such table.
    TableMissing,
    /// The table has no such mapping.
    MappingMissing,
}

impl Resources {
    /// The state of a data connection's ingestion; nothing when there is no such data connection.
    pub fn ingestion(&self, id: &ResourceId) -> Option<Ingestion> {
        let mut connection = self.connection(id)?;
        let mut reasons = Vec::new();
        match (connection.provisioning, &connection.before) {
            // Until an update is through, what was there before goes on.
            (Provisioning::Updating, Some(before)) => connection = before,
            (Provisioning::Creating | Provisioning::Deleting, _) => reasons.push(Hindrance::NotProvisioned),
            _ => {}
        }
        self.check_source_now(connection, &mut reasons);
        self.check_target_now(connection, &mut reasons);
        Some(Ingestion {
            flows: reasons.is_empty(),
            reasons,
        })
    }

    /// The key that Kusto fetches when it connects to this source; none when an identity reads, or when the source is
    /// no event hub of this cloud.
    pub(crate) fn key_for(&self, wanted: &Wanted) -> Option<HeldKey> {
        if wanted.text("managedIdentityResourceId").is_some() {
            return None;
        }
        let hub = ResourceId::parse(wanted.text("eventHubResourceId")?).ok()?;
        self.namespace(&hub.parent()?)?.key_for_kusto()
    }

    /// Storage accounts, IoT hubs, Cosmos DB accounts and the rights of identities are not here: they always do.
    fn check_source_now(&self, connection: &DataConnection, reasons: &mut Vec<Hindrance>) {
        let hub = connection
            .text("eventHubResourceId")
            .or_else(|| connection.text("eventHubResourceIdForManagedIdentity"));
        let Some(hub) = hub else { return };
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
        if !connection.key.as_ref().is_some_and(|key| namespace.accepts(key)) {
            reasons.push(Hindrance::KeyNotCurrent);
        }
        if namespace.local_auth_disabled {
            reasons.push(Hindrance::LocalAuthDisabled);
        }
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
