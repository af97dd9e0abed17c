//! Counts of running operations, for the metrics.

use std::time::Duration;

use sqlx::PgConnection;

use super::DbError;
use crate::domain::Phase;

/// How many operations have not ended.
#[derive(Debug)]
pub struct OpenCounts {
    /// In each phase that is not terminal, none left out.
    pub by_phase: [(Phase, u64); 4],
    /// Of these, how many wait for a caller's token.
    pub awaiting: u64,
    /// How long ago the first of them was asked for; nothing if there is none.
    pub oldest: Option<Duration>,
    /// The age of the oldest one that waits for a caller's token.
    pub oldest_awaiting: Option<Duration>,
}

/// Connections whose last change no read has confirmed or ruled out yet.
#[derive(Debug)]
pub struct UnsettledCount {
    /// How many there are.
    pub count: u64,
    /// For how long the first has been one; nothing if there is none.
    pub oldest: Option<Duration>,
}

/// Counts the operations that have not ended.
pub async fn open_operations(db: &mut PgConnection) -> Result<OpenCounts, DbError> {
    let rows = sqlx::query!(
        "select phase, count(*) as \"count!\",
            count(awaiting_tenant_id) filter (where lease_until is null or lease_until <= now()) as \"awaiting!\",
            extract(epoch from now() - min(created_at))::float8 as oldest,
            extract(epoch from now() - min(created_at) filter (
                where awaiting_tenant_id is not null and (lease_until is null or lease_until <= now())))::float8
                as oldest_awaiting
         from operations
         where phase in ('queued', 'dispatched', 'accepted', 'settling') group by phase"
    )
    .fetch_all(db)
    .await?;
    let count = |phase: Phase| {
        let row = rows.iter().find(|row| row.phase == phase.as_str());
        let count = row.map_or(0, |row| u64::try_from(row.count).unwrap_or(0));
        (phase, count)
    };
    Ok(OpenCounts {
        by_phase: [Phase::Queued, Phase::Dispatched, Phase::Accepted, Phase::Settling].map(count),
        awaiting: u64::try_from(rows.iter().map(|row| row.awaiting).sum::<i64>()).unwrap_or(0),
        oldest: rows.iter().filter_map(|row| age(row.oldest)).max(),
        oldest_awaiting: rows.iter().filter_map(|row| age(row.oldest_awaiting)).max(),
    })
}

/// Counts the connections whose last change no read has confirmed or ruled out yet.
pub async fn unsettled(db: &mut PgConnection) -> Result<UnsettledCount, DbError> {
    // The time is looked up for each of them alone: a join might read all connections.
    let row = sqlx::query!(
        "select count(*) as \"count!\",
            extract(epoch from now() - min((select c.observed_at from connections c where c.id = u.id)))::float8 as oldest
         from unsettled_connections u"
    )
    .fetch_one(db)
    .await?;
    Ok(UnsettledCount {
        count: u64::try_from(row.count).unwrap_or(0),
        oldest: age(row.oldest),
    })
}

fn age(seconds: Option<f64>) -> Option<Duration> {
    // Clocks of replicas may be ahead of Postgres's.
    Duration::try_from_secs_f64(seconds?.max(0.0)).ok()
}
