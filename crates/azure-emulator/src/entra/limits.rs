//! How often the token endpoint may be asked: identical requests in a loop (AADSTS50196), and rates that a test sets
//! (429). Both go by the emulator's clock, and cost one look into a map a request.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::error::EntraError;
use crate::bounded::Bounded;

/// The loop detector's window.
const LOOP_WINDOW: TimeDelta = TimeDelta::minutes(5);
/// The request that is one too many within it.
const LOOP_LENGTH: usize = 15;
/// How many kinds of requests are remembered; those that were first seen longest ago go first.
const MOST_KINDS: usize = 50_000;

/// The longest time that a rate may be for, in seconds: a year. Nobody waits for longer.
pub(crate) const LONGEST_RATE: u64 = 366 * 24 * 3600;

/// What was counted so far, and the rates in force.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    loops: Bounded<u64, Recent>,
    unlimited_loops: bool,
    rates: Vec<Rate>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            loops: Bounded::new(MOST_KINDS),
            unlimited_loops: false,
            rates: Vec::new(),
        }
    }
}

/// When the last requests of a kind came, as a ring.
#[derive(Clone, Debug, Default)]
struct Recent {
    at: Vec<DateTime<Utc>>,
    oldest: usize,
}

#[derive(Clone, Debug)]
struct Rate {
    tenant_id: String,
    /// Client id; nothing means all apps together.
    client_id: Option<String>,
    requests: u32,
    per: TimeDelta,
    window: Option<DateTime<Utc>>,
    used: u32,
}

impl Limits {
    pub(crate) fn set_loop_detection(&mut self, on: bool) {
        self.unlimited_loops = !on;
        self.loops.clear();
    }

    /// Counts a request of this kind, and refuses the fifteenth within five minutes and all after it, until there was a
    /// pause. What makes requests identical is known roughly; that refused ones count too is a guess.
    pub(super) fn count(&mut self, kind: &[&str], now: DateTime<Utc>) -> Result<(), EntraError> {
        if self.unlimited_loops {
            return Ok(());
        }
        self.loops
            .forget_while(|recent| recent.newest().is_none_or(|at| now - at >= LOOP_WINDOW));
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        let kind = hasher.finish();
        if self.loops.get(&kind).is_none() {
            self.loops.insert(kind, Recent::default());
        }
        let before = self.loops.get_mut(&kind).and_then(|recent| recent.push(now));
        if before.is_some_and(|at| now - at < LOOP_WINDOW) {
            let message = "The server terminated an operation because it encountered a client request loop. Please \
                           contact your app vendor.";
            return Err(EntraError::new("invalid_grant", 50196, message));
        }
        Ok(())
    }

    pub(crate) fn set_rate(
        &mut self,
        tenant_id: String,
        client_id: Option<String>,
        requests: u32,
        per: Duration,
    ) {
        self.remove_rate(&tenant_id, client_id.as_deref());
        self.rates.push(Rate {
            tenant_id,
            client_id,
            requests,
            per: TimeDelta::from_std(per).unwrap_or(TimeDelta::MAX),
            window: None,
            used: 0,
        });
    }

    /// Whether loops of identical requests are refused.
    pub(crate) fn detects_loops(&self) -> bool {
        !self.unlimited_loops
    }

    /// The rates in force: tenant's GUID, client id (none: all apps together), requests, and the time they are for.
    pub(crate) fn rates(&self) -> impl Iterator<Item = (&str, Option<&str>, u32, TimeDelta)> {
        let rates = self.rates.iter();
        rates.map(|rate| {
            (
                rate.tenant_id.as_str(),
                rate.client_id.as_deref(),
                rate.requests,
                rate.per,
            )
        })
    }

    pub(crate) fn remove_rate(&mut self, tenant_id: &str, client_id: Option<&str>) {
        self.rates
            .retain(|rate| rate.tenant_id != tenant_id || rate.client_id.as_deref() != client_id);
    }

    /// Counts a request against the rates that it falls under; whole seconds to wait when one of them is used up.
    pub(super) fn admit(&mut self, tenant_id: &str, client_id: &str, now: DateTime<Utc>) -> Option<i64> {
        let fitting = self.rates.iter_mut().filter(|rate| {
            let client = rate.client_id.as_deref();
            rate.tenant_id == tenant_id && client.is_none_or(|id| id.eq_ignore_ascii_case(client_id))
        });
        fitting.filter_map(|rate| rate.wait(now)).max()
    }
}

impl Recent {
    /// Notes a moment; gives the one that lies as many requests back as make a loop.
    fn push(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.at.len() < LOOP_LENGTH - 1 {
            self.at.push(now);
            return None;
        }
        let slot = self.at.get_mut(self.oldest)?;
        let before = std::mem::replace(slot, now);
        self.oldest = (self.oldest + 1) % self.at.len();
        Some(before)
    }

    fn newest(&self) -> Option<DateTime<Utc>> {
        self.at.iter().max().copied()
    }
}

impl Rate {
    fn wait(&mut self, now: DateTime<Utc>) -> Option<i64> {
        let end = self.window.and_then(|start| start.checked_add_signed(self.per));
        let end = end.filter(|end| *end > now);
        if end.is_none() {
            (self.window, self.used) = (Some(now), 0);
        }
        if self.used < self.requests {
            self.used += 1;
            return None;
        }
        let left = end.map_or(self.per, |end| end - now);
        Some(left.num_milliseconds().saturating_add(999) / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifteenth_within_five_minutes_is_refused_until_there_was_a_pause() {
        let mut limits = Limits::default();
        let (start, second) = (Utc::now(), TimeDelta::seconds(1));
        let count = |limits: &mut Limits, at| limits.count(&["one", "kind"], at).is_ok();
        for n in 0..14 {
            assert!(count(&mut limits, start + second * n), "{n}");
        }
        assert!(!count(&mut limits, start + second * 14));
        assert!(!count(&mut limits, start + second * 15));
        assert!(limits.count(&["onekind"], start + second * 15).is_ok());
        assert!(count(&mut limits, start + second * 320));
        for n in 0..100 {
            assert!(
                count(&mut limits, start + second * (1000 + n * 22)),
                "one in 22 seconds is no loop"
            );
        }
        limits.set_loop_detection(false);
        assert!((0..100).all(|_| count(&mut limits, start)));
    }

    #[test]
    fn however_many_kinds_of_requests_there_are_few_are_remembered() {
        let (mut limits, now) = (Limits::default(), Utc::now());
        for number in 0..=MOST_KINDS {
            assert!(limits.count(&[&number.to_string()], now).is_ok());
        }
        assert_eq!(limits.loops.len(), MOST_KINDS);
        assert!(limits.count(&["later"], now + LOOP_WINDOW).is_ok());
        assert_eq!(limits.loops.len(), 1);
    }

    #[test]
    fn a_rate_is_for_a_time_and_says_how_long_to_wait() {
        let mut limits = Limits::default();
        let start = Utc::now();
        limits.set_rate("t".to_owned(), None, 2, Duration::from_secs(10));
        limits.set_rate("t".to_owned(), Some("c".to_owned()), 1, Duration::from_secs(60));
        let mut admit = |client, ms| limits.admit("t", client, start + TimeDelta::milliseconds(ms));
        assert_eq!(admit("other", 0), None);
        assert_eq!(admit("C", 500), None);
        assert_eq!(admit("other", 1000), Some(9));
        assert_eq!(admit("c", 1500), Some(59));
        assert_eq!(admit("other", 10_000), None);
        assert_eq!(limits.admit("u", "c", start), None);
        limits.remove_rate("t", Some("c"));
        assert_eq!(limits.admit("t", "c", start + TimeDelta::seconds(11)), None);
    }
}
