//! What a caller asks for, once every part of it has been parsed.

use crate::domain::names::DataConnectionName;
use crate::domain::resource_id::{ClusterId, DataConnectionId};
use crate::domain::source::Source;
use crate::domain::target::Target;

/// A request to create a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConnection {
    /// The data connection's name.
    pub name: DataConnectionName,
    /// Where the events go.
    pub target: Target,
    /// Where the events come from.
    pub source: Source,
    /// Why it is wanted, in the caller's words; `visibility` decides who is shown it.
    pub justification: Option<String>,
}

impl NewConnection {
    /// The member of a request that names the data connection: a JSON pointer (RFC 6901).
    pub const NAME_POINTER: &str = "/name";

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
