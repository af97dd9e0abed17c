//! The numbered configurations of connections: what was sent for each, and what a read showed when it was confirmed.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::{DbError, exactly_one};
use crate::domain::ConnectionId;

/// A revision to be recorded before its request leaves.
#[derive(Debug, Clone)]
pub struct NewRevision<'a> {
    /// The connection.
    pub connection: ConnectionId,
    /// Its number, from 1.
    pub number: i32,
    /// The settings that were asked for.
    pub configuration: &'a Value,
    /// The body of the request to ARM.
    pub sent: &'a Value,
    /// The api-version of the request.
    pub api_version: &'a str,
}

/// What is recorded of a revision.
#[derive(Debug, Clone)]
pub struct Revision {
    /// The body of the request to ARM.
    pub sent: Value,
    /// The resource as a read showed it when it was last confirmed.
    pub snapshot: Option<Value>,
    /// The api-version of the two.
    pub api_version: String,
}

/// Records a revision.
pub async fn insert(db: &mut PgConnection, new: &NewRevision<'_>) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "insert into connection_revisions (connection_id, number, configuration, sent, api_version)
         values ($1, $2, $3, $4, $5)",
        new.connection.uuid(),
        new.number,
        new.configuration,
        new.sent,
        new.api_version
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("record a revision", rows)
}

/// A revision of a connection.
///
/// # Errors
/// When there is none, which is a defect, or the database can't answer.
pub async fn find(db: &mut PgConnection, connection: ConnectionId, number: i32) -> Result<Revision, DbError> {
    let row = sqlx::query!(
        "select sent, snapshot, api_version from connection_revisions where connection_id = $1 and number = $2",
        connection.uuid(),
        number
    )
    .fetch_optional(db)
    .await?
    .ok_or_else(|| DbError::Internal("a connection without its revision".to_owned()))?;
    Ok(Revision {
        sent: row.sent,
        snapshot: row.snapshot,
        api_version: row.api_version,
    })
}

/// Records what a read showed that confirmed a revision.
///
/// # Errors
/// When there is no such revision, or the database cannot write it.
pub async fn confirm(
    db: &mut PgConnection,
    connection: ConnectionId,
    number: i32,
    snapshot: &Value,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    let rows = sqlx::query!(
        "update connection_revisions set snapshot = $3, confirmed_at = $4 where connection_id = $1 and number = $2",
        connection.uuid(),
        number,
        snapshot,
        at
    )
    .execute(db)
    .await?
    .rows_affected();
    exactly_one("confirm a revision", rows)
}
