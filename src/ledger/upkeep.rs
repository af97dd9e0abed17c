//! The upkeep of the ledger: its partitions, and the bodies of requests that are not needed any more.

use std::time::Duration;

use crate::db::{Db, DbError, ledger_events, operations};

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_secs(3600);

/// How many bodies one statement drops.
const BODIES_AT_ONCE: i32 = 500;

/// How long what is recorded stays.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often events that were committed are given their positions in the feed.
    pub feed_interval: Duration,
    /// How long events stay; for ever if it is zero.
    pub retention: Duration,
    /// How long the body of a request to ARM stays with its operation, from its end on.
    pub body_retention: Duration,
}

/// Keeps the ledger in order. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Upkeep {
    db: Db,
    settings: Settings,
}

impl Upkeep {
    pub(crate) fn new(db: Db, settings: Settings) -> Self {
        Self { db, settings }
    }

    /// How often its jobs are to run.
    pub(crate) fn interval(&self) -> Duration {
        INTERVAL
    }

    /// Makes partitions for the months to come, and drops those whose events are older than they are kept.
    ///
    /// # Errors
    /// When the database can't answer, or the ledger's owner keeps events for longer than this is configured.
    pub(crate) async fn keep_partitions(&self) -> Result<(), DbError> {
        let made = self
            .db
            .background(async |db| ledger_events::make_partitions(db).await);
        let made = made.await?;
        tracing::debug!(ledger.partitions = made, "partitions of the ledger are made");
        let retention = self.settings.retention;
        if retention.is_zero() {
            return Ok(());
        }
        let dropped = self
            .db
            .background(async |db| ledger_events::drop_partitions(db, retention).await);
        for name in dropped.await? {
            tracing::warn!(
                ledger.partition = name,
                "a partition of the ledger is dropped: its events are older than ledger.retention"
            );
        }
        Ok(())
    }

    /// Drops the bodies of requests whose operations ended long enough ago.
    ///
    /// # Errors
    /// When the database can't answer; the rest waits for the next run.
    pub(crate) async fn drop_bodies(&self) -> Result<(), DbError> {
        let age = self.settings.body_retention;
        loop {
            let dropped = self
                .db
                .background(async |db| operations::drop_bodies(db, age, BODIES_AT_ONCE).await);
            if dropped.await? < i64::from(BODIES_AT_ONCE) {
                return Ok(());
            }
        }
    }
}
