//! The records of connections, and the people who belong to them.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{DbError, exactly_one, operations};
use crate::connection::{
    ActorId, ConnectionId, ConnectionRecord, DataConnectionId, DataFormat, Desired, EntityName,
    EventHubSource, Observed, Target, TenantId,
};

/// What a person is to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The user of the `Authorization` token.
    Actor,
    /// The user of an auxiliary token.
    Participant,
}

/// Records a connection before anything is sent.
///
/// # Errors
/// [`DbError::Conflict`] on `connections_one_open` when the data connection has a record that is not finally absent.
pub async fn insert(db: &mut PgConnection, record: &ConnectionRecord) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "insert into connections (id, arm_id, arm_id_written, name, target_tenant_id, source_tenant_id, database_id,
            table_name, mapping_name, data_format, source_kind, source_id, consumer_group, location, request_hash,
            created_by, created_at, desired, observed, observed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'eventHub', $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        record.id.uuid(),
        record.arm_id.resource().canonical(),
        record.arm_id.resource().as_written(),
        record.name.as_str(),
        record.target_tenant.uuid(),
        record.source_tenant.uuid(),
        record.target.database.resource().as_written(),
        record.target.table.as_ref().map(EntityName::as_str),
        record.target.mapping.as_ref().map(EntityName::as_str),
        record.target.data_format.map(DataFormat::as_str),
        record.source.hub.resource().as_written(),
        record.source.consumer_group.as_str(),
        record.location,
        record.request_hash,
        record.created_by.uuid(),
        record.created_at,
        record.desired.as_str(),
        record.observed.as_str(),
        record.observed_at
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record a connection", rows)
}

/// Records what a person is to a connection.
///
/// # Errors
/// When the database can't take it.
pub async fn add_person(
    db: &mut PgConnection,
    connection: ConnectionId,
    person: ActorId,
    part: Part,
    app: Uuid,
    token_mark: Option<&[u8]>,
) -> Result<(), DbError> {
    let part = match part {
        Part::Actor => "actor",
        Part::Participant => "participant",
    };
    sqlx::query!(
        "insert into connection_people (connection_id, person_id, part, app_id, token_mark) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        connection.uuid(),
        person.uuid(),
        part,
        app,
        token_mark
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the justification, with the salt of the hash that the ledger holds.
///
/// # Errors
/// When the database can't take it.
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

struct Row {
    id: Uuid,
    arm_id_written: String,
    name: String,
    target_tenant_id: Uuid,
    source_tenant_id: Uuid,
    database_id: String,
    table_name: Option<String>,
    mapping_name: Option<String>,
    data_format: Option<String>,
    source_id: String,
    consumer_group: String,
    location: String,
    request_hash: Vec<u8>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    desired: String,
    observed: String,
    observed_at: DateTime<Utc>,
    confirmed_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    justification: Option<String>,
    operation: Option<Json<operations::Row>>,
}

/// `select` of [`Row`], with the rest of the statement; the macro needs each as one literal.
///
/// A connection and its operation are read in one statement, since each statement sees its own moment: a record from before a
/// change and an operation from after it would make a state that never was. The operation is the one that waits, else the one
/// under way, else the last; ids alone don't tell, since replicas' clocks differ.
macro_rules! select {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            "select c.id, c.arm_id_written, c.name, c.target_tenant_id, c.source_tenant_id, c.database_id, c.table_name,
                c.mapping_name, c.data_format, c.source_id, c.consumer_group, c.location, c.request_hash, c.created_by,
                c.created_at, c.desired, c.observed, c.observed_at, c.confirmed_at, c.closed_at,
                n.justification as \"justification?\",
                (select to_jsonb(newest) from (
                    select o.id, o.connection_id, o.kind, o.phase, o.person_id, o.app_id, o.correlation_id, o.created_at,
                        o.dispatched_at, o.finished_at, o.deadline_at, o.error, o.awaiting_tenant_id
                    from operations o where o.connection_id = c.id
                    order by o.phase in ('succeeded', 'failed'), o.phase <> 'queued', o.id desc limit 1
                ) newest) as \"operation?: Json<operations::Row>\"
             from connections c left join connection_notes n on n.connection_id = c.id " + $rest
            $(, $argument)*
        )
    };
}

impl Row {
    fn parse(self) -> Result<ConnectionRecord, DbError> {
        let optional =
            |text: Option<String>| text.map(|text| text.parse()).transpose().map_err(DbError::defect);
        Ok(ConnectionRecord {
            id: ConnectionId::new(self.id),
            arm_id: self.arm_id_written.parse().map_err(DbError::defect)?,
            name: self.name.parse().map_err(DbError::defect)?,
            target_tenant: TenantId::new(self.target_tenant_id),
            source_tenant: TenantId::new(self.source_tenant_id),
            target: Target {
                database: self.database_id.parse().map_err(DbError::defect)?,
                table: optional(self.table_name)?,
                mapping: optional(self.mapping_name)?,
                data_format: self
                    .data_format
                    .map(|text| text.parse())
                    .transpose()
                    .map_err(DbError::defect)?,
            },
            source: EventHubSource {
                hub: self.source_id.parse().map_err(DbError::defect)?,
                consumer_group: self.consumer_group.parse().map_err(DbError::defect)?,
            },
            location: self.location,
            request_hash: self.request_hash,
            created_by: ActorId::new(self.created_by),
            created_at: self.created_at,
            desired: self.desired.parse().map_err(DbError::defect)?,
            observed: self.observed.parse().map_err(DbError::defect)?,
            observed_at: self.observed_at,
            confirmed_at: self.confirmed_at,
            closed_at: self.closed_at,
            justification: self.justification,
            last_operation: self.operation.map(|Json(row)| row.parse()).transpose()?,
        })
    }
}

/// The record of a data connection that is not finally absent, whoever may see it.
///
/// # Errors
/// When the database can't answer.
pub async fn find_open(
    db: &mut PgConnection,
    arm_id: &DataConnectionId,
) -> Result<Option<ConnectionRecord>, DbError> {
    let row = select!(
        "where c.arm_id = $1 and c.closed_at is null",
        arm_id.resource().canonical()
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::parse).transpose()
}

/// A connection, whoever may see it.
///
/// # Errors
/// When the database can't answer.
pub async fn find(db: &mut PgConnection, id: ConnectionId) -> Result<Option<ConnectionRecord>, DbError> {
    let row = select!("where c.id = $1", id.uuid()).fetch_optional(db).await?;
    row.map(Row::parse).transpose()
}

/// A connection, if this person is its actor or a participant. The justification is for its actor alone.
///
/// # Errors
/// When the database can't answer.
pub async fn find_visible(
    db: &mut PgConnection,
    id: ConnectionId,
    viewer: ActorId,
) -> Result<Option<ConnectionRecord>, DbError> {
    let row = select!(
        "and exists (select from connection_people p
            where p.connection_id = c.id and p.person_id = $2 and p.part = 'actor')
         where c.id = $1
           and exists (select from connection_people p where p.connection_id = c.id and p.person_id = $2)",
        id.uuid(),
        viewer.uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::parse).transpose()
}

/// The connections that this person is actor or participant of, newest first, older than `before`, at most `limit`.
/// The justification is for its actor alone.
///
/// # Errors
/// When the database can't answer.
pub async fn list_visible(
    db: &mut PgConnection,
    viewer: ActorId,
    before: Option<ConnectionId>,
    limit: i64,
) -> Result<Vec<ConnectionRecord>, DbError> {
    // Ids are UUIDv7, so their order is the order of creation. The inner select walks the index by person.
    let rows = select!(
        "and exists (select from connection_people p
            where p.connection_id = c.id and p.person_id = $1 and p.part = 'actor')
         where c.id in (select distinct p.connection_id from connection_people p
            where p.person_id = $1 and ($2::uuid is null or p.connection_id < $2)
            order by p.connection_id desc limit $3)
         order by c.id desc",
        viewer.uuid(),
        before.map(ConnectionId::uuid),
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::parse).collect()
}

/// Locks a connection's row until the transaction ends, so that changes of what is wanted come one after the other.
///
/// # Errors
/// When the connection doesn't exist or the database can't answer.
pub async fn lock(db: &mut PgConnection, id: ConnectionId) -> Result<(), DbError> {
    let rows = sqlx::query!("select id from connections where id = $1 for update", id.uuid())
        .fetch_all(db)
        .await?
        .len();
    exactly_one("lock a connection", u64::try_from(rows).unwrap_or(u64::MAX))
}

/// Records what is wanted from now on.
///
/// # Errors
/// When the connection doesn't exist or the database can't take it.
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
///
/// # Errors
/// When the connection doesn't exist or the database can't take it.
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
            closed_at = case when $4 then coalesce(closed_at, $3) else closed_at end
         where id = $1",
        id.uuid(),
        observed.as_str(),
        at,
        closed,
        confirmed
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record what was observed", rows)
}
