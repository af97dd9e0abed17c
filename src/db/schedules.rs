//! Periodic jobs: one row each, from the migration that brought the job. The replica that moves a row's `due_at` forward runs the
//! job, so that one replica at a time does. By Postgres's clock.

use std::time::Duration;

use sqlx::PgConnection;

use super::pool::autocommit;
use super::{DbError, exactly_one};

/// Claims a job if it is due, which is due again after `every`. Returns true if this replica is to run it.
///
/// A job that is due later than that was claimed before Postgres's clock was set back. The clock is read anew for each condition, so that
/// who waited for the row's lock sees that it is not due.
pub async fn claim(db: &mut PgConnection, job: &str, every: Duration) -> Result<bool, DbError> {
    let statement = sqlx::query!(
        "update schedules set due_at = clock_timestamp() + make_interval(secs => $2)
         where name = $1 and (due_at <= clock_timestamp() or due_at > clock_timestamp() + make_interval(secs => $2))",
        job,
        every.as_secs_f64()
    )
    .execute(db);
    Ok(autocommit("claim periodic work", statement)
        .await?
        .rows_affected()
        > 0)
}

/// How long until a job is due.
///
/// # Errors
/// When the database can't answer, or has no row for the job.
pub async fn due_in(db: &mut PgConnection, job: &str) -> Result<Duration, DbError> {
    let seconds = sqlx::query_scalar!(
        "select greatest(extract(epoch from due_at - now()), 0)::float8 as \"seconds!\" from schedules where name = $1",
        job
    )
    .fetch_one(db)
    .await?;
    Duration::try_from_secs_f64(seconds).map_err(DbError::internal)
}

/// Records that a job has succeeded.
///
/// # Errors
/// When the database cannot write it, or has no row for the job.
pub async fn succeeded(db: &mut PgConnection, job: &str) -> Result<(), DbError> {
    let statement =
        sqlx::query!("update schedules set succeeded_at = now() where name = $1", job).execute(db);
    let rows = autocommit("record periodic work", statement)
        .await?
        .rows_affected();
    exactly_one("record that a job has succeeded", rows)
}

/// How long ago each job last succeeded, on whichever replica.
pub async fn success_ages(db: &mut PgConnection) -> Result<Vec<(String, Duration)>, DbError> {
    let rows = sqlx::query!(
        "select name, greatest(extract(epoch from now() - succeeded_at), 0)::float8 as \"age!\" from schedules"
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                row.name,
                Duration::try_from_secs_f64(row.age).map_err(DbError::internal)?,
            ))
        })
        .collect()
}
