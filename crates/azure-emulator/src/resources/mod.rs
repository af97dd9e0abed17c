//! What ARM manages: subscriptions, clusters, event hubs, storage accounts, event subscriptions, data connections, and who may do what with them.
//! Here live the facts, their changes and the passing of running operations.
//! Tokens, status codes and headers are `arm`'s.

mod access;
mod blobs;
mod built_in;
mod change;
mod connection;
mod event_filter;
mod event_grid;
mod eventhub;
mod id;
mod ingestion;
mod keys;
mod kinds;
mod kusto;
mod lag;
mod making;
mod operation;
mod render;
mod rights;
mod roles;
mod storage;
mod validation;

pub use blobs::{BlobEvent, NewBlob, Upload};
pub use change::ChangeError;
pub use connection::{DataConnection, Provisioning};
pub use event_filter::EventFilter;
pub use event_grid::{DeliveryIdentity, EventSubscription, SystemTopic};
pub use eventhub::{EventHub, Namespace};
pub use id::{InvalidResourceId, ResourceId};
pub use ingestion::{Hindrance, Ingestion};
pub use keys::{AuthorizationRule, KeyKind, ROOT_RULE};
pub use kusto::{Cluster, Database, Table};
pub use operation::{Failure, Operation, OperationKind, OperationStatus};
pub use roles::{RoleAssignment, RoleDefinition};
pub use storage::{NewAccount, StorageAccount};

pub(crate) use connection::Wanted;
pub(crate) use id::same_location;
pub(crate) use kinds::{KINDS, Kind, Need, Shape, is_format};
pub(crate) use render::{echo, envelope_id, rfc3339_ticks};
pub(crate) use roles::built_in_roles;

/// A subscription and its resource groups.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// GUID, lower case.
    pub id: String,
    /// Display name.
    pub name: String,
    /// GUID of the tenant that owns it.
    pub tenant_id: String,
    /// Resource groups: name and location.
    pub resource_groups: Vec<(String, String)>,
}

/// All resources of the emulated cloud.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// Every subscription.
    pub subscriptions: Vec<Subscription>,
    /// Role definitions: the built-in ones, and those that tenants made.
    pub role_definitions: Vec<RoleDefinition>,
    /// Role assignments.
    pub role_assignments: Vec<RoleAssignment>,
    /// Kusto clusters.
    pub clusters: Vec<Cluster>,
    /// Event Hubs namespaces.
    pub namespaces: Vec<Namespace>,
    /// Storage accounts.
    pub storage_accounts: Vec<StorageAccount>,
    /// System topics of storage accounts.
    pub system_topics: Vec<SystemTopic>,
    /// Event subscriptions, on storage accounts and of system topics.
    pub event_subscriptions: Vec<EventSubscription>,
    /// Blobs that were uploaded or renamed, the oldest first.
    pub uploads: std::collections::VecDeque<Upload>,
    /// Kinds of data connections that Kusto will have one day: their members are not known.
    pub future_kinds: Vec<String>,
    /// Kusto data connections, also those being created or removed.
    pub data_connections: Vec<DataConnection>,
    /// Kusto operations, running and past.
    pub operations: Vec<Operation>,
    /// How many operations at the front are known to be over: they are not looked at again.
    pub(crate) settled: usize,
    /// What reads still show although it has changed.
    pub(crate) stale: Vec<lag::Stale>,
    /// How long reads show what was there before a change.
    pub(crate) read_lag: std::time::Duration,
    /// Role changes that do not count yet, and when they will.
    pub(crate) late_rights: Vec<(chrono::DateTime<chrono::Utc>, rights::Late)>,
    /// How long it takes until a role that was given or taken counts.
    pub(crate) rights_lag: std::time::Duration,
}

impl Resources {
    /// A subscription by GUID, case ignored.
    pub fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions.iter().find(|s| s.id.eq_ignore_ascii_case(id))
    }

    /// Whether the resource group of this id is there: it is listed, or something is in it.
    pub(crate) fn has_group(&self, id: &ResourceId) -> bool {
        let is = |name: &str| {
            id.resource_group()
                .is_some_and(|group| name.eq_ignore_ascii_case(group))
        };
        let is_of = |other: &ResourceId| {
            other.subscription().eq_ignore_ascii_case(id.subscription())
                && other.resource_group().is_some_and(is)
        };
        let listed = self.subscription_of(id).is_some_and(|subscription| {
            let mut groups = subscription.resource_groups.iter();
            groups.any(|(name, _)| is(name))
        });
        listed || self.regions().into_iter().any(|(id, _)| is_of(id))
    }

    /// What lies in a region: its id, and the region's name for people.
    pub(crate) fn regions(&self) -> Vec<(&ResourceId, &str)> {
        let clusters = self.clusters.iter().map(|c| (&c.id, c.location.as_str()));
        let namespaces = self.namespaces.iter().map(|n| (&n.id, n.location.as_str()));
        let accounts = self.storage_accounts.iter();
        let accounts = accounts.map(|account| (&account.id, account.location.as_str()));
        let topics = self.system_topics.iter();
        let topics = topics.map(|topic| (&topic.id, topic.location.as_str()));
        clusters.chain(namespaces).chain(accounts).chain(topics).collect()
    }

    /// A cluster by resource id.
    pub fn cluster(&self, id: &ResourceId) -> Option<&Cluster> {
        self.clusters.iter().find(|c| c.id == *id)
    }

    /// A database by resource id.
    pub fn database(&self, id: &ResourceId) -> Option<(&Cluster, &Database)> {
        let cluster = self.cluster(&id.parent()?)?;
        let database = cluster
            .databases
            .iter()
            .find(|d| d.name.eq_ignore_ascii_case(id.name()))?;
        id.is_type("Microsoft.Kusto", &["clusters", "databases"])
            .then_some((cluster, database))
    }

    /// A namespace by resource id.
    pub fn namespace(&self, id: &ResourceId) -> Option<&Namespace> {
        self.namespaces.iter().find(|n| n.id == *id)
    }

    /// An event hub by resource id.
    pub fn event_hub(&self, id: &ResourceId) -> Option<(&Namespace, &EventHub)> {
        let namespace = self.namespace(&id.parent()?)?;
        let hub = namespace
            .event_hubs
            .iter()
            .find(|h| h.name.eq_ignore_ascii_case(id.name()))?;
        id.is_type("Microsoft.EventHub", &["namespaces", "eventhubs"])
            .then_some((namespace, hub))
    }

    /// A data connection by resource id.
    pub fn connection(&self, id: &ResourceId) -> Option<&DataConnection> {
        self.data_connections.iter().find(|c| c.id == *id)
    }

    /// An operation by its GUID. The young ones are the ones that are asked for.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations
            .iter()
            .rev()
            .find(|o| o.id.eq_ignore_ascii_case(id))
    }
}
