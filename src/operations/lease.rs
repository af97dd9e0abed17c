//! The lease under which a replica drives an operation: kept while work runs, checked before each send.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::db::leases::Claim;
use crate::db::{Db, DbError, leases};
use crate::domain::OperationId;

/// Why work under a lease cannot continue.
#[derive(Debug)]
pub(crate) enum LeaseError {
    /// It ran out, or another replica took it.
    Lost,
    /// It could not be renewed.
    Database(DbError),
}

/// A lease on an operation.
pub(super) struct Lease {
    db: Db,
    operation: OperationId,
    /// Fences every write: another claim has another token.
    token: Uuid,
    length: Duration,
    /// When it ends at the latest, by this machine's monotonic clock: counted from before it was asked for.
    end: Instant,
}

impl Lease {
    /// The lease of a claim that was asked for at this moment.
    pub(super) fn new(db: Db, claim: &Claim, length: Duration, claimed_at: Instant) -> Self {
        Self {
            db,
            operation: claim.record.id,
            token: claim.lease,
            length,
            end: claimed_at + length,
        }
    }

    /// Whether it has not ended as far as this replica knows.
    pub(super) fn is_held(&self) -> bool {
        Instant::now() < self.end
    }

    /// A write under the lease, asked for at this moment, renewed it.
    pub(super) fn renewed_at(&mut self, asked_at: Instant) {
        self.end = asked_at + self.length;
    }

    /// Runs work while the lease is renewed. The work continues during a renewal, however long the database takes.
    ///
    /// # Errors
    /// When the lease is lost. What was sent can't be called back; another replica finds out its outcome.
    pub(super) async fn keep<T>(&mut self, work: impl Future<Output = T>) -> Result<T, LeaseError> {
        let mut work = std::pin::pin!(work);
        loop {
            let renewed = tokio::select! {
                done = &mut work => return Ok(done),
                renewed = self.renew_in_time() => renewed,
            };
            self.end = renewed?;
        }
    }

    /// Makes sure that at least half of the lease is left, so that a request leaves while it lasts.
    ///
    /// # Errors
    /// When the lease is lost, or the database does not answer.
    pub(super) async fn ensure_half(&mut self) -> Result<(), LeaseError> {
        if Instant::now() + self.length / 2 > self.end {
            self.end = self.renew().await?;
        }
        Ok(())
    }

    /// Renews the lease when a third of it is over. While the database is out of reach it is tried again.
    async fn renew_in_time(&self) -> Result<Instant, LeaseError> {
        sleep_until(self.end.checked_sub(self.length * 2 / 3).unwrap_or(self.end)).await;
        loop {
            match self.renew().await {
                Err(LeaseError::Database(error)) if error.is_outage() && self.is_held() => {
                    sleep(self.length / 20).await;
                }
                renewed => return renewed,
            }
        }
    }

    /// Renews the lease. Returns when it ends now.
    async fn renew(&self) -> Result<Instant, LeaseError> {
        let asked_at = Instant::now();
        let renewed = self.db.within_lease(self.length, async |db| {
            leases::renew(db, self.operation, self.token, self.length).await
        });
        match renewed.await {
            Ok(true) => Ok(asked_at + self.length),
            Ok(false) => Err(LeaseError::Lost),
            Err(error) => Err(LeaseError::Database(error)),
        }
    }
}
