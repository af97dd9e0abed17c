//! Kusto clusters and what they hold.

use super::ResourceId;

/// A Kusto cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Resource id.
    pub id: ResourceId,
    /// Display name of its region, such as "West Europe".
    pub location: String,
    /// Its databases.
    pub databases: Vec<Database>,
}

/// A database.
#[derive(Clone, Debug)]
pub struct Database {
    /// Name as created.
    pub name: String,
    /// Its tables.
    pub tables: Vec<Table>,
}

/// A table; names are case-sensitive in Kusto.
#[derive(Clone, Debug)]
pub struct Table {
    /// Name.
    pub name: String,
    /// Names of its ingestion mappings.
    pub mappings: Vec<String>,
}

impl Database {
    /// A table by name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }
}
