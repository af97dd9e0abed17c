//! How often tokens with an unknown key id may cause a fetch of a tenant's keys. The key may be new, so it is fetched; but invented
//! key ids must not make this service flood Entra.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How many fetches may be caused at once, and in each interval.
const AT_ONCE: i32 = 10;

/// A token bucket, kept as the time at which it is full again (the generic cell rate algorithm).
#[derive(Debug)]
pub(super) struct FetchBudget {
    full_at: DateTime<Utc>,
    /// The time after which one fetch is available again.
    step: TimeDelta,
}

impl FetchBudget {
    /// At most ten at once, and ten more in each interval.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            full_at: DateTime::UNIX_EPOCH,
            step: TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX) / AT_ONCE,
        }
    }

    /// Acquires one fetch.
    ///
    /// # Errors
    /// How long until one is available.
    pub(super) fn take(&mut self, now: DateTime<Utc>) -> Result<(), Duration> {
        // Never emptier than empty, also after the clock was set back.
        let missing = (self.full_at - now).clamp(TimeDelta::zero(), self.step * AT_ONCE);
        self.full_at = now + missing;
        let wait = missing - self.step * (AT_ONCE - 1);
        if wait > TimeDelta::zero() {
            return Err(wait.to_std().unwrap_or_default());
        }
        self.full_at += self.step;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::testing::start;

    #[test]
    fn ten_are_had_at_once_and_then_one_in_each_tenth_of_the_interval() {
        let (mut fetches, start) = (FetchBudget::new(Duration::from_secs(300)), start());
        let at = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..10 {
            assert_eq!(fetches.take(at(0)), Ok(()));
        }
        assert_eq!(fetches.take(at(0)), Err(Duration::from_secs(30)));
        assert_eq!(fetches.take(at(10)), Err(Duration::from_secs(20)));
        assert_eq!(fetches.take(at(30)), Ok(()));
        assert_eq!(fetches.take(at(30)), Err(Duration::from_secs(30)));
        for _ in 0..10 {
            assert_eq!(fetches.take(at(1000)), Ok(()));
        }
        assert_eq!(fetches.take(at(1000)), Err(Duration::from_secs(30)));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out_for_longer_than_one_fetch_takes() {
        let (mut fetches, start) = (FetchBudget::new(Duration::from_secs(300)), start());
        assert_eq!(fetches.take(start), Ok(()));
        let before = start - Duration::from_secs(86_400);
        assert_eq!(fetches.take(before), Err(Duration::from_secs(30)));
        assert_eq!(fetches.take(before + Duration::from_secs(30)), Ok(()));
    }
}
