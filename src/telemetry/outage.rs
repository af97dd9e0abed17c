//! Something outside that is out of reach for a while: it is logged once when that begins and once when it is over, however many
//! requests meet it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whether something outside can be used. At first it can.
#[derive(Debug, Default)]
pub struct Outage(Mutex<Option<Lasting>>);

/// An outage that is not over.
#[derive(Debug)]
struct Lasting {
    since: Instant,
    failures: u64,
    /// Whether it was used since, and nothing has failed after that.
    is_quiet: bool,
}

impl Outage {
    /// A use of it failed. True if an outage begins with that.
    pub fn begins(&self) -> bool {
        let mut lasting = self.locked();
        let begins = lasting.is_none();
        let lasting = lasting.get_or_insert_with(|| Lasting {
            since: Instant::now(),
            failures: 0,
            is_quiet: false,
        });
        lasting.failures = lasting.failures.saturating_add(1);
        lasting.is_quiet = false;
        begins
    }

    /// Records a success; called every few seconds. If an outage is over with that, how long it lasted and how many uses
    /// failed. That takes two successes in a row: where only a part of the uses fails, the log is not filled with beginnings and ends.
    pub fn ends(&self) -> Option<(Duration, u64)> {
        let mut lasting = self.locked();
        let outage = lasting.as_mut()?;
        if !outage.is_quiet {
            outage.is_quiet = true;
            return None;
        }
        let outage = lasting.take()?;
        Some((outage.since.elapsed(), outage.failures))
    }

    fn locked(&self) -> MutexGuard<'_, Option<Lasting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_at_its_beginning_and_once_when_nothing_has_failed_for_a_while() {
        let outage = Outage::default();
        assert!(outage.ends().is_none());
        assert!(outage.begins());
        assert!(!outage.begins());
        assert!(outage.ends().is_none());
        // It was not over.
        assert!(!outage.begins());
        assert!(outage.ends().is_none());
        assert_eq!(outage.ends().map(|(_, failures)| failures), Some(3));
        assert!(outage.ends().is_none());
        assert!(outage.begins());
    }
}
