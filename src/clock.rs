//! The one source of time and of new ids, so that tests can drive both.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid};

/// Tells the time. Cheap to clone; clones tell the same time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Driven(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    #[must_use]
    pub fn driven(start: DateTime<Utc>) -> Self {
        Self(Source::Driven(Arc::new(Mutex::new(start))))
    }

    /// The time now, UTC.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => Utc::now(),
            Source::Driven(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a driven clock forward; does nothing to the machine's clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Driven(now) = &self.0 {
            *now.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }

    /// A new UUIDv7 of this clock's time (RFC 9562, section 5.7).
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(Timestamp::from_unix(
            NoContext,
            seconds,
            now.timestamp_subsec_nanos(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driven_clock_moves_only_when_told_and_its_ids_sort_by_time() {
        let clock = Clock::driven(DateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let first = clock.new_id();
        assert_eq!(clock.now(), clock.clone().now());
        clock.advance(Duration::from_secs(1));
        assert!(first < clock.new_id());
    }
}
