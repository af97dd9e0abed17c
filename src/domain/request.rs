//! What a caller asks for, once every part of it has been parsed.

use crate::domain::names::{ConsumerGroup, DataConnectionName, DataFormat, EntityName};
use crate::domain::resource_id::{ClusterId, DataConnectionId, DatabaseId, EventHubId};

/// Where the events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The database that receives the events.
    pub database: DatabaseId,
    /// The table; without one each event must name its own (dynamic routing).
    pub table: Option<EntityName>,
    /// The ingestion mapping of that table.
    pub mapping: Option<EntityName>,
    /// The format of the events.
    pub data_format: Option<DataFormat>,
}

/// The event hub that the events come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHubSource {
    /// The event hub.
    pub hub: EventHubId,
    /// The consumer group that Azure Data Explorer reads with; no other reader may share it.
    pub consumer_group: ConsumerGroup,
}

/// A request to create a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConnection {
    /// The data connection's name.
    pub name: DataConnectionName,
    /// Where the events go.
    pub target: Target,
    /// Where the events come from.
    pub source: EventHubSource,
    /// Why it is wanted, in the caller's words; `visibility` decides who is shown it.
    pub justification: Option<String>,
}

impl NewConnection {
    /// The connection's identity at ARM.
    #[must_use]
    pub fn id(&self) -> DataConnectionId {
        self.target.database.data_connection(&self.name)
    }

    /// The cluster that receives the events.
    #[must_use]
    pub fn cluster(&self) -> ClusterId {
        self.target.database.cluster()
    }
}
