//! The order of changes: one in flight for each cluster, across replicas. A slot row names the operation in flight; which one is
//! next follows from the operations that wait.
//!
//! Each caller has one turn in a round, so callers take turns however many changes one of them asks for, and each caller's own
//! changes come in their order.

use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{PgConnection, PgPool};

use crate::db::{DbError, exactly_one, feed};
use crate::domain::{ActorId, ClusterId, OperationId};

/// The channel that notifies replicas of changes of the queue.
pub const CHANNEL: &str = "tenant_bridge_turns";

/// Listens on that channel and on the feed's, over a connection of its own: one of the pool would keep its place there for good if its line died.
pub async fn listener(pool: &PgPool) -> Result<PgListener, DbError> {
    // Begun and verified as the pool's are.
    let own = pool.options().clone().max_connections(1);
    let own = own.connect_lazy_with((*pool.connect_options()).clone());
    let mut listener = PgListener::connect_with(&own).await?;
    listener.listen_all([CHANNEL, feed::CHANNEL]).await?;
    Ok(listener)
}

/// Acquires a cluster's slot for an operation that was just recorded, if it is free and no operation waits. Returns whether it was.
pub async fn acquire_unqueued(
    db: &mut PgConnection,
    cluster: &ClusterId,
    operation: OperationId,
    life: Duration,
) -> Result<bool, DbError> {
    let rows = sqlx::query!(
        "insert into cluster_slots (cluster_id, operation_id, held_until)
         select $1, $2, now() + make_interval(secs => $3)
         where not exists (
            select from operations q where q.cluster_id = $1 and q.phase = 'queued' and q.awaiting_tenant_id is null)
         on conflict (cluster_id) do update set operation_id = excluded.operation_id, held_until = excluded.held_until
         where (cluster_slots.operation_id is null or cluster_slots.held_until <= now())
           and (cluster_slots.not_before is null or cluster_slots.not_before <= now())",
        cluster.resource().canonical(),
        operation.uuid(),
        life.as_secs_f64()
    )
    .execute(db)
    .await?
    .rows_affected();
    Ok(rows == 1)
}

/// Acquires the slot of an operation's cluster when its turn has come. Returns true if the slot was free or its hold had expired.
pub async fn acquire(db: &mut PgConnection, operation: OperationId, life: Duration) -> Result<bool, DbError> {
    let rows = sqlx::query!(
        "insert into cluster_slots (cluster_id, operation_id, held_until, round)
         select o.cluster_id, o.id, now() + make_interval(secs => $2), o.turn from operations o where o.id = $1
         on conflict (cluster_id) do update set operation_id = excluded.operation_id, held_until = excluded.held_until,
            round = greatest(cluster_slots.round, excluded.round)
         where cluster_slots.operation_id = excluded.operation_id
            or ((cluster_slots.operation_id is null or cluster_slots.held_until <= now())
              and (cluster_slots.not_before is null or cluster_slots.not_before <= now()))",
        operation.uuid(),
        life.as_secs_f64()
    )
    .execute(db)
    .await?
    .rows_affected();
    Ok(rows == 1)
}

/// Releases the slot that an operation holds, if it holds one. `pause` is how long ARM defers changes of this cluster. Where
/// operations wait, the replicas are notified when the transaction is committed.
pub async fn release(
    db: &mut PgConnection,
    operation: OperationId,
    pause: Option<Duration>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update cluster_slots set operation_id = null, held_until = null,
            not_before = now() + make_interval(secs => $2)
         where cluster_id = (select cluster_id from operations where id = $1) and operation_id = $1",
        operation.uuid(),
        pause.map(|pause| pause.as_secs_f64())
    )
    .execute(&mut *db)
    .await?;
    // Also one that had no slot may have been first in line. Where nothing waits no notification is sent: commits that notify are
    // serialised in the whole server.
    sqlx::query!(
        "select pg_notify($1, '') from operations o where o.id = $2
         and exists (select from operations q
            where q.cluster_id = o.cluster_id and q.phase = 'queued' and q.id <> o.id and q.awaiting_tenant_id is null)",
        CHANNEL,
        operation.uuid()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Limits how long an operation may hold its slot to the longest life of its request: no caller who could follow it is here.
pub async fn limit_hold(
    db: &mut PgConnection,
    operation: OperationId,
    life: Duration,
) -> Result<(), DbError> {
    sqlx::query!(
        "update cluster_slots s set held_until = least(s.held_until, o.dispatched_at + make_interval(secs => $2))
         from operations o where o.id = $1 and s.cluster_id = o.cluster_id and s.operation_id = o.id",
        operation.uuid(),
        life.as_secs_f64()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notifies the replicas to check the queue, when the transaction is committed.
pub async fn notify_queue(db: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!("select pg_notify($1, '')", CHANNEL)
        .execute(db)
        .await?;
    Ok(())
}

/// How many changes of a caller wait for a cluster; those that wait for a token have stepped out.
pub async fn waiting(db: &mut PgConnection, cluster: &ClusterId, actor: ActorId) -> Result<i64, DbError> {
    let count = sqlx::query_scalar!(
        "select count(*) as \"count!\" from operations
         where cluster_id = $1 and person_id = $2 and phase = 'queued' and awaiting_tenant_id is null",
        cluster.resource().canonical(),
        actor.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(count)
}

/// Puts an operation, just recorded as queued in the round that is under way, behind its caller's others. The one that has the
/// cluster counts: a caller who asks for the next one only when the last begins would get several turns in a round.
pub async fn queue(
    db: &mut PgConnection,
    cluster: &ClusterId,
    operation: OperationId,
    actor: ActorId,
) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "update operations set turn = greatest(turn,
            (select max(q.turn) + 1 from operations q
                where q.cluster_id = $1 and q.phase = 'queued' and q.person_id = $3 and q.id <> $2),
            (select f.turn + 1 from cluster_slots s join operations f on f.id = s.operation_id
                where s.cluster_id = $1 and f.person_id = $3))
         where id = $2",
        cluster.resource().canonical(),
        operation.uuid(),
        actor.uuid()
    )
    .execute(&mut *db)
    .await?
    .rows_affected();
    exactly_one("queue an operation", rows)?;
    notify_queue(db).await
}
