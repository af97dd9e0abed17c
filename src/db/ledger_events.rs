//! The ledger's rows: added and read, never changed.

use std::time::Duration;

use sqlx::PgConnection;

use super::{DbError, exactly_one};
use crate::domain::{ActorId, ConnectionId, Event, OperationId, RecordedEvent, TenantId};

/// The event of a row of `ledger_events`, whichever other columns the row has.
macro_rules! recorded {
    ($row:ident) => {
        $crate::domain::RecordedEvent {
            sequence: $row.sequence,
            event: $crate::domain::Event {
                id: $row.id,
                occurred_at: $row.occurred_at,
                kind: $row.kind,
                connection: $row.connection_id.map($crate::domain::ConnectionId::new),
                operation: $row.operation_id.map($crate::domain::OperationId::new),
                actor: $row.person_id.map($crate::domain::ActorId::new),
                app: $row.app_id,
                request_id: $row.request_id,
                target_tenant: $row.target_tenant_id.map($crate::domain::TenantId::new),
                source_tenant: $row.source_tenant_id.map($crate::domain::TenantId::new),
                details: $row.details,
            },
        }
    };
}
pub(super) use recorded;

/// Adds an event, in the caller's transaction.
pub async fn append(db: &mut PgConnection, event: &Event) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "insert into ledger_events (id, occurred_at, kind, connection_id, operation_id, person_id, app_id, request_id,
            target_tenant_id, source_tenant_id, tenant_ids, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        event.id,
        event.occurred_at,
        event.kind.as_str(),
        event.connection.map(ConnectionId::uuid),
        event.operation.map(OperationId::uuid),
        event.actor.map(ActorId::uuid),
        event.app,
        event.request_id,
        event.target_tenant.map(TenantId::uuid),
        event.source_tenant.map(TenantId::uuid),
        &event.tenants(),
        event.details
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("append a ledger event", rows)
}

/// Whether an event is in the ledger: shows a writer that lost the answer to its commit whether it was committed.
pub async fn is_recorded(db: &mut PgConnection, event: &Event) -> Result<bool, DbError> {
    let found = sqlx::query_scalar!(
        "select exists (select from ledger_events where id = $1 and occurred_at = $2)",
        event.id,
        event.occurred_at
    )
    .fetch_one(db)
    .await?;
    Ok(found.unwrap_or(false))
}

/// Makes the ledger's partitions of this month and the next two, as far as they are missing. Returns how many were made.
///
/// # Errors
/// When the database cannot write it.
pub async fn make_partitions(db: &mut PgConnection) -> Result<i64, DbError> {
    let made = sqlx::query_scalar!(
        "select count(*) filter (where make_ledger_partition((now() at time zone 'UTC' + make_interval(months => n))::date))
            as \"made!\"
         from generate_series(0, 2) n"
    )
    .fetch_one(db)
    .await?;
    Ok(made)
}

/// Drops the ledger's partitions whose events are all older than this. Returns their names.
///
/// # Errors
/// When the database cannot write it, or the ledger's owner keeps events for longer.
pub async fn drop_partitions(db: &mut PgConnection, older_than: Duration) -> Result<Vec<String>, DbError> {
    let dropped = sqlx::query_scalar!(
        "select d as \"name!\" from drop_ledger_partitions(make_interval(secs => $1)) d",
        older_than.as_secs_f64()
    )
    .fetch_all(db)
    .await?;
    Ok(dropped)
}

/// A connection's events in order, after a place in the ledger, at most `limit`.
pub async fn of_connection(
    db: &mut PgConnection,
    connection: ConnectionId,
    after: i64,
    limit: i64,
) -> Result<Vec<RecordedEvent>, DbError> {
    let rows = sqlx::query!(
        "select sequence, id, occurred_at, kind, connection_id, operation_id, person_id, app_id, request_id,
            target_tenant_id, source_tenant_id, details
         from ledger_events where connection_id = $1 and sequence > $2 order by sequence limit $3",
        connection.uuid(),
        after,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| recorded!(row)).collect())
}
