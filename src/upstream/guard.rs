//! The line to one service in one tenant's matters: how many calls are on it at once, whether it is broken, and how many of
//! them may be repetitions. Each tenant has its own, so that a tenant whose side hangs or fails is felt by nobody else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tower::retry::budget::{Budget as _, TpsBudget};
use uuid::Uuid;

use crate::telemetry::metrics;
use crate::upstream::circuit::CallOutcome;
use crate::upstream::circuit::CallPermit;
use crate::upstream::circuit::Change;
use crate::upstream::circuit::Circuit;
use crate::upstream::deadline;

/// Far more tenants and subscriptions than one service deals with; the least used are forgotten, and with them their state.
const MOST: u64 = 10_000;
/// How long a call that nobody waits for waits for a place on its line.
const LONGEST_WAIT_UNSEEN: Duration = Duration::from_secs(5);
/// How much longer a call may take than somebody waits for it.
const MOMENT: Duration = Duration::from_secs(1);
/// What is told to those who found no place.
const COME_BACK: Duration = Duration::from_secs(2);
/// The longest wait that another side may ask for, for a repetition within the same call.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Repetitions are counted over this time…
const BUDGET_TIME: Duration = Duration::from_secs(10);
/// …and may be one a second…
const BUDGET_FLOOR: u32 = 1;
/// …and this part of all calls.
const BUDGET_PART: f32 = 0.1;

/// How much one tenant's side may be asked.
#[derive(Debug, Clone)]
pub struct GuardLimits {
    /// The longest time for one call that changes nothing, from the first byte sent to the last received.
    pub read_timeout: Duration,
    /// How many calls in a row must fail (no answer, 5xx) before none are tried for a while.
    pub opens_after: u32,
    /// How long none are tried.
    pub open_for: Duration,
    /// The most calls that change nothing at once.
    pub at_once: u32,
    /// The pause before a repetition: at least this, and up to as much again.
    pub pause: Duration,
}

impl Default for GuardLimits {
    fn default() -> Self {
        Self {
            read_timeout: Duration::from_secs(10),
            opens_after: 5,
            open_for: Duration::from_secs(10),
            at_once: 32,
            pause: Duration::from_millis(250),
        }
    }
}

/// What is at the other end of a line.
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

/// Why a call was not made: this service's own decision, so nothing has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// The reason.
    pub reason: RejectedFor,
    /// When it is worth trying again.
    pub retry_after: Duration,
}

/// The reasons to hold a call back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectedFor {
    /// The calls before it failed one after the other.
    Broken,
    /// Too many calls are under way there.
    Busy,
    /// So many calls were made that more would be refused.
    Pace,
}

impl RejectedFor {
    /// A short, stable word for logs and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Busy => "busy",
            Self::Pace => "pace",
        }
    }
}

impl Rejected {
    /// Counts it, under the service that was not called.
    pub(crate) fn counted(self, service: Service) -> Self {
        metrics::call_held_back(service.label(), self.reason.label());
        self
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.reason {
            RejectedFor::Broken => "held back after calls that failed one after the other",
            RejectedFor::Busy => "held back because too many calls are under way",
            RejectedFor::Pace => "held back because more calls now would be refused",
        })
    }
}

/// The lines of one service. Cheap to clone; clones are the same lines.
#[derive(Clone)]
pub struct Guards {
    service: Service,
    limits: GuardLimits,
    lines: Cache<Uuid, Arc<Guard>>,
}

/// One of them.
pub struct Guard {
    service: Service,
    /// The tenant, or a subscription whose tenant isn't known.
    of: Uuid,
    circuit: Circuit,
    places: Arc<Semaphore>,
    budget: TpsBudget,
    pause: Duration,
}

/// A call that has leave: to be told how it ended. Dropped without, it counts for nothing.
pub struct OnLine {
    line: Arc<Guard>,
    leave: CallPermit,
    verdict: CallOutcome,
    /// `None` for a write.
    _place: Option<OwnedSemaphorePermit>,
}

impl Guards {
    /// Lines to this service, none of them used yet.
    #[must_use]
    pub fn new(service: Service, limits: GuardLimits) -> Self {
        Self {
            service,
            limits,
            lines: Cache::new(MOST),
        }
    }

    /// The line of a tenant, or of a subscription whose tenant isn't known.
    pub async fn of(&self, of: Uuid) -> Arc<Guard> {
        self.lines
            .get_with(of, async { Arc::new(Guard::new(self.service, of, &self.limits)) })
            .await
    }

    /// How long a call that changes nothing may take: its own longest, or a moment longer than somebody still waits for it, so that
    /// whoever waits is told that the time is over and not that the other side gave no answer.
    #[must_use]
    pub fn read_timeout(&self) -> Duration {
        let longest = self.limits.read_timeout;
        deadline::left().map_or(longest, |left| (left + MOMENT).min(longest))
    }

    /// Whether a call that ran out of time had little of it, so that this says nothing of the other side.
    #[must_use]
    pub fn was_hurried(&self, given: Duration) -> bool {
        given < self.limits.read_timeout / 2
    }
}

impl Guard {
    fn new(service: Service, of: Uuid, limits: &GuardLimits) -> Self {
        Self {
            service,
            of,
            circuit: Circuit::new(limits.opens_after, limits.open_for),
            places: Arc::new(Semaphore::new(
                usize::try_from(limits.at_once.max(1)).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            budget: TpsBudget::new(BUDGET_TIME, BUDGET_FLOOR, BUDGET_PART),
            pause: limits.pause,
        }
    }

    /// Asks to make a call that waits for a place for as long as somebody waits for it: the requests that are taken at once are
    /// bounded where they come in, and none of those that were taken is refused for want of a place here.
    ///
    /// # Errors
    /// That it must not be made, and when to ask again.
    pub async fn enter(self: &Arc<Self>) -> Result<OnLine, Rejected> {
        let longest = deadline::left().unwrap_or(LONGEST_WAIT_UNSEEN);
        // A broken line is told at once, however many wait for a place on it.
        let held_back = self.circuit.is_open();
        let place = if held_back {
            Arc::clone(&self.places).try_acquire_owned().ok()
        } else {
            let acquired = timeout(longest, Arc::clone(&self.places).acquire_owned()).await;
            acquired.ok().and_then(Result::ok)
        };
        if place.is_none() {
            let retry_after = COME_BACK;
            let reason = RejectedFor::Busy;
            return Err(Rejected { reason, retry_after }.counted(self.service));
        }
        self.admit(place)
    }

    /// Asks to make a write, which has to leave now or not at all: it was allowed for this moment. It needs no place: of writes there
    /// is one a cluster, and those who wait for places to read must not keep it back.
    ///
    /// # Errors
    /// That it must not be made, and when to ask again.
    pub fn enter_now(self: &Arc<Self>) -> Result<OnLine, Rejected> {
        self.admit(None)
    }

    fn admit(self: &Arc<Self>, place: Option<OwnedSemaphorePermit>) -> Result<OnLine, Rejected> {
        let leave = self.circuit.enter(Instant::now());
        let leave = leave.map_err(|retry_after| {
            let reason = RejectedFor::Broken;
            Rejected { reason, retry_after }.counted(self.service)
        })?;
        self.budget.deposit();
        Ok(OnLine {
            line: Arc::clone(self),
            leave,
            verdict: CallOutcome::Unknown,
            _place: place,
        })
    }

    /// Whether a call that failed and may be repeated should be, and after which pause. `asked` is what the other side asked
    /// for. Never in the background: what is done there comes back by itself.
    pub fn repetition(&self, asked: Option<Duration>) -> Option<Duration> {
        let pause = match asked {
            Some(asked) if asked > LONGEST_PAUSE => return None,
            Some(asked) => asked.max(self.pause),
            None => self.pause,
        };
        let pause = jittered(pause);
        let in_time = deadline::left().is_some_and(|left| left > pause * 2);
        let may = in_time && !self.circuit.is_open() && self.budget.withdraw();
        may.then(|| {
            metrics::call_repeated(self.service.label());
            pause
        })
    }
}

impl Drop for Guard {
    /// The least used are forgotten, and with them that they were broken.
    fn drop(&mut self) {
        if self.circuit.is_open() {
            metrics::circuit_forgotten(self.service.label());
        }
    }
}

impl OnLine {
    /// The other side answered: with whatever, it works.
    pub fn works(mut self) {
        self.verdict = CallOutcome::Works;
    }

    /// No answer, or one that says that the other side is broken.
    pub fn fails(mut self) {
        self.verdict = CallOutcome::Fails;
    }
}

impl Drop for OnLine {
    fn drop(&mut self) {
        let line = &self.line;
        let (service, of) = (line.service.label(), line.of);
        match line.circuit.judge(self.leave, self.verdict, Instant::now()) {
            Some(Change::Opened) => {
                metrics::circuit_opened(service);
                tracing::warn!(
                    outbound.service = service,
                    outbound.of = %of,
                    "calls fail one after the other; none are tried for a while"
                );
            }
            Some(Change::Closed) => {
                metrics::circuit_closed(service);
                tracing::info!(outbound.service = service, outbound.of = %of, "calls succeed again");
            }
            None => {}
        }
    }
}

/// Between one and two times `pause`, so that many callers who failed together don't come back together.
fn jittered(pause: Duration) -> Duration {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    let part = u32::try_from(high % 1000).unwrap_or_default();
    pause + pause * part / 1000
}

#[cfg(test)]
mod tests;
