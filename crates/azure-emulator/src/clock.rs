//! The clock that everything in the emulator reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The machine's time plus an offset that tests move forward. Clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The emulator's time now.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.offset_ms.load(Ordering::SeqCst))
    }

    /// Moves the clock forward, at most to the year 9000. Tokens grow older and running operations come nearer to their end.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        // Never refused, so there is nothing to do with the old value.
        let _ = self
            .offset_ms
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |offset| {
                Some(within_reach(offset.saturating_add(by)))
            });
    }

    /// Sets the clock, forward or back, between the years 1970 and 9000. Going back leaves what was made meanwhile in the
    /// future.
    pub fn set(&self, to: DateTime<Utc>) {
        let offset = to
            .timestamp_millis()
            .saturating_sub(Utc::now().timestamp_millis());
        self.offset_ms.store(within_reach(offset), Ordering::SeqCst);
    }

    /// A clock that shows the same time but moves by itself.
    pub(crate) fn detached(&self) -> Clock {
        let offset_ms = Arc::new(AtomicI64::new(self.offset_ms.load(Ordering::SeqCst)));
        Clock { offset_ms }
    }

    /// Shows the other clock's time from now on.
    pub(crate) fn follow(&self, other: &Clock) {
        let offset = other.offset_ms.load(Ordering::SeqCst);
        self.offset_ms.store(offset, Ordering::SeqCst);
    }
}

/// The year 9000 in milliseconds since 1970: whatever is added to it is still a time that can be told.
const LATEST_MS: i64 = 221_845_392_000_000;

/// The offset with which the clock shows a time that everything can be counted from.
fn within_reach(offset: i64) -> i64 {
    let now = Utc::now().timestamp_millis();
    offset.clamp(-now, LATEST_MS - now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_clock_goes_where_time_can_not_be_counted_on() {
        let clock = Clock::default();
        for _ in 0..3 {
            clock.advance(Duration::MAX);
            assert_eq!(clock.now().format("%Y").to_string(), "9000");
        }
        clock.set(DateTime::<Utc>::MAX_UTC);
        assert_eq!(clock.now().format("%Y").to_string(), "9000");
        clock.set(DateTime::<Utc>::MIN_UTC);
        assert_eq!(clock.now().format("%Y").to_string(), "1970");
    }

    #[test]
    fn clones_move_together() {
        let clock = Clock::default();
        let other = clock.clone();
        let before = other.now();
        clock.advance(Duration::from_secs(3600));
        assert!(other.now() - before >= TimeDelta::seconds(3600));
    }
}
