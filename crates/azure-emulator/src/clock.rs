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

    /// Moves the clock forward. Tokens grow older and running operations come nearer to their end.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 2);
        self.offset_ms.fetch_add(by, Ordering::SeqCst);
    }

    /// Sets the clock, forward or back. Going back leaves what was made meanwhile in the future.
    pub fn set(&self, to: DateTime<Utc>) {
        let offset = (to - Utc::now()).num_milliseconds();
        self.offset_ms.store(offset, Ordering::SeqCst);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_move_together() {
        let clock = Clock::default();
        let other = clock.clone();
        let before = other.now();
        clock.advance(Duration::from_secs(3600));
        assert!(other.now() - before >= TimeDelta::seconds(3600));
    }
}
