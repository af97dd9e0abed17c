//! Rate limits of calls to ARM: spaced out before ARM throttles, stopped until its `Retry-After` once it has.
//!
//! ARM counts calls of one principal in one subscription, reads, writes and deletes separately, in buckets that refill (Microsoft Learn,
//! "Understand how Azure Resource Manager throttles requests"; 25 reads, 10 writes and 10 deletes a second), and each response says what
//! is left. The sizes observed differ from those documented, so only the responses count: the less is left, the further apart are the
//! calls. Each replica keeps its own state; the responses account for all replicas.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use moka::future::Cache;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::refusal::Refusal;
use crate::domain::Person;

/// Far more buckets than one replica uses at a time; the least used are dropped, and the next response tells of them again.
const MAX_BUCKETS: u64 = 10_000;
/// With fewer calls left than this, they are spaced out.
const FEW: f64 = 20.0;
/// How many calls are sent before ARM has said what is left.
const UNKNOWN: f64 = FEW + 5.0;
/// Calls are never further apart than if this were left.
const LEAST: f64 = 0.5;
/// After so long without a call some must have come back…
const REST: Duration = Duration::from_secs(10);
/// …at least so many.
const RESTED: f64 = FEW / 2.0;
/// How often a waiting call checks whether a response has changed the limit.
const RECHECK_INTERVAL: Duration = Duration::from_millis(100);
/// How long calls stop after a 429 without `Retry-After`.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(2);

/// The kinds of calls that ARM counts separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Read,
    Write,
    Delete,
}

impl Kind {
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Read,
            Method::DELETE => Self::Delete,
            _ => Self::Write,
        }
    }

    /// Calls per second that the bucket refills, as documented.
    fn refill(self) -> f64 {
        match self {
            Self::Read => 25.0,
            Self::Write | Self::Delete => 10.0,
        }
    }
}

/// What ARM counts in one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) subscription: Uuid,
    pub(super) principal: Person,
    pub(super) kind: Kind,
}

/// All buckets. Cheap to clone; clones share them.
#[derive(Clone)]
pub(super) struct RateLimiter(Cache<Key, Shared>);

type Shared = Arc<Mutex<Bucket>>;

/// The state of one bucket.
#[derive(Debug)]
struct Bucket {
    refill: f64,
    /// Calls left according to the last response, without those sent since. The refill is not counted: the next response tells.
    left: f64,
    under_way: u32,
    /// When the last call was sent.
    last: Option<Instant>,
    closed_until: Instant,
    /// The same for single calls, by name.
    calls_closed_until: HashMap<&'static str, Instant>,
}

/// How long a call waits for its permit.
#[derive(Debug, Clone, Copy)]
pub(super) struct MaxWait {
    /// While ARM throttles the bucket: a call that would wait longer is rejected at once.
    pub(super) closed: Duration,
    /// While calls are only spaced out by this service.
    pub(super) spaced: Duration,
}

/// Why a call may not be sent now, and how long until it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotYet {
    Closed(Duration),
    Spaced(Duration),
}

/// The permit of one call. Its holder reports the response.
pub(super) struct RatePermit {
    bucket: Shared,
    name: &'static str,
}

impl RateLimiter {
    pub(super) fn new() -> Self {
        Self(Cache::new(MAX_BUCKETS))
    }

    /// Waits for the permit of a call, at most for `longest`.
    ///
    /// # Errors
    /// How much longer it would have had to wait.
    pub(super) async fn acquire(
        &self,
        key: Key,
        name: &'static str,
        longest: MaxWait,
    ) -> Result<RatePermit, Duration> {
        let begun = Instant::now();
        let new = async { Arc::new(Mutex::new(Bucket::new(key.kind.refill(), begun))) };
        let bucket = self.0.get_with(key, new).await;
        // Checked again after each wait: responses may have changed the limit meanwhile.
        loop {
            let now = Instant::now();
            let taken = lock(&bucket).take(name, now);
            let (wait, longest) = match taken {
                Ok(()) => return Ok(RatePermit { bucket, name }),
                Err(NotYet::Closed(wait)) => (wait, longest.closed),
                Err(NotYet::Spaced(wait)) => (wait, longest.spaced),
            };
            if now + wait > begun + longest {
                return Err(wait);
            }
            sleep(wait.min(RECHECK_INTERVAL)).await;
        }
    }
}

impl RatePermit {
    /// Records what the response says about the bucket.
    pub(super) fn answered(self, status: StatusCode, remaining: Option<u32>, refusal: Option<&Refusal>) {
        let now = Instant::now();
        let mut bucket = lock(&self.bucket);
        if status == StatusCode::TOO_MANY_REQUESTS {
            let asked = refusal.and_then(|refusal| refusal.retry_after);
            // One action reached its own limit, which says nothing about the others.
            let one_alone = refusal.is_some_and(|refusal| refusal.is_code("ResourceRequestsThrottled"));
            let until = now + asked.unwrap_or(DEFAULT_RETRY_AFTER);
            bucket.close(one_alone.then_some(self.name), until);
        } else {
            bucket.learn(remaining);
        }
    }
}

impl Drop for RatePermit {
    fn drop(&mut self) {
        let mut bucket = lock(&self.bucket);
        bucket.under_way = bucket.under_way.saturating_sub(1);
    }
}

impl Bucket {
    fn new(refill: f64, now: Instant) -> Self {
        Self {
            refill,
            left: UNKNOWN,
            under_way: 0,
            last: None,
            closed_until: now,
            calls_closed_until: HashMap::new(),
        }
    }

    /// Counts a call that is sent now, or returns how long to wait.
    fn take(&mut self, name: &'static str, now: Instant) -> Result<(), NotYet> {
        let of_call = self.calls_closed_until.get(name).copied();
        let open_at = of_call.map_or(self.closed_until, |until| until.max(self.closed_until));
        if self.last.is_some_and(|last| now >= last + REST) && self.under_way == 0 {
            self.left = self.left.max(RESTED);
        }
        let spaced = self.last.filter(|_| self.left < FEW);
        let turn = spaced.map_or(now, |last| last + self.space());
        let wait = open_at.max(turn).saturating_duration_since(now);
        if open_at > now {
            return Err(NotYet::Closed(wait));
        }
        if !wait.is_zero() {
            return Err(NotYet::Spaced(wait));
        }
        self.last = Some(now);
        self.left -= 1.0;
        self.under_way += 1;
        Ok(())
    }

    /// The interval between calls: as the bucket refills, longer the less is left.
    fn space(&self) -> Duration {
        Duration::from_secs_f64(FEW / self.left.max(LEAST) / self.refill)
    }

    /// Takes over what a response says is left; calls in flight are perhaps not counted in it.
    fn learn(&mut self, remaining: Option<u32>) {
        self.left = match remaining {
            Some(remaining) => f64::from(remaining) - f64::from(self.under_way.saturating_sub(1)),
            // ARM does not count this call, or does not say so.
            None => self.left.max(UNKNOWN),
        };
    }

    fn close(&mut self, call: Option<&'static str>, until: Instant) {
        match call {
            Some(name) => {
                self.calls_closed_until.insert(name, until);
            }
            None => {
                self.closed_until = self.closed_until.max(until);
                self.left = 0.0;
                // The first call after `Retry-After` is not spaced out; only those behind it are.
                self.last = None;
            }
        }
    }
}

fn lock(bucket: &Shared) -> MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A bucket at ARM, which counts exactly.
    struct Real {
        size: f64,
        refill: f64,
        left: f64,
        at: Instant,
    }

    impl Real {
        fn serve(&mut self, now: Instant) -> Option<u32> {
            let passed = now.duration_since(self.at).as_secs_f64();
            self.left = (self.left + passed * self.refill).min(self.size);
            self.at = now;
            (self.left >= 1.0).then(|| {
                self.left -= 1.0;
                remaining(self.left)
            })
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number"
    )]
    fn remaining(left: f64) -> u32 {
        left.floor() as u32
    }

    /// So many calls that all want to leave now, each answered after 100 ms; when the last was answered.
    fn burst(real: &mut Real, bucket: &mut Bucket, calls: usize, start: Instant) -> Instant {
        let mut answers: VecDeque<(Instant, u32)> = VecDeque::new();
        let (mut now, mut asked) = (start, 0);
        while asked < calls || !answers.is_empty() {
            while asked < calls && bucket.take("GET", now).is_ok() {
                let left = real.serve(now).expect("ARM refused a call");
                answers.push_back((now + Duration::from_millis(100), left));
                asked += 1;
            }
            while let Some((at, left)) = answers.pop_front() {
                if at > now {
                    answers.push_front((at, left));
                    break;
                }
                bucket.learn(Some(left));
                bucket.under_way -= 1;
            }
            now += Duration::from_millis(10);
        }
        now
    }

    #[test]
    fn a_burst_over_a_small_bucket_is_spaced_out_and_never_refused() {
        for (size, refill) in [(10.0, 2.0), (30.0, 25.0), (250.0, 25.0), (20.0, 1.0)] {
            let start = Instant::now();
            let mut real = Real {
                size,
                refill,
                left: size,
                at: start,
            };
            let mut bucket = Bucket::new(25.0, start);
            let first = burst(&mut real, &mut bucket, 100, start);
            // And once more after a rest.
            burst(&mut real, &mut bucket, 100, first + SECOND * 5);
        }
    }

    #[test]
    fn with_plenty_left_nobody_waits() {
        let now = Instant::now();
        let mut bucket = Bucket::new(25.0, now);
        bucket.learn(Some(250));
        for _ in 0..200 {
            assert_eq!(bucket.take("GET", now), Ok(()));
        }
    }

    #[test]
    fn a_refusal_stops_all_calls_of_the_bucket_for_as_long_as_arm_asks() {
        let now = Instant::now();
        let mut bucket = Bucket::new(25.0, now);
        bucket.close(None, now + SECOND * 17);
        assert_eq!(bucket.take("GET", now), Err(NotYet::Closed(SECOND * 17)));
        let later = bucket.take("other", now + SECOND * 10);
        assert_eq!(later, Err(NotYet::Closed(SECOND * 7)));
        assert_eq!(bucket.take("GET", now + SECOND * 17), Ok(()));
        let slowly = bucket.take("GET", now + SECOND * 17);
        assert!(matches!(slowly, Err(NotYet::Spaced(_))), "{slowly:?}");
    }

    #[test]
    fn a_refusal_of_one_action_stops_that_one_alone() {
        let now = Instant::now();
        let mut bucket = Bucket::new(25.0, now);
        bucket.close(Some("GET cluster"), now + SECOND * 60);
        assert!(bucket.take("GET cluster", now).is_err());
        assert_eq!(bucket.take("GET hub", now), Ok(()));
    }

    #[test]
    fn answers_that_say_nothing_slow_nobody_down() {
        let now = Instant::now();
        let mut bucket = Bucket::new(25.0, now);
        for _ in 0..200 {
            assert_eq!(bucket.take("GET", now), Ok(()));
            bucket.learn(None);
            bucket.under_way -= 1;
        }
    }
}
