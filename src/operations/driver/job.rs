//! One operation under a lease, and how its steps end.

use crate::arm::{ArmError, Refusal};
use crate::db::leases::Claim;
use crate::db::{Db, connections};
use crate::domain::{ActorId, Awaiting, ConnectionRecord, Error, Phase};
use crate::operations::driver::Driver;
use crate::operations::lease::{Lease, LeaseError};
use crate::tokens::store::TokenVersion;
use chrono::DateTime;
use chrono::Utc;
use std::time::Duration;
use tokio::time::Instant;
use tokio::time::sleep;
use uuid::Uuid;

/// The next pause is the time already waited for Azure divided by this.
pub(crate) const WAIT_DIVISOR: u32 = 10;

/// A growing pause is the operation's age divided by this.
pub(crate) const AGE_DIVISOR: u32 = 4;

/// How a step left the operation.
pub(crate) enum NextAction {
    /// It has ended, or its lease was released: nothing more to do here.
    Done,
    /// Take the next step after this long; the lease is kept meanwhile.
    RetryAfter(Duration),
    /// Take the next step at once, under the same lease.
    Step,
}

/// Ends a step before its last line, by `?`.
pub(crate) enum Stop {
    /// The step is over, and this comes next.
    Next(NextAction),
    /// The lease is lost: another replica resumes the operation.
    LeaseLost,
    /// It failed.
    Error(Error),
}

/// What a step, or a part of one, leads to.
pub(crate) type Step<T = NextAction> = Result<T, Stop>;

/// What a part of a step led to, as the end of the whole step.
pub(crate) fn early(step: Step) -> Stop {
    step.map_or_else(|stop| stop, Stop::Next)
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl From<LeaseError> for Stop {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Lost => Self::LeaseLost,
            LeaseError::Database(error) => Self::Error(error.into()),
        }
    }
}

/// An operation under this replica's lease.
pub(crate) struct Job {
    pub(crate) driver: Driver,
    pub(crate) lease: Lease,
    pub(crate) claim: Claim,
    pub(crate) record: ConnectionRecord,
    pub(crate) tokens: StepTokens,
    /// Whether nothing was sent since the intent was committed; only the replica that committed it can know.
    pub(crate) unsent: bool,
    /// Whether ARM asked for the source's tenant in a removal.
    pub(crate) with_auxiliary: bool,
    /// Since when Azure is waited for here: each pause is a part of that time.
    pub(crate) since: DateTime<Utc>,
}

/// Whose tokens the steps of one operation use.
#[derive(Default)]
pub(crate) struct StepTokens {
    /// The caller's tokens that the current step uses.
    pub(crate) tried: Option<TokenVersion>,
    /// Whether the current step uses the service's own token alone.
    pub(crate) by_service: bool,
    /// The caller's tokens that ARM rejected for reads, and what it wants instead.
    pub(crate) rejected: Option<(Option<TokenVersion>, Awaiting)>,
}

impl Job {
    /// The connection of a claimed operation.
    pub(crate) async fn find_record(db: &Db, claim: &Claim) -> Result<ConnectionRecord, Error> {
        let found = db.background(async |db| connections::find(db, claim.record.connection).await);
        let gone = || Error::Internal("an operation without a connection".to_owned());
        found.await?.ok_or_else(gone)
    }

    pub(crate) async fn open(
        driver: Driver,
        claim: Claim,
        claimed_at: Instant,
        unsent: bool,
    ) -> Result<Self, Error> {
        let lease = Lease::new(driver.db.clone(), &claim, driver.settings.lease, claimed_at);
        let record = loop {
            match Self::find_record(&driver.db, &claim).await {
                // A replica that resumes it later may lack the tokens that are here.
                Err(Error::Database(error)) if error.is_outage() && lease.is_held() => {
                    sleep(driver.settings.poll_min).await;
                }
                record => break record?,
            }
        };
        // An operation that this replica had before keeps its pauses.
        let since = match claim.record.dispatched_at {
            Some(sent_at) if claim.resumed => sent_at,
            _ => driver.clock.now(),
        };
        Ok(Self {
            since,
            lease,
            record,
            unsent,
            with_auxiliary: false,
            tokens: StepTokens::default(),
            driver,
            claim,
        })
    }

    /// Whose the operation is now: another person may have continued it since it was claimed.
    pub(crate) fn set_actor(&mut self, actor: ActorId, app: Uuid) {
        if actor != self.claim.record.actor {
            self.claim.continued = true;
            self.claim.record.actor = actor;
            self.claim.record.app = app;
        }
    }

    /// Whether nothing of the change was sent, so it can wait in the queue.
    pub(crate) fn is_unsent(&self) -> bool {
        match self.claim.record.phase {
            Phase::Queued => true,
            Phase::Dispatched => self.unsent,
            _ => false,
        }
    }

    /// The next pause: a tenth of the time already waited for Azure. So an end is seen after at most 1.1 times the time that it took,
    /// or `poll_min` after it.
    pub(crate) fn next_pause(&self) -> Duration {
        let taken = self.driver.clock.now() - self.since;
        let worker = &self.driver.settings;
        (taken.to_std().unwrap_or_default() / WAIT_DIVISOR).clamp(worker.poll_min, worker.poll_max)
    }

    /// Azure is waited for something new: the pauses start again with the shortest.
    pub(crate) fn restart_pauses(&mut self) {
        self.since = self.driver.clock.now();
    }

    /// Whether the operation should have ended by now.
    pub(crate) fn is_overdue(&self) -> bool {
        self.driver.clock.now() > self.claim.record.deadline_at
    }

    /// Back-off derived from the operation's age, so no state is needed.
    pub(crate) fn growing_pause(&self) -> Duration {
        let age = self.driver.clock.now() - self.claim.record.created_at;
        let part = age.to_std().unwrap_or_default() / AGE_DIVISOR;
        part.clamp(self.driver.settings.poll_min, self.driver.settings.poll_max)
    }

    /// A pause as long as ARM asked for, and longer when the operation has waited for long: an outage may last.
    pub(crate) fn longer_pause(&self, error: &ArmError) -> Duration {
        let asked = error.retry_after().unwrap_or_default();
        asked.max(self.growing_pause())
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.driver.clock.now()
    }

    /// The phase in which the lease can be released: only this replica knows that what it was about to send was not sent.
    pub(crate) fn phase_without_lease(&self) -> Phase {
        match self.claim.record.phase {
            Phase::Dispatched if self.unsent => Phase::Queued,
            phase => phase,
        }
    }

    /// Whether the data connection of that name may be another creator's.
    pub(crate) fn is_contested(&self) -> bool {
        self.record.found.as_ref().is_some_and(|found| found.contested)
    }

    /// The token that ARM wants instead of the one that it refused.
    pub(crate) fn demanded(&self, refusal: Option<&Refusal>) -> Awaiting {
        let tenant = refusal.and_then(|refusal| refusal.claims_tenant);
        Awaiting {
            tenant: tenant.unwrap_or(self.record.target_tenant),
            claims: refusal.and_then(|refusal| refusal.claims.clone()),
        }
    }

    /// The token that is missing while no caller's are here: the one that was missing last, else the target's.
    pub(crate) fn awaited_token(&self) -> Awaiting {
        let target = self.record.target_tenant;
        let last = self.claim.record.awaiting.clone();
        last.unwrap_or_else(|| target.into())
    }
}
