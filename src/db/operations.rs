//! Operations: the rows that are also the jobs. Leases live by Postgres's clock, and every write by a worker is fenced
//! by the lease's random token: who lost the lease writes nothing.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{DbError, exactly_one};
use crate::connection::{ActorId, ConnectionId, Failure, OperationId, OperationRecord, Phase, TenantId};

/// An operation to be recorded, with the lease of the replica that records it.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// The operation.
    pub record: OperationRecord,
    /// What is sent to ARM; none for a removal.
    pub body: Option<Value>,
    /// SHA-256 of what is sent.
    pub body_hash: Option<Vec<u8>>,
    /// The api-version of the request to ARM.
    pub api_version: String,
    /// When a GET found nothing there.
    pub absence_seen_at: Option<DateTime<Utc>>,
    /// The lease under which the recording replica goes on.
    pub lease: Uuid,
}

/// An operation that this replica may step, as long as its lease lasts.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The operation.
    pub record: OperationRecord,
    /// The fencing token.
    pub lease: Uuid,
    /// What was or is to be sent to ARM.
    pub body: Option<Value>,
    /// Where ARM says how far it is.
    pub arm_operation_url: Option<String>,
    /// Reads in a row that found nothing while the outcome was unknown.
    pub absent_reads: i32,
}

/// What a step changes. The lease is prolonged, or given back when `release_for` says when to come again.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    /// How far it is now.
    pub phase: Phase,
    /// Where ARM says how far it is.
    pub arm_operation_url: Option<&'a str>,
    /// See [`Claim::absent_reads`].
    pub absent_reads: i32,
    /// Why it failed, or what is known so far.
    pub failure: Option<&'a Failure>,
    /// The tenant whose token it waits for.
    pub awaiting: Option<TenantId>,
    /// Give the lease back and be due after this long; `None` keeps it.
    pub release_for: Option<Duration>,
    /// The time now, for a phase that dispatches or ends.
    pub now: DateTime<Utc>,
}

/// Records an operation under its first lease.
///
/// # Errors
/// [`DbError::Conflict`] on `operations_one_in_flight` when another change of the connection is in flight.
pub async fn insert(db: &mut PgConnection, new: &NewOperation, lease: Duration) -> Result<(), DbError> {
    let record = &new.record;
    let rows = sqlx::query!(
        "insert into operations (id, connection_id, kind, phase, person_id, app_id, correlation_id, body, body_hash,
            api_version, absence_seen_at, created_at, dispatched_at, deadline_at, due_at, lease_token, lease_until)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, now(), $15,
            now() + make_interval(secs => $16))",
        record.id.uuid(),
        record.connection.uuid(),
        record.kind.as_str(),
        record.phase.as_str(),
        record.actor.uuid(),
        record.app,
        record.correlation_id,
        new.body,
        new.body_hash,
        new.api_version,
        new.absence_seen_at,
        record.created_at,
        record.dispatched_at,
        record.deadline_at,
        new.lease,
        lease.as_secs_f64()
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record an operation", rows)
}

struct Row {
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
}

impl Row {
    fn parse(self) -> Result<OperationRecord, DbError> {
        Ok(OperationRecord {
            id: OperationId::new(self.id),
            connection: ConnectionId::new(self.connection_id),
            kind: self.kind.parse().map_err(DbError::defect)?,
            phase: self.phase.parse().map_err(DbError::defect)?,
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
                .map_err(DbError::defect)?,
            awaiting: self.awaiting_tenant_id.map(TenantId::new),
        })
    }
}

/// An operation, whoever may see it.
///
/// # Errors
/// When the database can't answer.
pub async fn find(db: &mut PgConnection, id: OperationId) -> Result<Option<OperationRecord>, DbError> {
    let row = sqlx::query_as!(
        Row,
        "select id, connection_id, kind, phase, person_id, app_id, correlation_id, created_at, dispatched_at,
            finished_at, deadline_at, error, awaiting_tenant_id
         from operations where id = $1",
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::parse).transpose()
}

/// The newest operation of each of these connections.
///
/// # Errors
/// When the database can't answer.
pub async fn newest_of(
    db: &mut PgConnection,
    connections: &[Uuid],
) -> Result<HashMap<ConnectionId, OperationRecord>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        "select distinct on (connection_id) id, connection_id, kind, phase, person_id, app_id, correlation_id,
            created_at, dispatched_at, finished_at, deadline_at, error, awaiting_tenant_id
         from operations where connection_id = any($1) order by connection_id, id desc",
        connections
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| row.parse().map(|record| (record.connection, record)))
        .collect()
}

/// Claims operations that are due and that nobody holds, the longest due first.
///
/// # Errors
/// When the database can't answer.
pub async fn claim_due(db: &mut PgConnection, limit: i64, lease: Duration) -> Result<Vec<Claim>, DbError> {
    let rows = sqlx::query!(
        "with due as (
            select id from operations
            where phase in ('queued', 'dispatched', 'accepted', 'settling')
              and due_at <= now() and (lease_until is null or lease_until < now())
            order by due_at limit $1
            for update skip locked
         )
         update operations o
         set lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => $2), attempts = attempts + 1
         from due where o.id = due.id
         returning o.id, o.connection_id, o.kind, o.phase, o.person_id, o.app_id, o.correlation_id, o.created_at,
            o.dispatched_at, o.finished_at, o.deadline_at, o.error, o.awaiting_tenant_id, o.lease_token, o.body,
            o.arm_operation_url, o.absent_reads",
        limit,
        lease.as_secs_f64()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let lease = row
                .lease_token
                .ok_or_else(|| DbError::Defect("a claim without a lease".to_owned()))?;
            let record = Row {
                id: row.id,
                connection_id: row.connection_id,
                kind: row.kind,
                phase: row.phase,
                person_id: row.person_id,
                app_id: row.app_id,
                correlation_id: row.correlation_id,
                created_at: row.created_at,
                dispatched_at: row.dispatched_at,
                finished_at: row.finished_at,
                deadline_at: row.deadline_at,
                error: row.error,
                awaiting_tenant_id: row.awaiting_tenant_id,
            };
            Ok(Claim {
                record: record.parse()?,
                lease,
                body: row.body,
                arm_operation_url: row.arm_operation_url,
                absent_reads: row.absent_reads,
            })
        })
        .collect()
}

/// Prolongs the lease.
///
/// # Errors
/// [`DbError::LeaseLost`] if it ran out or another replica took it.
pub async fn renew(
    db: &mut PgConnection,
    operation: OperationId,
    token: Uuid,
    lease: Duration,
) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "update operations set lease_until = now() + make_interval(secs => $3)
         where id = $1 and lease_token = $2 and lease_until > now()",
        operation.uuid(),
        token,
        lease.as_secs_f64()
    )
    .execute(db)
    .await?
    .rows_affected();
    held(rows)
}

/// Writes a step's result under the lease.
///
/// # Errors
/// [`DbError::LeaseLost`] if the lease ran out or another replica took it; [`DbError::Conflict`] on
/// `operations_one_in_flight` when a queued operation would begin while another is in flight.
pub async fn save(
    db: &mut PgConnection,
    operation: OperationId,
    token: Uuid,
    progress: &Progress<'_>,
    lease: Duration,
) -> Result<(), DbError> {
    let failure = progress
        .failure
        .map(serde_json::to_value)
        .transpose()
        .map_err(DbError::defect)?;
    let releases = progress.release_for.is_some() || progress.phase.is_terminal();
    let rows = sqlx::query!(
        "update operations set phase = $3, arm_operation_url = $4, absent_reads = $5, error = $6,
            awaiting_tenant_id = $7,
            dispatched_at = case when $3 = 'queued' then null else coalesce(dispatched_at, $8) end,
            finished_at = case when $3 in ('succeeded', 'failed') then $8 else null end,
            due_at = now() + make_interval(secs => $9),
            lease_token = case when $10 then null else lease_token end,
            lease_until = case when $10 then null else now() + make_interval(secs => $11) end
         where id = $1 and lease_token = $2 and lease_until > now()",
        operation.uuid(),
        token,
        progress.phase.as_str(),
        progress.arm_operation_url,
        progress.absent_reads,
        failure,
        progress.awaiting.map(TenantId::uuid),
        progress.now,
        progress.release_for.unwrap_or_default().as_secs_f64(),
        releases,
        lease.as_secs_f64()
    )
    .execute(db)
    .await?
    .rows_affected();
    held(rows)
}

/// Makes an operation that waits due now, for somebody brought what it waited for.
///
/// # Errors
/// When the database can't take it.
pub async fn make_due(db: &mut PgConnection, operation: OperationId) -> Result<(), DbError> {
    sqlx::query!(
        "update operations set due_at = now() where id = $1 and due_at > now()",
        operation.uuid()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether another change of the same connection is in flight.
///
/// # Errors
/// When the database can't answer.
pub async fn another_in_flight(db: &mut PgConnection, operation: &OperationRecord) -> Result<bool, DbError> {
    let found = sqlx::query_scalar!(
        "select exists (select from operations
            where connection_id = $1 and id <> $2 and phase in ('dispatched', 'accepted', 'settling'))",
        operation.connection.uuid(),
        operation.id.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(found.unwrap_or(false))
}

/// How long until an operation that nobody holds is due; `None` if there is none.
///
/// # Errors
/// When the database can't answer.
pub async fn next_due(db: &mut PgConnection) -> Result<Option<Duration>, DbError> {
    let seconds = sqlx::query_scalar!(
        "select greatest(extract(epoch from min(greatest(due_at, coalesce(lease_until, due_at))) - now()), 0)::float8
         from operations where phase in ('queued', 'dispatched', 'accepted', 'settling')"
    )
    .fetch_one(db)
    .await?;
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
}

/// How many operations have not ended.
#[derive(Debug)]
pub struct OpenCounts {
    /// In each phase that is not terminal, none left out.
    pub by_phase: [(Phase, u64); 4],
    /// Of these, how many wait for somebody's token.
    pub awaiting: u64,
}

/// Counts the operations that have not ended.
///
/// # Errors
/// When the database can't answer.
pub async fn count_open(db: &mut PgConnection) -> Result<OpenCounts, DbError> {
    let rows = sqlx::query!(
        "select phase, count(*) as \"count!\", count(awaiting_tenant_id) as \"awaiting!\" from operations
         where phase in ('queued', 'dispatched', 'accepted', 'settling') group by phase"
    )
    .fetch_all(db)
    .await?;
    let count = |phase: Phase| {
        let found = rows
            .iter()
            .find(|row| row.phase == phase.as_str())
            .map_or(0, |row| row.count);
        (phase, u64::try_from(found).unwrap_or(0))
    };
    Ok(OpenCounts {
        by_phase: [Phase::Queued, Phase::Dispatched, Phase::Accepted, Phase::Settling].map(count),
        awaiting: rows
            .iter()
            .map(|row| u64::try_from(row.awaiting).unwrap_or(0))
            .sum(),
    })
}

fn held(rows: u64) -> Result<(), DbError> {
    match rows {
        0 => Err(DbError::LeaseLost),
        rows => exactly_one("write under a lease", rows),
    }
}
