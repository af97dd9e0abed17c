//! Leases of operations: how one is got, kept and found lost. They live by Postgres's clock, and each has a random token that
//! every write under it must show.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::operations::{FIRST_REVISION, Row};
use super::pool::autocommit;
use super::{DbError, exactly_one};
use crate::domain::ConnectionId;
use crate::domain::OperationId;
use crate::domain::OperationRecord;

/// An operation that this replica may step, as long as its lease lasts.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The operation.
    pub record: OperationRecord,
    /// The fencing token.
    pub lease: Uuid,
    /// What was or is to be sent to ARM.
    pub body: Option<Value>,
    /// The revision that it makes or removes.
    pub revision: i32,
    /// The fingerprint of what a caller saw at ARM and named as what is to be removed.
    pub accepted_fingerprint: Option<String>,
    /// Where ARM says how far it is.
    pub arm_operation_url: Option<String>,
    /// Reads in a row that found nothing while the outcome was unknown.
    pub absent_reads: i32,
    /// How often it was sent, or may have been.
    pub dispatches: i32,
    /// Whether this replica had it before, and so has waited with it already.
    pub resumed: bool,
    /// Whether another replica had it, and did not give it up.
    pub taken_over: bool,
}

/// Who claims, and what tokens they have.
#[derive(Debug, Clone, Copy)]
pub struct ClaimScope<'a> {
    /// The replica.
    pub replica: Uuid,
    /// The operations that it has tokens for.
    pub operations: &'a [Uuid],
    /// The connections that it has tokens to read for.
    pub connections: &'a [Uuid],
    /// The tenants where the service can read by itself.
    pub own: &'a [Uuid],
    /// The time, for deadlines.
    pub now: DateTime<Utc>,
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
    revision: Option<i32>,
    accepted_fingerprint: Option<String>,
    arm_operation_url: Option<String>,
    absent_reads: i32,
    dispatches: i32,
    resumed: Option<bool>,
    taken_over: Option<bool>,
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
            ahead: None,
            awaiting_claims: self.awaiting_claims,
            driven: true,
            body_hash: self.body_hash,
        };
        Ok(Claim {
            record: record.parse()?,
            lease: self
                .lease_token
                .ok_or_else(|| DbError::Defect("a claim without a lease".to_owned()))?,
            body: self.body,
            revision: self.revision.unwrap_or(FIRST_REVISION),
            accepted_fingerprint: self.accepted_fingerprint,
            arm_operation_url: self.arm_operation_url,
            absent_reads: self.absent_reads,
            dispatches: self.dispatches,
            resumed: self.resumed.unwrap_or(false),
            taken_over: self.taken_over.unwrap_or(false),
        })
    }
}

/// Claims operations that are due and that nobody holds, the longest due first; of those that wait for their cluster, the one
/// whose turn it is, and those whose turn won't come: what nobody alive has tokens for, and creates whose time is over. What waits
/// for a caller is left to whoever brings the tokens, unless this replica has some, or the service can read there by itself, or ARM
/// took it and its deadline has passed, so that it is unsettled; what a living replica has tokens for is left to that one.
///
/// # Errors
/// When the database can't answer.
pub async fn claim_due(
    db: &mut PgConnection,
    limit: i64,
    by: ClaimScope<'_>,
    lease: Duration,
) -> Result<Vec<Claim>, DbError> {
    let statement = sqlx::query_as!(
        ClaimRow,
        "with heads as (
            select distinct on (q.cluster_id, q.person_id) q.id, q.cluster_id, q.turn, q.due_at
            from operations q
            where q.phase = 'queued' and q.awaiting_tenant_id is null
              and not exists (select from operations b
                where b.connection_id = q.connection_id and b.phase in ('dispatched', 'accepted', 'settling'))
            order by q.cluster_id, q.person_id, q.turn, q.id
         ),
         next as (
            select distinct on (h.cluster_id) h.id from heads h left join cluster_slots s on s.cluster_id = h.cluster_id
            where h.due_at <= now() and (s.operation_id is null or s.held_until <= now())
              and (s.not_before is null or s.not_before <= now())
            order by h.cluster_id, h.turn, h.id
         ),
         due as (
            select o.id, o.holder from operations o
            where o.phase in ('queued', 'dispatched', 'accepted', 'settling')
              and (o.lease_until is null or o.lease_until < now())
              and (o.holder is null or o.holder = $3
                or not exists (select from replicas r where r.id = o.holder and r.alive_until > now()))
              and case
                when o.awaiting_tenant_id is not null then o.due_at <= now()
                    and (o.id = any($4) or (o.phase <> 'queued' and (o.connection_id = any($5) or o.awaiting_tenant_id = any($7))))
                when o.phase = 'queued' then o.id in (select n.id from next n) or o.holder is distinct from $3
                else o.due_at <= now()
              end
              or (o.deadline_at < $6 and (o.lease_until is null or o.lease_until < now())
                and (o.phase = 'queued' and o.kind = 'create' or o.phase = 'accepted' and o.awaiting_tenant_id is not null))
            order by o.due_at limit $1
            for update skip locked
         )
         update operations o
         set lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => $2), attempts = attempts + 1,
            holder = $3
         from due where o.id = due.id
         returning o.id, o.connection_id, o.kind, o.phase, coalesce(o.continued_by, o.person_id) as \"person_id!\",
            coalesce(o.continued_app, o.app_id) as \"app_id!\", o.correlation_id, o.created_at, o.dispatched_at,
            o.finished_at, o.deadline_at, o.error, o.awaiting_tenant_id, o.awaiting_claims,
            encode(o.body_hash, 'hex') as body_hash, o.lease_token, o.body, o.revision, o.accepted_fingerprint, o.arm_operation_url, o.absent_reads,
            o.dispatches, due.holder is not distinct from $3 as resumed, due.holder <> $3 as taken_over",
        limit,
        lease.as_secs_f64(),
        by.replica,
        by.operations,
        by.connections,
        by.now,
        by.own
    )
    .fetch_all(db);
    let rows = autocommit("claim what is due", statement).await?;
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

/// Claims every operation of one connection that may be in flight and that nobody holds, due or not: for a caller who is here
/// and brings the tokens.
///
/// # Errors
/// When the database can't answer.
pub async fn claim_of(
    db: &mut PgConnection,
    connection: ConnectionId,
    replica: Uuid,
    lease: Duration,
) -> Result<Vec<Claim>, DbError> {
    let statement = sqlx::query_as!(
        ClaimRow,
        "with free as (
            select id, holder from operations
            where connection_id = $1 and phase in ('dispatched', 'accepted', 'settling')
              and (lease_until is null or lease_until < now())
            for update skip locked
         )
         update operations o
         set lease_token = gen_random_uuid(), lease_until = now() + make_interval(secs => $2), attempts = attempts + 1,
            holder = $3
         from free where o.id = free.id
         returning o.id, o.connection_id, o.kind, o.phase, coalesce(o.continued_by, o.person_id) as \"person_id!\",
            coalesce(o.continued_app, o.app_id) as \"app_id!\", o.correlation_id, o.created_at, o.dispatched_at,
            o.finished_at, o.deadline_at, o.error, o.awaiting_tenant_id, o.awaiting_claims,
            encode(o.body_hash, 'hex') as body_hash, o.lease_token, o.body, o.revision, o.accepted_fingerprint, o.arm_operation_url, o.absent_reads,
            o.dispatches, false as resumed, free.holder <> $3 as taken_over",
        connection.uuid(),
        lease.as_secs_f64(),
        replica
    )
    .fetch_all(db);
    let rows = autocommit("claim the operations of a connection", statement).await?;
    Ok(readable(rows))
}

/// Puts an operation that waits for a caller back into its place in the queue: this replica has tokens for it now. Nothing
/// happens to one that is at work or no longer waits.
///
/// # Errors
/// When the database can't answer.
pub async fn requeue(db: &mut PgConnection, operation: OperationId, replica: Uuid) -> Result<(), DbError> {
    let statement = sqlx::query!(
        "update operations set awaiting_tenant_id = null, awaiting_claims = null, holder = $2, due_at = now()
         where id = $1 and phase = 'queued' and (lease_until is null or lease_until < now())
           and (awaiting_tenant_id is not null or holder is null
             or not exists (select from replicas r where r.id = holder and r.alive_until > now()))",
        operation.uuid(),
        replica
    )
    .execute(&mut *db);
    autocommit("put an operation back into the queue", statement).await?;
    super::cluster_locks::call(db).await
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
    held(autocommit("renew a lease", statement).await?.rows_affected())
}

/// How long until [`claim_due`] may find something; `None` if nothing is open.
///
/// # Errors
/// When the database can't answer.
pub async fn next_due(db: &mut PgConnection, by: ClaimScope<'_>) -> Result<Option<Duration>, DbError> {
    let seconds = sqlx::query_scalar!(
        "with heads as (
            select distinct on (q.cluster_id, q.person_id) q.id, q.cluster_id, q.turn, q.due_at
            from operations q
            where q.phase = 'queued' and q.awaiting_tenant_id is null
              and not exists (select from operations b
                where b.connection_id = q.connection_id and b.phase in ('dispatched', 'accepted', 'settling'))
            order by q.cluster_id, q.person_id, q.turn, q.id
         ),
         -- Those behind one that is due are called when its turn is over.
         next as (
            (select distinct on (h.cluster_id) h.id from heads h where h.due_at <= now() order by h.cluster_id, h.turn, h.id)
            union all
            (select h.id from heads h where h.due_at > now())
         )
         select extract(epoch from min(
            case when o.awaiting_tenant_id is not null then greatest(o.due_at, o.lease_until)
                when o.phase = 'queued' and o.holder is distinct from $1 then coalesce(o.lease_until, now())
                else greatest(o.due_at, o.lease_until,
                    case when o.phase = 'queued' then greatest(s.not_before, s.held_until) end) end) - now())::float8
         from operations o left join cluster_slots s on s.cluster_id = o.cluster_id
         where o.phase in ('queued', 'dispatched', 'accepted', 'settling')
           and (o.holder is null or o.holder = $1
             or not exists (select from replicas r where r.id = o.holder and r.alive_until > now()))
           and case
             when o.awaiting_tenant_id is not null then
                o.id = any($2)
                or (o.phase <> 'queued' and (o.connection_id = any($3) or o.awaiting_tenant_id = any($4)))
             when o.phase = 'queued' then o.id in (select n.id from next n) or o.holder is distinct from $1
             else true
           end",
        by.replica,
        by.operations,
        by.connections,
        by.own
    )
    .fetch_one(db)
    .await?;
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok()))
}

/// What the number of rows that a fenced write changed says of the lease.
fn held(rows: u64) -> Result<(), DbError> {
    match rows {
        0 => Err(DbError::LeaseLost),
        rows => exactly_one("write under a lease", rows),
    }
}
