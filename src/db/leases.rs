//! Leases of operations: how one is got, kept and found lost. They live by Postgres's clock, and each has a random token that
//! every write under it must show.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::DbError;
use super::operations::{FIRST_REVISION, NewOperation, Row};
use super::pool::autocommit;
use crate::domain::{ActorId, OperationId, OperationRecord};

/// An operation that this replica may step, as long as its lease lasts.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The operation.
    pub record: OperationRecord,
    /// The fencing token.
    pub lease: Uuid,
    /// What was or is to be sent to ARM.
    pub body: Option<Arc<Value>>,
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
    /// When a read found nothing there, directly before a create is sent again.
    pub absence_seen_at: Option<DateTime<Utc>>,
    /// Whether this replica had it before, and so has waited with it already.
    pub resumed: bool,
    /// Whether another replica had it, and did not release it.
    pub taken_over: bool,
    /// Whether another person than its first requester is its actor.
    pub continued: bool,
}

impl NewOperation {
    /// The claim of who recorded it; none on one that waits for its turn.
    #[must_use]
    pub fn claim(&self) -> Option<Claim> {
        Some(Claim {
            lease: self.lease?,
            record: self.record.clone(),
            body: self.body.clone(),
            revision: FIRST_REVISION,
            accepted_fingerprint: self.accepted_fingerprint.clone(),
            arm_operation_url: None,
            absent_reads: 0,
            dispatches: 1,
            absence_seen_at: None,
            resumed: false,
            taken_over: false,
            continued: false,
        })
    }
}

/// Who claims, and what tokens they have.
#[derive(Debug, Clone, Copy)]
pub struct ClaimScope<'a> {
    /// The replica.
    pub replica: Uuid,
    /// The operations that it has tokens for.
    pub operations: &'a [Uuid],
    /// The tenants where the service can read by itself.
    pub own: &'a [Uuid],
    /// The time, for deadlines.
    pub now: DateTime<Utc>,
}

struct ClaimRow {
    record: Json<Row>,
    lease_token: Option<Uuid>,
    body: Option<Value>,
    revision: Option<i32>,
    accepted_fingerprint: Option<String>,
    arm_operation_url: Option<String>,
    absent_reads: i32,
    dispatches: i32,
    resumed: Option<bool>,
    taken_over: Option<bool>,
    continued: Option<bool>,
}

impl ClaimRow {
    fn parse(self) -> Result<Claim, DbError> {
        Ok(Claim {
            record: self.record.0.parse()?,
            lease: self
                .lease_token
                .ok_or_else(|| DbError::Internal("a claim without a lease".to_owned()))?,
            body: self.body.map(Arc::new),
            revision: self.revision.unwrap_or(FIRST_REVISION),
            accepted_fingerprint: self.accepted_fingerprint,
            arm_operation_url: self.arm_operation_url,
            absent_reads: self.absent_reads,
            dispatches: self.dispatches,
            absence_seen_at: None,
            resumed: self.resumed.unwrap_or(false),
            taken_over: self.taken_over.unwrap_or(false),
            continued: self.continued.unwrap_or(false),
        })
    }
}

/// The statement that leases operations to the replica `$1` and returns them as [`ClaimRow`]. The text before it selects and locks
/// them, as `chosen (id, holder, resumed, leased_until)`.
macro_rules! lease {
    ($chosen:literal $(+ $more:literal)* $(, $argument:expr)*) => {
        sqlx::query_as!(
            ClaimRow,
            $chosen $(+ $more)* + "
             update operations o
             set lease_token = gen_random_uuid(), lease_until = chosen.leased_until, attempts = attempts + 1, holder = $1
             from chosen where o.id = chosen.id
             returning operation_record(o) as \"record!: Json<Row>\", o.lease_token, o.body, o.revision, o.accepted_fingerprint,
                o.arm_operation_url, o.absent_reads, o.dispatches, chosen.resumed, chosen.holder <> $1 as taken_over,
                o.continued_by <> o.person_id as continued"
            $(, $argument)*
        )
    };
}

/// The rule by which replicas claim operations, in the one place that [`claim_due`] and [`next_due`] share: a statement over
/// the open operations `o`, with `claimable.at`, the time from which the replica may claim each; null if it may not now.
///
/// A replica leaves to another one that lives what that one holds. What waits for a caller is claimed where this replica has tokens,
/// or the service can read by itself. Of a cluster's queue one is claimed, when its turn has come and the cluster is free: of each
/// caller's first changes (`heads`), the first in turn of those that are due; those that are not due yet count when they are. What a
/// dead replica left in a queue is claimed at once, since its turn never comes.
///
/// `$1` is the replica; it has tokens for the operations `$2`, and reads by itself in the tenants `$3`.
///
/// Postgres makes the lateral subquery part of the statement's own condition: when another transaction changed the row before this
/// one locks it, the condition is evaluated again on the new row. [`claim_due`] tests the lease beside it, so that fencing does not
/// depend on that.
macro_rules! over_open {
    ($($query:ident)::+, $by:expr, $before:literal, $after:literal $(, $argument:expr)*) => {
        $($query)::+!(
            "with heads as (
                select distinct on (q.cluster_id, q.person_id) q.id, q.cluster_id, q.turn, q.due_at
                from operations q
                where q.phase = 'queued' and q.awaiting_tenant_id is null
                  and not exists (select from operations b
                    where b.connection_id = q.connection_id and b.phase in ('dispatched', 'accepted', 'settling'))
                order by q.cluster_id, q.person_id, q.turn, q.id
             ),
             next as (
                (select distinct on (h.cluster_id) h.id from heads h where h.due_at <= now() order by h.cluster_id, h.turn, h.id)
                union all
                (select h.id from heads h where h.due_at > now())
             )" + $before + "
             from operations o cross join lateral (select case
                when o.holder <> $1 and o.holder in (select r.id from replicas r where r.alive_until > now()) then null
                when o.awaiting_tenant_id is not null then case
                    when o.id = any($2) or (o.phase <> 'queued' and o.awaiting_tenant_id = any($3))
                    then greatest(o.due_at, o.lease_until) end
                when o.phase <> 'queued' then greatest(o.due_at, o.lease_until)
                when o.holder is distinct from $1 then coalesce(o.lease_until, now())
                when o.id in (select n.id from next n) then greatest(o.due_at, o.lease_until,
                    (select greatest(s.held_until, s.not_before) from cluster_slots s where s.cluster_id = o.cluster_id))
                end as at) claimable
             where o.phase in ('queued', 'dispatched', 'accepted', 'settling')" + $after
            , $by.replica,
            $by.operations,
            $by.own
            $(, $argument)*
        )
    };
}

/// Claims operations that this replica may claim now and that no replica holds, the longest due first; and those whose deadline has
/// passed, of creates that were never sent and of what ARM took and now waits for a caller: they end, or are unsettled. What this
/// version cannot read is released for `pause`.
pub async fn claim_due(
    db: &mut PgConnection,
    limit: i64,
    by: ClaimScope<'_>,
    lease: Duration,
    pause: Duration,
) -> Result<Vec<Claim>, DbError> {
    let statement = over_open!(
        lease,
        by,
        ", chosen as (select o.id, o.holder, o.holder is not distinct from $1 as resumed,
            now() + make_interval(secs => $6) as leased_until",
        " and (o.lease_until is null or o.lease_until < now())
          and (claimable.at <= now()
            or (o.deadline_at < $4
              and (o.phase = 'queued' and o.kind = 'create' or o.phase = 'accepted' and o.awaiting_tenant_id is not null)))
          order by o.due_at limit $5
          for update of o skip locked)",
        by.now,
        limit,
        lease.as_secs_f64()
    )
    .fetch_all(&mut *db);
    let rows = autocommit("claim what is due", statement).await?;
    readable(db, rows, pause).await
}

/// The claims that this version can read. The others, which a newer version may have written, are released for it.
async fn readable(
    db: &mut PgConnection,
    rows: Vec<ClaimRow>,
    pause: Duration,
) -> Result<Vec<Claim>, DbError> {
    let mut claims = Vec::new();
    for row in rows {
        let (operation, lease) = (row.record.0.id(), row.lease_token);
        match row.parse() {
            Ok(claim) => claims.push(claim),
            Err(error) => {
                tracing::error!(operation.id = %operation, %error, "an operation cannot be read; it is left to another replica");
                release(db, operation, lease, pause).await?;
            }
        }
    }
    Ok(claims)
}

/// Releases an operation that this replica cannot drive, so that any replica may claim it after `pause`. Nothing happens if the lease
/// is another one by now.
pub async fn release(
    db: &mut PgConnection,
    operation: OperationId,
    lease: Option<Uuid>,
    pause: Duration,
) -> Result<(), DbError> {
    let statement = sqlx::query!(
        "update operations set holder = null, lease_token = null, lease_until = now() + make_interval(secs => $3)
         where id = $1 and lease_token = $2",
        operation.uuid(),
        lease,
        pause.as_secs_f64()
    )
    .execute(db);
    autocommit("release an operation", statement).await?;
    Ok(())
}

/// Claims an operation that may be in flight and that no replica holds, due or not: for a caller who is here and brings the tokens.
pub async fn claim(
    db: &mut PgConnection,
    operation: OperationId,
    replica: Uuid,
    lease: Duration,
    pause: Duration,
) -> Result<Option<Claim>, DbError> {
    let statement = lease!(
        "with chosen as (
            select id, holder, false as resumed, now() + make_interval(secs => $3) as leased_until from operations
            where id = $2 and phase in ('dispatched', 'accepted', 'settling') and (lease_until is null or lease_until < now())
            for update skip locked
         )",
        replica,
        operation.uuid(),
        lease.as_secs_f64()
    )
    .fetch_all(&mut *db);
    let rows = autocommit("claim an operation", statement).await?;
    Ok(readable(db, rows, pause).await?.pop())
}

/// Puts an operation that waits for a caller back into its place in the queue: this replica has tokens for it now. Nothing
/// happens to one that is at work or no longer waits.
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
    super::cluster_locks::notify_queue(db).await
}

/// Renews the lease. Returns false if it ran out or another replica took it.
pub async fn renew(
    db: &mut PgConnection,
    operation: OperationId,
    token: Uuid,
    lease: Duration,
) -> Result<bool, DbError> {
    let statement = sqlx::query!(
        "update operations set lease_until = now() + make_interval(secs => $3)
         where id = $1 and lease_token = $2 and lease_until > now()",
        operation.uuid(),
        token,
        lease.as_secs_f64()
    )
    .execute(db);
    Ok(autocommit("renew a lease", statement).await?.rows_affected() == 1)
}

/// Saves an operation's next value under its lease, which is prolonged, or released and due again after `release_for`. `holder` is the
/// replica that has its tokens; none when they are nowhere any more. Returns its recorded actor and the app: another person may have
/// continued it since it was claimed. `None`, and nothing written, if the lease ended or another replica took it.
///
/// # Errors
/// [`DbError::Conflict`] on `operations_one_in_flight` when a queued operation would begin while another is in flight.
pub async fn save(
    db: &mut PgConnection,
    next: &Claim,
    holder: Option<Uuid>,
    release_for: Option<Duration>,
    lease: Duration,
) -> Result<Option<(ActorId, Uuid)>, DbError> {
    let record = &next.record;
    let failure = record.failure.as_ref().map(serde_json::to_value).transpose();
    let failure = failure.map_err(DbError::internal)?;
    let awaiting = record.awaiting.as_ref();
    let releases = release_for.is_some() || record.phase.is_terminal();
    let row = sqlx::query!(
        "update operations set phase = $3, absent_reads = $4, error = $5, arm_operation_url = $6,
            awaiting_tenant_id = $7, awaiting_claims = $8,
            dispatched_at = case when $3 = 'queued' then null when $9 > dispatches then clock_timestamp() else dispatched_at end,
            dispatches = $9, absence_seen_at = coalesce($10, absence_seen_at), deadline_at = $11, finished_at = $12,
            due_at = now() + make_interval(secs => $13), holder = $14,
            lease_token = case when $15 then null else lease_token end,
            lease_until = case when $15 then null else now() + make_interval(secs => $16) end
         where id = $1 and lease_token = $2 and lease_until > now()
         returning coalesce(continued_by, person_id) as \"person_id!\", coalesce(continued_app, app_id) as \"app_id!\"",
        record.id.uuid(),
        next.lease,
        record.phase.as_str(),
        next.absent_reads,
        failure,
        next.arm_operation_url,
        awaiting.map(|awaiting| awaiting.tenant.uuid()),
        awaiting.and_then(|awaiting| awaiting.claims.as_deref()),
        next.dispatches,
        next.absence_seen_at,
        record.deadline_at,
        record.finished_at,
        release_for.unwrap_or_default().as_secs_f64(),
        holder,
        releases,
        lease.as_secs_f64()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (ActorId::new(row.person_id), row.app_id)))
}

/// How long until [`claim_due`] may find something; `None` if nothing is open.
pub async fn next_due(db: &mut PgConnection, by: ClaimScope<'_>) -> Result<Option<Duration>, DbError> {
    let statement = over_open!(
        sqlx::query_scalar,
        by,
        " select extract(epoch from min(claimable.at) - now())::float8",
        ""
    );
    let seconds = statement.fetch_one(db).await?;
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok()))
}
