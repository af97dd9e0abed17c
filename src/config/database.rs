//! `[database]`: one URL for serving, another role's for migrating.

use std::path::Path;
use std::time::Duration;

use super::{ConfigError, Reader};
use crate::db::PoolOptions;

/// The database, as the serving role.
#[derive(Debug, Clone)]
pub struct DatabaseSection {
    /// How to reach it.
    pub pool: PoolOptions,
}

impl DatabaseSection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let url = reader.secret_url(
            "database.url",
            "postgres://role:password@host/database of the serving role",
        );
        let max_connections = reader.at_least("database.max_connections", 2, 10);
        let acquire_timeout = reader.duration(
            "database.acquire_timeout",
            // A request that can't be recorded must be refused within two seconds.
            Duration::from_millis(1500),
            Duration::from_secs(30),
        );
        // `migrate` alone uses it; it may stand in the same file.
        let _: Option<String> = reader.maybe("database.owner_url");
        let _: Option<String> = reader.maybe("database.serving_role");
        Some(Self {
            pool: PoolOptions {
                url: url?,
                max_connections: max_connections?,
                acquire_timeout: acquire_timeout?,
            },
        })
    }
}

/// All that `migrate` needs.
#[derive(Debug, Clone)]
pub struct MigrationSection {
    /// How to reach the database as the schema's owner.
    pub pool: PoolOptions,
    /// The role that `serve` runs as.
    pub serving_role: String,
}

impl MigrationSection {
    /// Reads `database.owner_url` and `database.serving_role`, and looks at nothing else.
    ///
    /// # Errors
    /// What is missing or malformed.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut reader = Reader::open(file)?;
        let url = reader.secret_url(
            "database.owner_url",
            "postgres://role:password@host/database of the schema's owner",
        );
        let serving_role: Option<String> =
            reader.required("database.serving_role", "the role that `serve` runs as");
        reader.finish()?;
        match (url, serving_role) {
            (Some(url), Some(serving_role)) => Ok(Self {
                pool: PoolOptions {
                    url,
                    max_connections: 1,
                    acquire_timeout: Duration::from_secs(10),
                },
                serving_role,
            }),
            _ => Err(ConfigError::incomplete()),
        }
    }
}
