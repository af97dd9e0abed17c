//! Counts rows of the database for the metrics.

use crate::db::{Db, DbError, counts, within};
use crate::telemetry::metrics;

/// Counts open operations, unsettled connections and connections to Postgres.
///
/// # Errors
/// When the database doesn't answer.
pub(crate) async fn measure(db: &Db) -> Result<(), DbError> {
    let pool = db.pool();
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    metrics::database_connections(pool.size().saturating_sub(idle), idle);
    let counts = within(async {
        let mut db = pool.acquire().await?;
        let unsettled = counts::unsettled(&mut db).await?;
        Ok::<_, DbError>((counts::open_operations(&mut db).await?, unsettled))
    });
    let (counts, unsettled) = counts.await?;
    metrics::connections_unsettled(unsettled.count);
    metrics::oldest_operation("open", counts.oldest);
    metrics::oldest_operation("awaitingCaller", counts.oldest_awaiting);
    metrics::oldest_operation("unsettled", unsettled.oldest);
    for (phase, count) in counts.by_phase {
        metrics::operations_open(phase.as_str(), count);
    }
    metrics::operations_awaiting(counts.awaiting);
    Ok(())
}
