//! Data connections: what is stored of one, and how a PUT or DELETE changes it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use super::keys::HeldKeys;
use super::{Operation, ResourceId, Resources};

/// Where a data connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Provisioning {
    /// The first PUT's operation runs.
    Creating,
    /// A later PUT's operation runs.
    Updating,
    /// A DELETE's operation runs.
    Deleting,
    /// At rest.
    Succeeded,
}

/// What a PUT asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) kind: String,
    /// As the caller spelt it; echoed, then shown as the cluster's.
    pub(crate) location: String,
    pub(crate) properties: Map<String, Value>,
}

/// A data connection.
#[derive(Clone, Debug)]
pub struct DataConnection {
    /// Resource id with the names as its creator wrote them.
    pub id: ResourceId,
    /// Where it stands.
    pub provisioning: Provisioning,
    /// When it was first made.
    pub created_at: DateTime<Utc>,
    /// Who made it: UPN or app id.
    pub created_by: String,
    /// When it was last written.
    pub modified_at: DateTime<Utc>,
    /// Who wrote it last.
    pub modified_by: String,
    pub(crate) wanted: Wanted,
    /// Members left out of an update become null; of a create, empty (recorded ARM traffic, 2020-02-15 and 2021-08-27).
    pub(crate) rewritten: bool,
    /// From when on it retrieves events if nobody said otherwise: the end of its create (recorded ARM traffic).
    pub(super) retrieval_start: DateTime<Utc>,
    /// The sources' keys as they were when the data connection was last written; none with a managed identity.
    pub(super) keys: HeldKeys,
    /// What to go back to when the running update fails.
    pub(super) before: Option<Box<DataConnection>>,
    /// The operation that decides about it; an older one that ends later changes nothing.
    pub(super) operation: Option<String>,
}

impl DataConnection {
    /// One that stands, as if made long ago, with the sources' keys.
    pub(crate) fn at_rest(
        id: ResourceId,
        wanted: Wanted,
        by: &str,
        now: DateTime<Utc>,
        keys: HeldKeys,
    ) -> DataConnection {
        DataConnection {
            id,
            provisioning: Provisioning::Succeeded,
            created_at: now,
            created_by: by.to_owned(),
            modified_at: now,
            modified_by: by.to_owned(),
            wanted,
            rewritten: false,
            retrieval_start: now,
            keys,
            before: None,
            operation: None,
        }
    }

    /// A text property as it was sent; nothing when absent, null or empty.
    pub(crate) fn text(&self, property: &str) -> Option<&str> {
        self.wanted.text(property)
    }
}

impl Wanted {
    /// A text property; nothing when absent, null or empty.
    pub(crate) fn text(&self, property: &str) -> Option<&str> {
        self.properties
            .get(property)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// The event hub that it names, with keys or with an identity.
    pub(crate) fn event_hub(&self) -> Option<&str> {
        self.text("eventHubResourceId")
            .or_else(|| self.text("eventHubResourceIdForManagedIdentity"))
    }

    /// The storage account that it names, in the same two ways.
    pub(crate) fn storage_account(&self) -> Option<&str> {
        self.text("storageAccountResourceId")
            .or_else(|| self.text("storageAccountResourceIdForManagedIdentity"))
    }
}

impl Resources {
    /// Starts a PUT: the resource is visible at once, the operation decides later.
    /// Gives whether it is new.
    pub(crate) fn put_connection(
        &mut self,
        id: &ResourceId,
        wanted: Wanted,
        by: &str,
        operation: Operation,
    ) -> bool {
        let now = operation.started;
        let keys = self.keys_for(&wanted);
        self.note_stale(id, &operation);
        let existing = self.data_connections.iter_mut().find(|c| c.id == *id);
        let is_new = existing.is_none();
        if let Some(connection) = existing {
            // A create that is still under way stays one: there is nothing to go back to.
            if connection.provisioning == Provisioning::Succeeded {
                connection.before = Some(Box::new(connection.clone()));
                connection.provisioning = Provisioning::Updating;
            }
            // What an update leaves out keeps its value (recorded ARM traffic, 2022-11-11).
            let chosen = connection
                .text("retrievalStartDate")
                .map(DateTime::parse_from_rfc3339);
            if let Some(Ok(chosen)) = chosen {
                connection.retrieval_start = chosen.to_utc();
            }
            connection.wanted = wanted;
            connection.keys = keys;
            connection.rewritten = true;
            connection.modified_at = now;
            by.clone_into(&mut connection.modified_by);
            connection.operation = Some(operation.id.clone());
        } else {
            let mut connection = DataConnection::at_rest(id.clone(), wanted, by, now, keys);
            connection.provisioning = Provisioning::Creating;
            connection.operation = Some(operation.id.clone());
            self.data_connections.push(connection);
        }
        self.operations.push(operation);
        is_new
    }

    /// Starts a DELETE. Gives whether there was something to remove.
    pub(crate) fn delete_connection(&mut self, id: &ResourceId, operation: Operation) -> bool {
        if self.connection(id).is_none() {
            return false;
        }
        self.note_stale(id, &operation);
        let Some(connection) = self.data_connections.iter_mut().find(|c| c.id == *id) else {
            return false;
        };
        connection.provisioning = Provisioning::Deleting;
        connection.operation = Some(operation.id.clone());
        self.operations.push(operation);
        true
    }

    /// The region of the cluster that a data connection belongs to.
    pub(crate) fn location_of(&self, id: &ResourceId) -> &str {
        let cluster = id.parent().and_then(|database| database.parent());
        cluster
            .and_then(|id| self.cluster(&id))
            .map_or("", |cluster| cluster.location.as_str())
    }
}
