//! Operations: the rows that are also the jobs. What a step writes under its lease is in `leases`.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{DbError, exactly_one};
use crate::domain::{
    ActorId, Awaiting, ClusterId, ConnectionId, Failure, OperationId, OperationRecord, TenantId, removal_hash,
};

/// The revision that a create makes.
pub const FIRST_REVISION: i32 = 1;

/// An operation to be recorded by the replica that has its tokens.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// The operation.
    pub record: OperationRecord,
    /// What is sent to ARM; none for a removal.
    pub body: Option<Arc<Value>>,
    /// SHA-256 of what is sent.
    pub body_hash: Option<Vec<u8>>,
    /// The api-version of the request to ARM.
    pub api_version: String,
    /// When a GET found nothing there.
    pub absence_seen_at: Option<DateTime<Utc>>,
    /// The fingerprint of what the caller saw at ARM and named as what is to be removed.
    pub accepted_fingerprint: Option<String>,
    /// The lease under which the recording replica drives it; none for one that waits for its turn, or has ended.
    pub lease: Option<Uuid>,
    /// The replica that records it.
    pub holder: Uuid,
}

/// Records an operation, under its first lease if it has one, in the round that is under way at its cluster.
///
/// # Errors
/// [`DbError::Conflict`] on `operations_one_in_flight` when another change of the connection is in flight.
pub async fn insert(
    db: &mut PgConnection,
    new: &NewOperation,
    cluster: &ClusterId,
    lease: Duration,
) -> Result<(), DbError> {
    let record = &new.record;
    let rows = sqlx::query!(
        "insert into operations (id, connection_id, kind, phase, person_id, app_id, correlation_id, body, body_hash,
            api_version, absence_seen_at, created_at, dispatched_at, deadline_at, finished_at, due_at, lease_token,
            lease_until, holder, dispatches, turn, revision, accepted_fingerprint)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, case when $4 = 'dispatched' then clock_timestamp() end,
            $13, $14, now(), $15, case when $15::uuid is null then null else now() + make_interval(secs => $16) end, $17,
            case when $4 = 'dispatched' then 1 else 0 end,
            coalesce((select round from cluster_slots where cluster_id = $18), 0), $19, $20)",
        record.id.uuid(),
        record.connection.uuid(),
        record.kind.as_str(),
        record.phase.as_str(),
        record.actor.uuid(),
        record.app,
        record.correlation_id,
        new.body.as_deref(),
        new.body_hash,
        new.api_version,
        new.absence_seen_at,
        record.created_at,
        record.deadline_at,
        record.finished_at,
        new.lease,
        lease.as_secs_f64(),
        new.holder,
        cluster.resource().canonical(),
        FIRST_REVISION,
        new.accepted_fingerprint
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record an operation", rows)
}

/// Drops the bodies of operations that ended so long ago, at most `most`. Returns how many.
///
/// # Errors
/// When the database cannot write it.
pub async fn drop_bodies(db: &mut PgConnection, older_than: Duration, most: i32) -> Result<i64, DbError> {
    let dropped = sqlx::query_scalar!(
        "select drop_operation_bodies(make_interval(secs => $1), $2) as \"dropped!\"",
        older_than.as_secs_f64(),
        most
    )
    .fetch_one(db)
    .await?;
    Ok(dropped)
}

/// An operation as SQL's `operation_record` returns it, unparsed.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    id: Uuid,
    connection_id: Uuid,
    kind: String,
    phase: String,
    person_id: Uuid,
    app_id: Uuid,
    correlation_id: Uuid,
    created_at: DateTime<Utc>,
    dispatched_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    deadline_at: DateTime<Utc>,
    error: Option<Value>,
    awaiting_tenant_id: Option<Uuid>,
    awaiting_claims: Option<String>,
    /// Whether its lease lasts.
    driven: bool,
    /// In hexadecimal.
    body_hash: Option<String>,
}

impl Row {
    pub(super) const fn id(&self) -> OperationId {
        OperationId::new(self.id)
    }

    pub(super) fn parse(self) -> Result<OperationRecord, DbError> {
        let connection = ConnectionId::new(self.connection_id);
        Ok(OperationRecord {
            id: OperationId::new(self.id),
            connection,
            kind: self.kind.parse().map_err(DbError::internal)?,
            phase: self.phase.parse().map_err(DbError::internal)?,
            actor: ActorId::new(self.person_id),
            app: self.app_id,
            correlation_id: self.correlation_id,
            created_at: self.created_at,
            dispatched_at: self.dispatched_at,
            finished_at: self.finished_at,
            deadline_at: self.deadline_at,
            failure: self
                .error
                .map(serde_json::from_value)
                .transpose()
                .map_err(DbError::internal)?,
            awaiting: self.awaiting_tenant_id.map(|tenant| Awaiting {
                tenant: TenantId::new(tenant),
                claims: self.awaiting_claims,
            }),
            driven: self.driven,
            ahead: None,
            request_hash: self.body_hash.unwrap_or_else(|| removal_hash(connection)),
        })
    }
}

/// An operation, without a visibility check.
pub async fn find(db: &mut PgConnection, id: OperationId) -> Result<Option<OperationRecord>, DbError> {
    let row = sqlx::query!(
        "select operation_record(o) as \"record!: Json<Row>\",
            case when phase = 'queued' and awaiting_tenant_id is null then
                (select count(*) from operations q where q.cluster_id = o.cluster_id and q.phase = 'queued'
                    and q.awaiting_tenant_id is null and (q.turn, q.id) < (o.turn, o.id))
                + (select count(*) from cluster_slots s where s.cluster_id = o.cluster_id and s.operation_id is not null)
            end as ahead
         from operations o where id = $1",
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let record = row.record.0.parse()?;
    Ok(Some(OperationRecord {
        ahead: row.ahead.and_then(|ahead| u32::try_from(ahead).ok()),
        ..record
    }))
}

/// The operation that makes a connection.
///
/// # Errors
/// When there is none, which is a defect, or the database can't answer.
pub async fn create_of(db: &mut PgConnection, connection: ConnectionId) -> Result<OperationRecord, DbError> {
    let row = sqlx::query_scalar!(
        "select operation_record(o) as \"record!: Json<Row>\"
         from operations o where connection_id = $1 and kind = 'create' order by id desc limit 1",
        connection.uuid()
    );
    row.fetch_one(db).await?.0.parse()
}

/// Records in whose name an open operation continues; returns whether it still was `before`'s and had not. Without its
/// lease: its holder writes other columns.
pub async fn continue_as(
    db: &mut PgConnection,
    operation: OperationId,
    before: ActorId,
    person: ActorId,
    app: Uuid,
) -> Result<bool, DbError> {
    let rows = sqlx::query!(
        "update operations set continued_by = $3, continued_app = $4
         where id = $1 and coalesce(continued_by, person_id) = $2 and awaiting_tenant_id is not null
           and phase in ('queued', 'dispatched', 'accepted', 'settling')",
        operation.uuid(),
        before.uuid(),
        person.uuid(),
        app
    )
    .execute(db)
    .await?
    .rows_affected();
    Ok(rows == 1)
}

/// How long ago the commit was made with which an operation's request was last to leave, by the one clock that all replicas share.
pub async fn dispatched_ago(db: &mut PgConnection, operation: OperationId) -> Result<Duration, DbError> {
    let seconds = sqlx::query_scalar!(
        "select extract(epoch from clock_timestamp() - coalesce(dispatched_at, created_at))::float8 as \"seconds!\" from operations where id = $1",
        operation.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Ends an operation that waits for its turn, whichever replica holds it: under the lock of its connection. Returns whether it was there to
/// be ended; one that was dispatched meanwhile is not.
pub async fn cancel(
    db: &mut PgConnection,
    operation: OperationId,
    failure: &Failure,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let rows = sqlx::query!(
        "update operations set phase = 'failed', error = $2, finished_at = $3, awaiting_tenant_id = null, awaiting_claims = null,
            lease_token = null, lease_until = null
         where id = $1 and phase = 'queued'",
        operation.uuid(),
        serde_json::to_value(failure).map_err(DbError::internal)?,
        now
    )
    .execute(db)
    .await?
    .rows_affected();
    Ok(rows == 1)
}

/// The other change of the same connection that is in flight, if one is.
pub async fn another_in_flight(
    db: &mut PgConnection,
    operation: &OperationRecord,
) -> Result<Option<OperationRecord>, DbError> {
    let row = sqlx::query_scalar!(
        "select operation_record(o) as \"record!: Json<Row>\" from operations o
         where connection_id = $1 and id <> $2 and phase in ('dispatched', 'accepted', 'settling')",
        operation.connection.uuid(),
        operation.id.uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(|Json(row)| row.parse()).transpose()
}
