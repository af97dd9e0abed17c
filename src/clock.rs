//! The one source of time and of new ids, so that tests can drive both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::{NoContext, Timestamp, Uuid};

/// The clock. Cheap to clone; clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    /// The machine's time, and by how much this clock is ahead of it.
    Ahead(Arc<Mutex<Duration>>),
    Driven(Arc<Driven>),
}

/// A time that stands still until it is moved, and who sleeps by it.
#[derive(Debug)]
struct Driven {
    now: watch::Sender<DateTime<Utc>>,
    /// Until when the sleepers sleep.
    alarms: Mutex<Vec<DateTime<Utc>>>,
    /// Signals that a task has begun to sleep.
    alarm_set: watch::Sender<()>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that runs with the machine's, ahead of it; [`Clock::advance`] moves it further ahead.
    #[must_use]
    pub fn ahead_by(ahead: Duration) -> Self {
        Self(Source::Ahead(Arc::new(Mutex::new(ahead))))
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    #[must_use]
    pub fn driven(start: DateTime<Utc>) -> Self {
        Self(Source::Driven(Arc::new(Driven {
            now: watch::Sender::new(start),
            alarms: Mutex::default(),
            alarm_set: watch::Sender::new(()),
        })))
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
            Source::Ahead(ahead) => Utc::now() + *ahead.lock().unwrap_or_else(PoisonError::into_inner),
            Source::Driven(driven) => *driven.now.borrow(),
        }
    }

    /// Sleeps for this long by this clock: by a driven one, until it is moved that far.
    pub async fn sleep(&self, length: Duration) {
        match &self.0 {
            Source::System | Source::Ahead(_) => tokio::time::sleep(length).await,
            Source::Driven(driven) => {
                let mut now = driven.now.subscribe();
                let alarm = Alarm::set(driven, self.now() + length);
                // It can't end otherwise: the sender is held here.
                let _ = now.wait_for(|now| *now >= alarm.at).await;
            }
        }
    }

    /// Moves a clock that is not the machine's forward. Only a driven one wakes who sleeps by it.
    pub fn advance(&self, by: Duration) {
        match &self.0 {
            Source::System => {}
            Source::Ahead(ahead) => *ahead.lock().unwrap_or_else(PoisonError::into_inner) += by,
            Source::Driven(driven) => driven.now.send_modify(|now| *now += by),
        }
    }

    /// Waits until a task sleeps by a driven clock, and returns for how long the first one still does. Never returns for
    /// another clock.
    pub async fn until_next_alarm(&self) -> Duration {
        let Source::Driven(driven) = &self.0 else {
            return std::future::pending().await;
        };
        let mut alarm_set = driven.alarm_set.subscribe();
        loop {
            let now = self.now();
            let next = driven.alarms().iter().copied().filter(|alarm| *alarm > now).min();
            if let Some(next) = next {
                return (next - now).to_std().unwrap_or_default();
            }
            // It can't fail: the sender is held here.
            let _ = alarm_set.changed().await;
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

impl Driven {
    fn alarms(&self) -> MutexGuard<'_, Vec<DateTime<Utc>>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One sleeper by a driven clock, as long as it sleeps.
struct Alarm<'a> {
    driven: &'a Driven,
    at: DateTime<Utc>,
}

impl<'a> Alarm<'a> {
    fn set(driven: &'a Driven, at: DateTime<Utc>) -> Self {
        driven.alarms().push(at);
        driven.alarm_set.send_replace(());
        Self { driven, at }
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        let mut alarms = self.driven.alarms();
        if let Some(place) = alarms.iter().position(|alarm| *alarm == self.at) {
            alarms.swap_remove(place);
        }
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

    #[tokio::test]
    async fn who_sleeps_by_a_driven_clock_wakes_when_it_is_moved_that_far() {
        let clock = Clock::driven(DateTime::UNIX_EPOCH);
        let sleeper = tokio_util::task::TaskTracker::new().spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(600)).await }
        });
        assert_eq!(clock.until_next_alarm().await, Duration::from_secs(600));
        clock.advance(Duration::from_secs(599));
        assert_eq!(clock.until_next_alarm().await, Duration::from_secs(1));
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.expect("it wakes");
        let Source::Driven(driven) = &clock.0 else {
            panic!("a driven clock")
        };
        assert!(driven.alarms().is_empty());
    }
}
