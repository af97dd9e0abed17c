//! Where the events of a connection go, and how they are taken in.

use serde::{Deserialize, Serialize};

use crate::domain::names::{DataFormat, EntityName};
use crate::domain::resource_id::DatabaseId;

/// Where the events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The database that receives the events.
    pub database: DatabaseId,
    /// How they are taken in.
    pub settings: TargetSettings,
}

/// How the target takes the events in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetSettings {
    /// The table; without one each event must name its own (dynamic routing).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<EntityName>,
    /// The ingestion mapping of that table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<EntityName>,
    /// The format of the events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_format: Option<DataFormat>,
}

impl Target {
    /// The member of a request that names the database: a JSON pointer (RFC 6901).
    pub const DATABASE_POINTER: &str = "/target/database";
}
