//! Migrations, the serving role's rights, and what `serve` demands of the role it runs as.

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use super::DbError;

/// The migrations, from the folder `migrations`, inside the binary.
static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// What the serving role may do, table by table; all else it may not. What proves something (who, what was sent, when nothing
/// was there at first) it can write once and never change.
const GRANTS: [(&str, &str); 18] = [
    // The update of the tenant changes nothing: it is how a row that a concurrent request made is read.
    ("people", "select, insert, update (tenant_id, user_name)"),
    (
        "connections",
        "select, insert, update (desired, observed, observed_at, confirmed_at, closed_at, version, found, recheck_step, \
         recheck_at)",
    ),
    ("unsettled_connections", "select"),
    ("connection_people", "select, insert"),
    // What was asked for and sent never changes; that it was seen is added.
    (
        "connection_revisions",
        "select, insert, update (snapshot, confirmed_at)",
    ),
    ("connection_resources", "select, insert"),
    // Written by the triggers of the tables above, in the serving role's name; the last two for previous versions.
    (
        "connection_listings",
        "select, insert, update (shelf, part, tags)",
    ),
    ("connection_list_entries", "select, insert, update (part), delete"),
    ("connection_viewers", "select, insert, update (part), delete"),
    ("connection_notes", "select, insert"),
    (
        "operations",
        "select, insert, update (phase, absence_seen_at, dispatched_at, finished_at, arm_operation_url, absent_reads, error, \
         awaiting_tenant_id, awaiting_claims, continued_by, continued_app, due_at, deadline_at, attempts, lease_token, \
         lease_until, turn, dispatches, holder)",
    ),
    // Append-only: no update, no delete, no truncate; and its place in the ledger is not the writer's to choose.
    (
        "ledger_events",
        "select, insert (id, occurred_at, kind, connection_id, operation_id, person_id, app_id, request_id, \
         target_tenant_id, source_tenant_id, tenant_ids, details)",
    ),
    // The same for the positions of events.
    ("feed", "select, insert"),
    ("feed_epochs", "select, update (numbered_up_to)"),
    // What a key stands for never changes; it is forgotten after a while.
    ("idempotency_keys", "select, insert, delete"),
    ("schedules", "select, update (due_at, succeeded_at)"),
    (
        "cluster_slots",
        "select, insert, update (operation_id, held_until, round, not_before)",
    ),
    ("replicas", "select, insert, update (alive_until), delete"),
];

/// What the serving role may have done in the owner's name. The functions enforce what the owner wants: the ledger's minimum age.
const FUNCTIONS: [&str; 3] = [
    "make_ledger_partition(date)",
    "drop_ledger_partitions(interval)",
    "drop_operation_bodies(interval, integer)",
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

/// Migrates the schema and grants the serving role its rights. Run as the owner; repeating it changes nothing.
///
/// # Errors
/// When a migration fails or the role doesn't exist.
pub async fn migrate(pool: &PgPool, serving_role: &str) -> Result<(), SchemaError> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    // Not of the pool, whose statements may take few seconds: an index or a table's new values may take longer. What others wait for
    // behind this, a lock, it waits for no longer than they do.
    let mut db = pool.acquire().await?.detach();
    sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = '5s'")
        .execute(&mut db)
        .await?;
    let owner: String = sqlx::query_scalar("select current_user::text")
        .fetch_one(&mut db)
        .await?;
    if serving_role.is_empty() || serving_role == owner || !serving_role.bytes().all(legal) {
        return Err(SchemaError::Role(serving_role.to_owned()));
    }
    MIGRATOR.run(&mut db).await?;
    let mut transaction = db.begin().await?;
    for (table, rights) in GRANTS {
        // The role's name was checked above, the rest are constants.
        let statement = format!(
            "revoke all on {table} from \"{serving_role}\"; grant {rights} on {table} to \"{serving_role}\""
        );
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *transaction)
            .await?;
    }
    for function in FUNCTIONS {
        let statement = format!("grant execute on function {function} to \"{serving_role}\"");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *transaction)
            .await?;
    }
    let statement = format!("grant select on _sqlx_migrations to \"{serving_role}\"");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(db.close().await?)
}

/// The first word of the name of a migration that takes away what older versions need. All others only add, so that an old
/// version can be started beside a new one, and serves until the new one replaces it.
const CONTRACTS: &str = "contract";

/// Checks that the schema is one that this version can serve, and that the current role can't change the ledger. A newer
/// schema will do as long as it only adds.
///
/// # Errors
/// What is wrong, and what to run.
pub async fn check_for_serving(db: &mut PgConnection) -> Result<(), SchemaError> {
    let applied: Vec<(i64, String)> =
        sqlx::query_as("select version, description from _sqlx_migrations where success order by version")
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
    let newest = needed.last().copied().unwrap_or_default();
    let is_known = |version: &i64| needed.contains(version);
    let adds = |(version, description): &(i64, String)| {
        is_known(version) || (*version > newest && !description.starts_with(CONTRACTS))
    };
    let found: Vec<i64> = applied.iter().map(|(version, _)| *version).collect();
    if !needed.iter().all(|version| found.contains(version)) || !applied.iter().all(adds) {
        return Err(SchemaError::Version { found, needed });
    }
    // The rights are true for superusers too; who owns the schema or the database may drop and replace a table.
    let (role, powerful): (String, bool) = sqlx::query_as(
        "select current_user::text,
            exists (select from pg_class t join pg_namespace s on s.oid = t.relnamespace
                where t.oid in (select relid from pg_partition_tree('ledger_events'::regclass)
                        union all select 'feed'::regclass)
                  and (has_table_privilege(current_user, t.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
                    or has_any_column_privilege(current_user, t.oid, 'UPDATE')
                    or pg_has_role(t.relowner, 'MEMBER') or pg_has_role(s.nspowner, 'MEMBER')))
            or exists (select from pg_partition_tree('ledger_events'::regclass)
                where has_column_privilege(current_user, relid, 'sequence', 'INSERT'))
            or has_table_privilege(current_user, 'ledger_policy', 'INSERT, UPDATE, DELETE, TRUNCATE')
            or exists (select from pg_database where datname = current_database() and pg_has_role(datdba, 'MEMBER'))",
    )
    .fetch_one(db)
    .await?;
    if powerful {
        return Err(SchemaError::TooPowerful(role));
    }
    Ok(())
}
