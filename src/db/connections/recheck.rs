//! Records that were closed although a create's outcome had been unknown: a request that outlives what it was given may still be
//! carried out at ARM, so they are looked at again. By Postgres's clock.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::db::DbError;
use crate::domain::{ConnectionId, DataConnectionId};

const MINUTE: u64 = 60;

/// How long after a record was closed it is looked at.
const AFTER: [Duration; 5] = [
    Duration::from_secs(MINUTE),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(4 * 60 * MINUTE),
    Duration::from_secs(24 * 60 * MINUTE),
];

/// The least time until a look that failed is tried again; then a tenth of the time that the record has been closed.
const RETRY_AFTER: Duration = Duration::from_secs(MINUTE);

/// The most former records of one name that one request looks at.
const MAX_FORMER: i64 = 5;

/// How long after a record was closed it is looked at first.
pub(super) fn first() -> f64 {
    AFTER.first().map_or(0.0, Duration::as_secs_f64)
}

/// Records that a create's outcome is unknown: when its record is closed, it is looked at again.
pub async fn expect_late_effect(db: &mut PgConnection, id: ConnectionId) -> Result<(), DbError> {
    sqlx::query!(
        "update connections set recheck_step = 0 where id = $1 and recheck_step is null",
        id.uuid()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A removal was sent and carried out: whatever the create made is gone with it, and what has the name from now on is another's.
pub async fn expect_nothing_late(db: &mut PgConnection, id: ConnectionId) -> Result<(), DbError> {
    sqlx::query("update connections set recheck_step = null, recheck_at = null where id = $1")
        .bind(id.uuid())
        .execute(db)
        .await?;
    Ok(())
}

/// The closed records of these tenants that are due to be looked at, the longest due first.
pub async fn due_for_recheck(
    db: &mut PgConnection,
    tenants: &[Uuid],
    limit: i64,
) -> Result<Vec<ConnectionId>, DbError> {
    let ids = sqlx::query_scalar!(
        "select id from connections
         where recheck_at is not null and recheck_at <= now() and target_tenant_id = any($1)
         order by recheck_at limit $2",
        tenants,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(ConnectionId::new).collect())
}

/// The former records of a data connection's name that are still to be looked at again, the last one first.
pub async fn to_recheck_at(
    db: &mut PgConnection,
    arm_id: &DataConnectionId,
) -> Result<Vec<ConnectionId>, DbError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from connections where arm_id = $1 and closed_at is not null and recheck_at is not null
         order by closed_at desc limit $2",
    )
    .bind(arm_id.resource().canonical())
    .bind(MAX_FORMER)
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(ConnectionId::new).collect())
}

/// A look found nothing of this service's: the next one comes when it is due, if any is left.
pub async fn rechecked(db: &mut PgConnection, id: ConnectionId) -> Result<(), DbError> {
    let after: Vec<f64> = AFTER.iter().map(Duration::as_secs_f64).collect();
    sqlx::query!(
        "update connections set recheck_step = recheck_step + 1,
            recheck_at = closed_at + make_interval(secs => ($2::float8[])[recheck_step + 2])
         where id = $1 and closed_at is not null and recheck_at <= now()",
        id.uuid(),
        &after
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A look failed: it is tried again, less and less often.
pub async fn recheck_later(db: &mut PgConnection, id: ConnectionId) -> Result<(), DbError> {
    sqlx::query!(
        "update connections set recheck_at = now() + greatest((now() - closed_at) / 10, make_interval(secs => $2))
         where id = $1 and closed_at is not null and recheck_at <= now()",
        id.uuid(),
        RETRY_AFTER.as_secs_f64()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Opens a closed record again: what its create sent was seen at ARM. Returns whether a recheck was still due.
///
/// # Errors
/// [`DbError::Conflict`] on `connections_one_open` when another record has the name.
pub async fn reopen(db: &mut PgConnection, id: ConnectionId, at: DateTime<Utc>) -> Result<bool, DbError> {
    let rows = sqlx::query!(
        "update connections set closed_at = null, desired = 'present', observed = 'present', observed_at = $2,
            recheck_step = 0, recheck_at = null
         where id = $1 and closed_at is not null and recheck_at is not null and confirmed_at is null",
        id.uuid(),
        at
    )
    .execute(db)
    .await?
    .rows_affected();
    Ok(rows == 1)
}
