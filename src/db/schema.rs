//! Migrations, the serving role's rights, and what `serve` demands of the role it runs as.

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::DbError;

/// The migrations, from the folder `migrations`, inside the binary.
static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// What the serving role may do, table by table; all else it may not.
const GRANTS: [(&str, &str); 6] = [
    ("people", "select, insert, update"),
    ("connections", "select, insert, update"),
    ("connection_people", "select, insert"),
    ("connection_notes", "select, insert"),
    ("operations", "select, insert, update"),
    // Append-only: no update, no delete, no truncate.
    ("ledger_events", "select, insert"),
];

/// Why the database is not as the service needs it.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A statement failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A migration failed; what it had begun was rolled back.
    #[error("a migration failed: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The role's name can't be used.
    #[error(
        "'{0}' is no name of a serving role: lower-case letters, digits and underscores, not the owner itself"
    )]
    Role(String),
    /// The role `serve` would run as can change the ledger.
    #[error(
        "the role '{0}' may change the ledger; serve as the role that `migrate --serving-role` was given"
    )]
    TooPowerful(String),
    /// The schema is older or newer than this binary.
    #[error(
        "the database has migrations {found:?}, this version needs {needed:?}; run `tenant-bridge migrate` of this version"
    )]
    Version {
        /// The versions in the database.
        found: Vec<i64>,
        /// The versions in the binary.
        needed: Vec<i64>,
    },
}

impl From<sqlx::Error> for SchemaError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Brings the schema up to date and gives the serving role its rights. Run as the owner; repeating it changes nothing.
///
/// # Errors
/// When a migration fails or the role doesn't exist.
pub async fn migrate(pool: &PgPool, serving_role: &str) -> Result<(), SchemaError> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let owner: String = sqlx::query_scalar("select current_user::text")
        .fetch_one(pool)
        .await?;
    if serving_role.is_empty() || serving_role == owner || !serving_role.bytes().all(legal) {
        return Err(SchemaError::Role(serving_role.to_owned()));
    }
    MIGRATOR.run(pool).await?;
    let mut transaction = pool.begin().await?;
    for (table, rights) in GRANTS {
        // The role's name was checked above, the rest are constants.
        let statement = format!(
            "revoke all on {table} from \"{serving_role}\"; grant {rights} on {table} to \"{serving_role}\""
        );
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *transaction)
            .await?;
    }
    let statement = format!("grant select on _sqlx_migrations to \"{serving_role}\"");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Checks that the schema is exactly this version's and that the current role can't change the ledger.
///
/// # Errors
/// What is wrong, and what to run.
pub async fn check_for_serving(db: &mut PgConnection) -> Result<(), SchemaError> {
    let found: Vec<i64> =
        sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
            .fetch_all(&mut *db)
            .await
            .or_else(|error| {
                match error
                    .as_database_error()
                    .and_then(sqlx::error::DatabaseError::code)
                {
                    // No table of migrations, or no right to read it: nothing was migrated for this role.
                    Some(code) if code == "42P01" || code == "42501" => Ok(Vec::new()),
                    _ => Err(error),
                }
            })?;
    let needed: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    if found != needed {
        return Err(SchemaError::Version { found, needed });
    }
    // True for owners and superusers too.
    let (role, powerful): (String, bool) = sqlx::query_as(
        "select current_user::text,
            has_table_privilege(current_user, 'ledger_events', 'UPDATE, DELETE, TRUNCATE')
            or exists (select from pg_class where oid = 'ledger_events'::regclass and pg_has_role(relowner, 'MEMBER'))",
    )
    .fetch_one(db)
    .await?;
    if powerful {
        return Err(SchemaError::TooPowerful(role));
    }
    Ok(())
}
