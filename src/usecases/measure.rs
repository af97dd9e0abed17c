//! Counts rows of the database for the metrics.

use crate::db::{Db, DbError, counts};
use crate::telemetry::metrics;

/// Counts open operations, unsettled connections and connections to Postgres.
pub(crate) async fn measure(db: &Db) -> Result<(), DbError> {
    let (busy, idle) = db.connections();
    metrics::database_connections(busy, idle);
    let counts = db.background(async |db| {
        let unsettled = counts::unsettled(db).await?;
        Ok((counts::open_operations(db).await?, unsettled))
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
