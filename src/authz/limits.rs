//! How often one person may do something. Each replica counts for itself.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::domain::Person;

/// The time that a count is for.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);

type Counts<C> = RateLimiter<Person, HashMapStateStore<Person>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// A limit for each person: so many at once, refilled evenly over a [`WINDOW`].
pub(crate) struct PerPerson<C: Clock = MonotonicClock> {
    counts: Counts<C>,
    clock: C,
    /// When people who did nothing lately were last dropped from the counts.
    tidied_at: Mutex<C::Instant>,
}

impl PerPerson {
    /// So many in a [`WINDOW`].
    #[must_use]
    pub(crate) fn new(count: u32) -> Self {
        Self::timed_by(count, MonotonicClock)
    }
}

impl<C: Clock + Clone> PerPerson<C> {
    fn timed_by(count: u32, clock: C) -> Self {
        let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let each = WINDOW / count.get();
        let quota = Quota::with_period(each).unwrap_or_else(|| Quota::per_second(count));
        Self {
            counts: RateLimiter::new(
                quota.allow_burst(count),
                HashMapStateStore::default(),
                clock.clone(),
            ),
            tidied_at: Mutex::new(clock.now()),
            clock,
        }
    }

    /// Counts one more of this person.
    ///
    /// # Errors
    /// How long until a request is allowed; this one was not counted.
    pub(crate) fn count(&self, person: Person) -> Result<(), Duration> {
        self.tidy();
        let counted = self.counts.check_key(&person);
        counted.map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Drops people whose count is back at nothing, so that memory holds those of the last minutes only.
    fn tidy(&self) {
        let now = self.clock.now();
        let due = {
            let mut tidied_at = self.tidied_at.lock().unwrap_or_else(PoisonError::into_inner);
            let due = Duration::from(governor::clock::Reference::duration_since(&now, *tidied_at)) >= WINDOW;
            if due {
                *tidied_at = now;
            }
            due
        };
        if due {
            self.counts.retain_recent();
            self.counts.shrink_to_fit();
        }
    }
}

impl<C: Clock> std::fmt::Debug for PerPerson<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PerPerson")
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{ObjectId, TenantId};

    fn person(number: u128) -> Person {
        Person {
            tenant: TenantId::new(Uuid::from_u128(1)),
            object: ObjectId::new(Uuid::from_u128(number)),
        }
    }

    #[test]
    fn a_person_over_the_limit_waits_until_some_has_come_back_and_others_do_not() {
        let clock = FakeRelativeClock::default();
        let limit = PerPerson::timed_by(60, clock.clone());
        for _ in 0..60 {
            assert_eq!(limit.count(person(1)), Ok(()));
        }
        assert_eq!(limit.count(person(1)), Err(Duration::from_secs(1)));
        assert_eq!(limit.count(person(2)), Ok(()));
        clock.advance(Duration::from_secs(1));
        assert_eq!(limit.count(person(1)), Ok(()));
        assert_eq!(limit.count(person(1)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn people_who_did_nothing_lately_are_not_kept_in_memory() {
        let clock = FakeRelativeClock::default();
        let limit = PerPerson::timed_by(10, clock.clone());
        for number in 0..1000 {
            assert_eq!(limit.count(person(number)), Ok(()));
        }
        clock.advance(WINDOW * 2);
        assert_eq!(limit.count(person(1)), Ok(()));
        assert_eq!(limit.counts.len(), 1);
    }
}
