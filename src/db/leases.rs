//! Leases of operations: how one is got, kept and found lost. They live by Postgres's clock, and each has a random token that
//! every write under it must show.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::operations::Row;
use super::pool::alone;
use super::{DbError, exactly_one};
use crate::connection::{ConnectionId, OperationId, OperationRecord};

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

struct ClaimRow {
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
    body_hash: Option<String>,
    lease_token: Option<Uuid>,
    body: Option<Value>,
    arm_operation_url: Option<String>,
    absent_reads: i32,
}

impl ClaimRow {
    fn parse(self) -> Result<Claim, DbError> {
        let record = Row {
            id: self.id,
            connection_id: self.connection_id,
            kind: self.kind,
            phase: self.phase,
            person_id: self.person_id,
            app_id: self.app_id,
            correlation_id: self.correlation_id,
            created_at: self.created_at,
            dispatched_at: self.dispatched_at,
            finished_at: self.finished_at,
            deadline_at: self.deadline_at,
            error: self.error,
            awaiting_tenant_id: self.awaiting_tenant_id,
            awaiting_claims: self.awaiting_claims,
            body_hash: self.body_hash,
        };
        Ok(Claim {
            record: record.parse()?,
            lease: self
                .lease_token
                .ok_or_else(|| DbError::Defect("a claim without a lease".to_owned()))?,
            body: self.body,
            arm_operation_url: self.arm_operation_url,
            absent_reads: self.absent_reads,
        })
    }
}

/// Claims operations that are due and that nobody holds, the longest due first. Those that wait for a caller are left to
/// whoever brings the tokens, unless they are among `held`: the operations whose tokens this replica still has; or may have
/// been sent to a tenant among `own`, where the service can read by itself.
///
/// # Errors
/// When the database can't answer.
pub async fn claim_due(
    db: &mut PgConnection,
    limit: i64,
    held: &[Uuid],
    own: &[Uuid],
    lease: Duration,
) -> Result<Vec<Claim>, DbError> {
    let statement = sqlx::query_as!(
        ClaimRow,
        "with due as (
            select id from operations
            where phase in ('queued', 'dispatched', 'accepted', 'settling')
              and due_at <= now() and (lease_until is null or lease_until < now())
              and (awaiting_tenant_id is null or id = any($3)
                or (phase <> 'queued' and awaiting_tenant_id = any($4)))
            order by due_at limit $1
            for update skip locked
         )
         update operations o
         set lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => $2), attempts = attempts + 1
         from due where o.id = due.id
         returning o.id, o.connection_id, o.kind, o.phase, coalesce(o.continued_by, o.person_id) as \"person_id!\",
            coalesce(o.continued_app, o.app_id) as \"app_id!\", o.correlation_id, o.created_at, o.dispatched_at,
            o.finished_at, o.deadline_at, o.error, o.awaiting_tenant_id, o.awaiting_claims,
            encode(o.body_hash, 'hex') as body_hash, o.lease_token, o.body, o.arm_operation_url, o.absent_reads",
        limit,
        lease.as_secs_f64(),
        held,
        own
    )
    .fetch_all(db);
    let rows = alone("claim what is due", statement).await?;
    Ok(readable(rows))
}

/// The claims that this version understands. One that it doesn't, which a newer version may have written, keeps no other from
/// going on; its lease runs out by itself.
fn readable(rows: Vec<ClaimRow>) -> Vec<Claim> {
    let parsed = rows.into_iter().map(ClaimRow::parse);
    parsed
        .filter_map(|claim| {
            claim
                .inspect_err(|error| tracing::error!(error = %error, "an operation can't be understood"))
                .ok()
        })
        .collect()
}

/// Claims every operation of one connection that has not ended and that nobody holds, due or not: for a caller who is here
/// and brings the tokens.
///
/// # Errors
/// When the database can't answer.
pub async fn claim_of(
    db: &mut PgConnection,
    connection: ConnectionId,
    lease: Duration,
) -> Result<Vec<Claim>, DbError> {
    let statement = sqlx::query_as!(
        ClaimRow,
        "with free as (
            select id from operations
            where connection_id = $1 and phase in ('queued', 'dispatched', 'accepted', 'settling')
              and (lease_until is null or lease_until < now())
            for update skip locked
         )
         update operations o
         set lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => $2), attempts = attempts + 1
         from free where o.id = free.id
         returning o.id, o.connection_id, o.kind, o.phase, coalesce(o.continued_by, o.person_id) as \"person_id!\",
            coalesce(o.continued_app, o.app_id) as \"app_id!\", o.correlation_id, o.created_at, o.dispatched_at,
            o.finished_at, o.deadline_at, o.error, o.awaiting_tenant_id, o.awaiting_claims,
            encode(o.body_hash, 'hex') as body_hash, o.lease_token, o.body, o.arm_operation_url, o.absent_reads",
        connection.uuid(),
        lease.as_secs_f64()
    )
    .fetch_all(db);
    let rows = alone("claim the operations of a connection", statement).await?;
    Ok(readable(rows))
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
    let statement = sqlx::query!(
        "update operations set lease_until = now() + make_interval(secs => $3)
         where id = $1 and lease_token = $2 and lease_until > now()",
        operation.uuid(),
        token,
        lease.as_secs_f64()
    )
    .execute(db);
    held(alone("renew a lease", statement).await?.rows_affected())
}

/// How long until [`claim_due`] may find something; `None` if nothing is open.
///
/// # Errors
/// When the database can't answer.
pub async fn next_due(
    db: &mut PgConnection,
    held: &[Uuid],
    own: &[Uuid],
) -> Result<Option<Duration>, DbError> {
    let seconds = sqlx::query_scalar!(
        "select greatest(extract(epoch from min(greatest(due_at, coalesce(lease_until, due_at))) - now()), 0)::float8
         from operations
         where phase in ('queued', 'dispatched', 'accepted', 'settling')
           and (awaiting_tenant_id is null or id = any($1)
             or (phase <> 'queued' and awaiting_tenant_id = any($2)))",
        held,
        own
    )
    .fetch_one(db)
    .await?;
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
}

/// What the number of rows that a fenced write changed says of the lease.
pub(super) fn held(rows: u64) -> Result<(), DbError> {
    match rows {
        0 => Err(DbError::LeaseLost),
        rows => exactly_one("write under a lease", rows),
    }
}
