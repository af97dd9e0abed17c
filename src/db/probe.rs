//! The check of a pooled connection before use: whether its server still responds, and accepts writes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use sqlx::pool::PoolConnectionMetadata;
use tokio::time::timeout;

/// The part of the acquire time-out that the check may take: the rest must suffice for a new connection.
const PART: u32 = 4;

/// Checks the connections of one pool.
#[derive(Debug)]
pub(super) struct Probe {
    longest: Duration,
    /// When the last check got no response.
    failed_at: Mutex<Option<Instant>>,
}

impl Probe {
    /// For a pool whose connections are waited for so long.
    pub(super) fn new(acquire_timeout: Duration) -> Self {
        Self {
            longest: acquire_timeout / PART,
            failed_at: Mutex::new(None),
        }
    }

    /// Whether a connection can be used; `look` asks the server over it. What was at rest already when another one turned out to be
    /// dead is not even asked: the same line most likely died under all of them, and each would cost its request the time.
    pub(super) async fn passes(
        &self,
        connection: &mut PgConnection,
        rest: PoolConnectionMetadata,
        look: impl AsyncFnOnce(&mut PgConnection) -> Result<bool, sqlx::Error>,
    ) -> Result<bool, sqlx::Error> {
        if self.is_suspect(rest.idle_for) {
            return Ok(false);
        }
        let Ok(looked) = timeout(self.longest, look(connection)).await else {
            tracing::warn!(
                db.waited_ms = u64::try_from(self.longest.as_millis()).unwrap_or(u64::MAX),
                "a connection to Postgres no longer responds; a new one is made"
            );
            self.distrust();
            return Err(sqlx::Error::PoolTimedOut);
        };
        looked
    }

    /// What is at rest now is not used again.
    pub(super) fn distrust(&self) {
        *self.failed_at() = Some(Instant::now());
    }

    fn is_suspect(&self, idle_for: Duration) -> bool {
        let rests_since = Instant::now().checked_sub(idle_for);
        let failed_at = *self.failed_at();
        rests_since
            .zip(failed_at)
            .is_some_and(|(since, failed)| since < failed)
    }

    fn failed_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.failed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
