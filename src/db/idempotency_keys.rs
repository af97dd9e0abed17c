//! The keys with which requests can be repeated, and what each stands for. By Postgres's clock.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::pool::autocommit;
use super::{DbError, exactly_one};
use crate::domain::{ActorId, ConnectionId, OperationId};

/// Whose key it is and what for: the same key of another person, app or route is another one.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The actor.
    pub person: ActorId,
    /// The calling app.
    pub app: Uuid,
    /// Method and path with its parameters.
    pub route: &'a str,
    /// SHA-256 of the key.
    pub key_hash: &'a [u8],
}

/// What a key stands for.
#[derive(Debug, Clone)]
pub struct Entry {
    /// SHA-256 of the canonical request.
    pub body_hash: Vec<u8>,
    /// The connection that the request led to.
    pub connection: ConnectionId,
    /// The operation that it began or found.
    pub operation: OperationId,
    /// Whether it began the operation.
    pub began: bool,
}

/// What a key stands for, if it was used and is not older than `keep`.
pub async fn find(db: &mut PgConnection, scope: Scope<'_>, keep: Duration) -> Result<Option<Entry>, DbError> {
    let row = sqlx::query!(
        "select body_hash, connection_id, operation_id, began from idempotency_keys
         where person_id = $1 and app_id = $2 and route = $3 and key_hash = $4
           and created_at >= now() - make_interval(secs => $5)",
        scope.person.uuid(),
        scope.app,
        scope.route,
        scope.key_hash,
        keep.as_secs_f64()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Entry {
        body_hash: row.body_hash,
        connection: ConnectionId::new(row.connection_id),
        operation: OperationId::new(row.operation_id),
        began: row.began,
    }))
}

/// Records what a key stands for, in the caller's transaction. What it stood for before is forgotten if it is older than
/// `keep` and was not swept yet.
///
/// # Errors
/// [`DbError::Conflict`] on `idempotency_keys_pkey` when a concurrent request with the same key was quicker.
pub async fn insert(
    db: &mut PgConnection,
    scope: Scope<'_>,
    entry: &Entry,
    keep: Duration,
) -> Result<(), DbError> {
    sqlx::query!(
        "delete from idempotency_keys
         where person_id = $1 and app_id = $2 and route = $3 and key_hash = $4
           and created_at < now() - make_interval(secs => $5)",
        scope.person.uuid(),
        scope.app,
        scope.route,
        scope.key_hash,
        keep.as_secs_f64()
    )
    .execute(&mut *db)
    .await?;
    let rows = sqlx::query!(
        "insert into idempotency_keys (person_id, app_id, route, key_hash, body_hash, connection_id, operation_id, began)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        scope.person.uuid(),
        scope.app,
        scope.route,
        scope.key_hash,
        entry.body_hash,
        entry.connection.uuid(),
        entry.operation.uuid(),
        entry.began
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record an idempotency key", rows)
}

/// Deletes keys that are older than `keep`, at most `limit`; returns how many.
pub async fn sweep(db: &mut PgConnection, keep: Duration, limit: i64) -> Result<u64, DbError> {
    let statement = sqlx::query!(
        "delete from idempotency_keys where ctid = any(array(
            select ctid from idempotency_keys
            where created_at < now() - make_interval(secs => $1) order by created_at limit $2))",
        keep.as_secs_f64(),
        limit
    )
    .execute(db);
    Ok(autocommit("sweep idempotency keys", statement)
        .await?
        .rows_affected())
}
