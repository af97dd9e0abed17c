//! Periodic work, one row each. The replica that claims a schedule does its work, so that one replica at a time does.

use std::time::Duration;

use sqlx::PgConnection;

use super::DbError;
use super::pool::autocommit;

/// Work that comes again and again; each has its row from the migration that brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Deletes idempotency keys that are kept no longer.
    SweepIdempotencyKeys,
    /// Rechecks records that were closed with an unknown outcome of their create.
    RecheckClosedCreates,
}

impl Schedule {
    /// The word that the database holds.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SweepIdempotencyKeys => "sweepIdempotencyKeys",
            Self::RecheckClosedCreates => "recheckClosedCreates",
        }
    }
}

/// Claims a schedule that is due, and makes it due again after `every`; returns whether this replica claimed it.
///
/// # Errors
/// When the database can't answer.
pub async fn claim(db: &mut PgConnection, schedule: Schedule, every: Duration) -> Result<bool, DbError> {
    let statement = sqlx::query!(
        "update schedules set due_at = now() + make_interval(secs => $2) where name = $1 and due_at <= now()",
        schedule.as_str(),
        every.as_secs_f64()
    )
    .execute(db);
    Ok(autocommit("claim periodic work", statement)
        .await?
        .rows_affected()
        > 0)
}

/// How long until a schedule is due.
///
/// # Errors
/// When the database can't answer, or has no such schedule.
pub async fn due_in(db: &mut PgConnection, schedule: Schedule) -> Result<Duration, DbError> {
    let seconds = sqlx::query_scalar!(
        "select greatest(extract(epoch from due_at - now()), 0)::float8 as \"seconds!\" from schedules where name = $1",
        schedule.as_str()
    )
    .fetch_one(db)
    .await?;
    Duration::try_from_secs_f64(seconds).map_err(DbError::defect)
}
