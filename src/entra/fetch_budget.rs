//! How often tokens may make a tenant's keys be fetched by naming a key that is not known. A key may be new, so the answer is
//! looked for; but whoever makes up key names must not turn this service against Entra.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How many fetches may be caused at once, and in each interval.
const AT_ONCE: i32 = 10;

/// A token bucket, kept as the time at which it is full again (the generic cell rate algorithm).
#[derive(Debug)]
pub(super) struct Looks {
    full_at: DateTime<Utc>,
    /// The time that one look takes to come back.
    step: TimeDelta,
}

impl Looks {
    /// At most ten at once, and ten more in each interval.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            full_at: DateTime::UNIX_EPOCH,
            step: TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX) / AT_ONCE,
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long until there is one.
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
        let (mut looks, start) = (Looks::new(Duration::from_secs(300)), start());
        let at = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..10 {
            assert_eq!(looks.take(at(0)), Ok(()));
        }
        assert_eq!(looks.take(at(0)), Err(Duration::from_secs(30)));
        assert_eq!(looks.take(at(10)), Err(Duration::from_secs(20)));
        assert_eq!(looks.take(at(30)), Ok(()));
        assert_eq!(looks.take(at(30)), Err(Duration::from_secs(30)));
        for _ in 0..10 {
            assert_eq!(looks.take(at(1000)), Ok(()));
        }
        assert_eq!(looks.take(at(1000)), Err(Duration::from_secs(30)));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out_for_longer_than_one_look_takes() {
        let (mut looks, start) = (Looks::new(Duration::from_secs(300)), start());
        assert_eq!(looks.take(start), Ok(()));
        let before = start - Duration::from_secs(86_400);
        assert_eq!(looks.take(before), Err(Duration::from_secs(30)));
        assert_eq!(looks.take(before + Duration::from_secs(30)), Ok(()));
    }
}
