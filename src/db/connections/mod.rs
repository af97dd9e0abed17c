//! The records of connections, and the people who belong to them: how they are made and changed. How they are found is in
//! the module below.

mod find;
mod recheck;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{DbError, exactly_one};
use crate::domain::{
    ActorId, ConnectionId, DataFormat, Desired, EntityName, FoundResource, NewRecord, Observed,
};

pub use find::{
    ConnectionWithRole, ListScope, Listed, Selection, find, find_open, find_with_role, list, readers_beside,
    unanswered_removal,
};
pub use recheck::{
    due_for_recheck, expect_late_effect, expect_nothing_late, recheck_later, rechecked, reopen, to_recheck_at,
};

/// What a person is to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionRole {
    /// The user of the `Authorization` token.
    Actor,
    /// The user of an auxiliary token.
    Participant,
}

impl ConnectionRole {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Participant => "participant",
        }
    }

    /// The role of a stored word, if there is one.
    pub(in crate::db) fn of_word(word: Option<&str>) -> Result<Option<Self>, DbError> {
        match word {
            None => Ok(None),
            Some("actor") => Ok(Some(Self::Actor)),
            Some("participant") => Ok(Some(Self::Participant)),
            Some(other) => Err(DbError::Internal(format!("the unknown part '{other}'"))),
        }
    }
}

/// Records a connection and the resources that it touches, before anything is sent. Its settings are those of its revision, which
/// the same transaction records.
///
/// # Errors
/// [`DbError::Conflict`] on `connections_one_open` when the data connection has a record that is not finally absent.
pub async fn insert(db: &mut PgConnection, record: &NewRecord) -> Result<(), DbError> {
    let touched = record.resources();
    let roles: Vec<&str> = touched.iter().map(|resource| resource.role).collect();
    let ids: Vec<&str> = touched.iter().map(|resource| resource.id.canonical()).collect();
    let written: Vec<&str> = touched.iter().map(|resource| resource.id.as_written()).collect();
    let tenants: Vec<Uuid> = touched.iter().map(|resource| resource.tenant.uuid()).collect();
    // `table_name`, `mapping_name` and `data_format` are written for replicas of the previous version, which read the settings there. A
    // later contract migration drops them, and what the trigger `operations_revision` reads of them.
    let rows = sqlx::query!(
        "with touched as (
            insert into connection_resources (connection_id, role, resource_id, resource_id_written, tenant_id)
            select $1, r.* from unnest($21::text[], $22::text[], $23::text[], $24::uuid[]) r
         )
         insert into connections (id, arm_id, arm_id_written, name, target_tenant_id, source_tenant_id, database_id,
            table_name, mapping_name, data_format, source_kind, source_id, consumer_group, location, request_hash,
            created_by, created_at, desired, observed, observed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        record.id.uuid(),
        record.arm_id.resource().canonical(),
        record.arm_id.resource().as_written(),
        record.name.as_str(),
        record.target_tenant.uuid(),
        record.source_tenant.uuid(),
        record.target.database.resource().as_written(),
        record.target.settings.table.as_ref().map(EntityName::as_str),
        record.target.settings.mapping.as_ref().map(EntityName::as_str),
        record.target.settings.data_format.map(DataFormat::as_str),
        record.source.kind(),
        record.source.resource().as_written(),
        record.source.consumer_group().as_str(),
        record.location,
        record.request_hash,
        record.created_by.uuid(),
        record.created_at,
        Desired::Present.as_str(),
        Observed::Unknown.as_str(),
        record.absent_at,
        &roles as &[&str],
        &ids as &[&str],
        &written as &[&str],
        &tenants
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record a connection", rows)
}

/// Records what a person is to a connection.
pub async fn add_principal(
    db: &mut PgConnection,
    connection: ConnectionId,
    person: ActorId,
    part: ConnectionRole,
    app: Uuid,
    token_mark: Option<&[u8]>,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into connection_people (connection_id, person_id, part, app_id, token_mark) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        connection.uuid(),
        person.uuid(),
        part.as_str(),
        app,
        token_mark
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the justification, with the salt of the hash that the ledger holds.
pub async fn add_note(
    db: &mut PgConnection,
    connection: ConnectionId,
    justification: &str,
    salt: &[u8],
) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "insert into connection_notes (connection_id, justification, salt) values ($1, $2, $3)",
        connection.uuid(),
        justification,
        salt
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("keep a justification", rows)
}

/// Locks a connection's row until the transaction ends, so that changes of what is wanted come one after the other.
pub async fn lock(db: &mut PgConnection, id: ConnectionId) -> Result<(), DbError> {
    let rows = sqlx::query!("select id from connections where id = $1 for update", id.uuid())
        .fetch_all(db)
        .await?
        .len();
    exactly_one("lock a connection", u64::try_from(rows).unwrap_or(u64::MAX))
}

/// Whether a connection, locked before, may still be made: it is wanted and not finally absent.
pub async fn is_to_be_made(db: &mut PgConnection, id: ConnectionId) -> Result<bool, DbError> {
    let is_to_be = sqlx::query_scalar!(
        "select closed_at is null and desired = 'present' as \"is_to_be!\" from connections where id = $1",
        id.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(is_to_be)
}

/// Records what is wanted from now on.
pub async fn set_desired(db: &mut PgConnection, id: ConnectionId, desired: Desired) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "update connections set desired = $2 where id = $1",
        id.uuid(),
        desired.as_str()
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record what is wanted", rows)
}

/// Records what is now known of ARM. `closed` says that the connection is finally absent, so that its name is
/// free again; `confirmed` that a create ended with it there.
pub async fn set_observed(
    db: &mut PgConnection,
    id: ConnectionId,
    observed: Observed,
    at: DateTime<Utc>,
    closed: bool,
    confirmed: bool,
) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "update connections set observed = $2, observed_at = $3,
            confirmed_at = case when $5 then coalesce(confirmed_at, $3) else confirmed_at end,
            closed_at = case when $4 then coalesce(closed_at, clock_timestamp()) else closed_at end,
            recheck_at = case when $4 and closed_at is null and confirmed_at is null and recheck_step is not null
                then clock_timestamp() + make_interval(secs => $6) else recheck_at end
         where id = $1",
        id.uuid(),
        observed.as_str(),
        at,
        closed,
        confirmed,
        recheck::first()
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record what was observed", rows)
}

/// Records what a read found although the record says otherwise. The version rises when it is another than before.
pub async fn set_found(
    db: &mut PgConnection,
    id: ConnectionId,
    found: &FoundResource,
) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "update connections set found = $2,
            version = version + case when found ->> 'fingerprint' is distinct from $3 then 1 else 0 end
         where id = $1",
        id.uuid(),
        serde_json::to_value(found).map_err(DbError::internal)?,
        found.fingerprint
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record what was found", rows)
}
