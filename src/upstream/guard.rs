//! The guard of calls to one service for one tenant: concurrency limit, circuit breaker and retry budget. Each tenant has its own, so
//! that a tenant whose side hangs or fails does not affect the others.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tower::retry::budget::{Budget as _, TpsBudget};
use uuid::Uuid;

use crate::telemetry::metrics;
use crate::upstream::circuit::{CallOutcome, CallPermit, Change, Circuit};
use crate::upstream::deadline;

/// Far more tenants and subscriptions than one service deals with; the least used guards are dropped with their state.
const MAX_GUARDS: u64 = 10_000;
/// How long a background call waits for a slot.
const MAX_BACKGROUND_WAIT: Duration = Duration::from_secs(5);
/// How much longer than its request's deadline a call may take.
const GRACE: Duration = Duration::from_secs(1);
/// `Retry-After` of a call that found no slot.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(2);
/// The longest `Retry-After` that is waited for before a retry within the same call.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(2);
/// Retries are counted over this time…
const BUDGET_TIME: Duration = Duration::from_secs(10);
/// …and may be one a second…
const BUDGET_FLOOR: u32 = 1;
/// …and this part of all calls.
const BUDGET_PART: f32 = 0.1;

/// Limits of the calls to one service for one tenant.
#[derive(Debug, Clone)]
pub struct GuardLimits {
    /// The longest time for one call that changes nothing, from the first byte sent to the last received.
    pub read_timeout: Duration,
    /// How many consecutive calls must fail (no response, 5xx) before the circuit opens.
    pub opens_after: u32,
    /// How long the circuit stays open.
    pub open_for: Duration,
    /// The most concurrent calls that change nothing.
    pub at_once: u32,
    /// The delay before a retry: between one and two times this.
    pub pause: Duration,
    /// The longest time that ARM is asked nothing since it refused for too many calls, whatever it says.
    pub longest_retry_after: Duration,
}

impl Default for GuardLimits {
    fn default() -> Self {
        Self {
            read_timeout: Duration::from_secs(10),
            opens_after: 5,
            open_for: Duration::from_secs(10),
            at_once: 32,
            pause: Duration::from_millis(250),
            longest_retry_after: Duration::from_secs(3600),
        }
    }
}

/// The service that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Azure Resource Manager.
    Arm,
    /// Entra's token endpoints.
    Entra,
    /// Entra's signing keys.
    Keys,
}

impl Service {
    /// A short, stable word for logs and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Arm => "arm",
            Self::Entra => "entra",
            Self::Keys => "keys",
        }
    }
}

/// Why a call was not sent: this service's own decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// The reason.
    pub reason: RejectedFor,
    /// When to try again.
    pub retry_after: Duration,
}

/// The reasons to reject a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectedFor {
    /// The circuit is open after consecutive failures.
    Broken,
    /// Too many concurrent calls.
    Busy,
    /// The service has refused calls of the kind, and named a time.
    Rate,
}

impl RejectedFor {
    /// A short, stable word for logs and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Busy => "busy",
            Self::Rate => "rate",
        }
    }
}

impl Rejected {
    /// Counts the rejection for the service that was not called.
    pub(crate) fn counted(self, service: Service) -> Self {
        metrics::call_rejected(service.label(), self.reason.label());
        self
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.reason {
            RejectedFor::Broken => "rejected after consecutive failures",
            RejectedFor::Busy => "rejected because too many calls run",
            RejectedFor::Rate => "rejected because the service has throttled its kind",
        })
    }
}

/// The guards of one service. Cheap to clone; clones share the guards.
#[derive(Clone)]
pub struct Guards {
    service: Service,
    limits: GuardLimits,
    guards: Cache<Uuid, Arc<Guard>>,
}

/// The guard of one tenant's calls.
pub struct Guard {
    service: Service,
    /// The tenant, or a subscription whose tenant isn't known.
    of: Uuid,
    circuit: Circuit,
    slots: Arc<Semaphore>,
    budget: TpsBudget,
    pause: Duration,
}

/// A call that may be sent. Its holder records how it ended; dropped without that, it does not count.
pub struct AdmittedCall {
    guard: Arc<Guard>,
    permit: CallPermit,
    outcome: CallOutcome,
    /// `None` for a write.
    _slot: Option<OwnedSemaphorePermit>,
}

impl Guards {
    /// Guards of this service, none of them used yet.
    #[must_use]
    pub fn new(service: Service, limits: GuardLimits) -> Self {
        Self {
            service,
            limits,
            guards: Cache::new(MAX_GUARDS),
        }
    }

    /// The guard of a tenant, or of a subscription whose tenant isn't known.
    pub async fn of(&self, of: Uuid) -> Arc<Guard> {
        self.guards
            .get_with(of, async { Arc::new(Guard::new(self.service, of, &self.limits)) })
            .await
    }

    /// How long a call that changes nothing may take: `read_timeout`, or a moment longer than its request's deadline, so that the
    /// request ends as timed out and not for want of a response.
    #[must_use]
    pub fn read_timeout(&self) -> Duration {
        let longest = self.limits.read_timeout;
        deadline::left().map_or(longest, |left| (left + GRACE).min(longest))
    }

    /// Whether a call that timed out had so short a deadline that this says nothing about the service.
    #[must_use]
    pub fn deadline_was_short(&self, given: Duration) -> bool {
        given < self.limits.read_timeout / 2
    }
}

impl Guard {
    fn new(service: Service, of: Uuid, limits: &GuardLimits) -> Self {
        Self {
            service,
            of,
            circuit: Circuit::new(limits.opens_after, limits.open_for),
            slots: Arc::new(Semaphore::new(
                usize::try_from(limits.at_once.max(1)).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            budget: TpsBudget::new(BUDGET_TIME, BUDGET_FLOOR, BUDGET_PART),
            pause: limits.pause,
        }
    }

    /// Admits a call that changes nothing. It waits for a slot until its request's deadline: concurrent requests are limited where
    /// they come in, so an accepted request is not rejected here.
    ///
    /// # Errors
    /// When the call must not be sent.
    pub async fn enter(self: &Arc<Self>) -> Result<AdmittedCall, Rejected> {
        let longest = deadline::left().unwrap_or(MAX_BACKGROUND_WAIT);
        // If the circuit is open, fail fast instead of queueing.
        let slot = if self.circuit.is_open() {
            Arc::clone(&self.slots).try_acquire_owned().ok()
        } else {
            let acquired = timeout(longest, Arc::clone(&self.slots).acquire_owned()).await;
            acquired.ok().and_then(Result::ok)
        };
        if slot.is_none() {
            let retry_after = BUSY_RETRY_AFTER;
            let reason = RejectedFor::Busy;
            return Err(Rejected { reason, retry_after }.counted(self.service));
        }
        self.admit(slot)
    }

    /// Admits a write, which must be sent now or not at all: its lease was just checked. It needs no slot: there is one write per
    /// cluster, and waiting reads must not delay it.
    ///
    /// # Errors
    /// When the call must not be sent.
    pub fn enter_now(self: &Arc<Self>) -> Result<AdmittedCall, Rejected> {
        self.admit(None)
    }

    fn admit(self: &Arc<Self>, slot: Option<OwnedSemaphorePermit>) -> Result<AdmittedCall, Rejected> {
        let permit = self.circuit.enter(Instant::now());
        let permit = permit.map_err(|retry_after| {
            let reason = RejectedFor::Broken;
            Rejected { reason, retry_after }.counted(self.service)
        })?;
        self.budget.deposit();
        Ok(AdmittedCall {
            guard: Arc::clone(self),
            permit,
            outcome: CallOutcome::Unknown,
            _slot: slot,
        })
    }

    /// The delay before a failed call is retried; `None` if it must not be. `asked` is the service's `Retry-After`. Background calls are
    /// not retried here: their operation is resumed later.
    pub fn retry_delay(&self, asked: Option<Duration>) -> Option<Duration> {
        let pause = match asked {
            Some(asked) if asked > MAX_RETRY_DELAY => return None,
            Some(asked) => asked.max(self.pause),
            None => self.pause,
        };
        let pause = jittered(pause);
        let fits_deadline = deadline::left().is_some_and(|left| left > pause * 2);
        let may = fits_deadline && !self.circuit.is_open() && self.budget.withdraw();
        may.then(|| {
            metrics::call_retried(self.service.label());
            pause
        })
    }
}

impl Drop for Guard {
    /// A dropped guard no longer counts as an open circuit.
    fn drop(&mut self) {
        if self.circuit.is_open() {
            metrics::circuit_forgotten(self.service.label());
        }
    }
}

impl AdmittedCall {
    /// The service responded, with whatever status below 500.
    pub fn record_success(mut self) {
        self.outcome = CallOutcome::Works;
    }

    /// No response, or a 5xx.
    pub fn record_failure(mut self) {
        self.outcome = CallOutcome::Fails;
    }
}

impl Drop for AdmittedCall {
    fn drop(&mut self) {
        let guard = &self.guard;
        let (service, of) = (guard.service.label(), guard.of);
        match guard.circuit.judge(self.permit, self.outcome, Instant::now()) {
            Some(Change::Opened) => {
                metrics::circuit_opened(service);
                tracing::warn!(
                    upstream.service = service,
                    upstream.of = %of,
                    "circuit breaker opened: consecutive calls failed, and none are sent for a while"
                );
            }
            Some(Change::Closed) => {
                metrics::circuit_closed(service);
                tracing::info!(upstream.service = service, upstream.of = %of, "circuit breaker closed: calls succeed again");
            }
            None => {}
        }
    }
}

/// Between one and two times `pause`, so that callers who failed together don't retry together.
fn jittered(pause: Duration) -> Duration {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    let part = u32::try_from(high % 1000).unwrap_or_default();
    pause + pause * part / 1000
}

#[cfg(test)]
mod tests;
