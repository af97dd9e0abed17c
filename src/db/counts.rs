//! How much is under way, for the metrics.

use sqlx::PgConnection;

use super::DbError;
use crate::connection::Phase;

/// How many operations have not ended.
#[derive(Debug)]
pub struct OpenCounts {
    /// In each phase that is not terminal, none left out.
    pub by_phase: [(Phase, u64); 4],
    /// Of these, how many wait for somebody's token.
    pub awaiting: u64,
}

/// Counts the operations that have not ended.
///
/// # Errors
/// When the database can't answer.
pub async fn open_operations(db: &mut PgConnection) -> Result<OpenCounts, DbError> {
    let rows = sqlx::query!(
        "select phase, count(*) as \"count!\", count(awaiting_tenant_id) filter (where lease_until is null or lease_until <= now()) as \"awaiting!\" from operations
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
    })
}
