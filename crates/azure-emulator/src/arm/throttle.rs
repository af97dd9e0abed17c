//! Throttling: token buckets for each subscription, principal and kind of call, and one of fifteen times the size for
//! all principals together (Microsoft Learn: "Understand how Azure Resource Manager throttles requests").
//! Calls are always counted, and headers tell what is left; an empty bucket refuses only when the rules say so.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::Method;
use serde::{Deserialize, Serialize};

/// How large a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketSize {
    /// Calls that a full bucket allows at once.
    pub calls: u32,
    /// Calls that come back each second.
    pub refill_per_second: u32,
}

/// What the body of a 429 looks like. ARM was seen with all four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ThrottledBody {
    /// `SubscriptionRequestsThrottled`: so many requests of a kind in an interval.
    Subscription,
    /// `SubscriptionRequestsThrottled` by ARM's storage, for one operation.
    BackendStorage,
    /// `ResourceRequestsThrottled`: so many requests for an action in an interval.
    Resource,
    /// `TooManyRequests`, without particulars.
    Plain,
}

/// ARM's limits.
/// What is left out of its JSON is as at ARM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Throttling {
    /// Whether an empty bucket refuses. Without it calls are only counted.
    pub enforced: bool,
    /// GET and HEAD.
    pub reads: BucketSize,
    /// PUT, PATCH and POST.
    pub writes: BucketSize,
    /// DELETE.
    pub deletes: BucketSize,
    /// How many times larger the bucket of all principals of a subscription is.
    pub global_factor: u32,
    /// The body of every 429. When left open, calls to Kusto get `Resource`, calls that all principals together were
    /// too many for get `BackendStorage`, and others get `Subscription`; which one ARM takes when is a guess.
    pub body: Option<ThrottledBody>,
}

impl Default for Throttling {
    fn default() -> Throttling {
        let bucket = |calls, refill_per_second| BucketSize {
            calls,
            refill_per_second,
        };
        Throttling {
            enforced: false,
            reads: bucket(250, 25),
            writes: bucket(200, 10),
            deletes: bucket(200, 10),
            global_factor: 15,
            body: None,
        }
    }
}

/// What a call is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Reads,
    Writes,
    Deletes,
}

impl Kind {
    pub(super) fn of(method: &Method) -> Kind {
        match *method {
            Method::GET | Method::HEAD => Kind::Reads,
            Method::DELETE => Kind::Deletes,
            _ => Kind::Writes,
        }
    }

    /// As messages say it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Reads => "read",
            Kind::Writes => "write",
            Kind::Deletes => "delete",
        }
    }
}

/// What is left after a call was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) kind: Kind,
    pub(super) remaining: u64,
    pub(super) global: u64,
    pub(super) refused: Option<Refused>,
}

/// Why and for how long a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) size: BucketSize,
    /// The bucket of all principals was empty.
    pub(super) by_all: bool,
    /// Whole seconds until a call is possible again, at least one.
    pub(super) retry_after: u64,
}

/// The buckets that are not full, with the limits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buckets {
    limits: Throttling,
    levels: HashMap<Key, Level>,
    look_for_full_at: usize,
}

/// Subscription or tenant, principal (none: all of them), kind.
type Key = (String, Option<String>, Kind);

/// A bucket's content in thousandths of a call.
#[derive(Clone, Copy, Debug)]
struct Level {
    content: u64,
    at: DateTime<Utc>,
}

const CALL: u64 = 1000;
/// How many buckets are kept before the full ones are looked for: a full one is as good as none.
const FEW_BUCKETS: usize = 4096;

impl Buckets {
    pub(super) fn limits(&self) -> &Throttling {
        &self.limits
    }

    /// Sets the limits; all buckets are full again.
    pub(super) fn set(&mut self, limits: Throttling) {
        self.limits = limits;
        self.levels.clear();
    }

    /// Counts a call of the principal in a subscription, or in a tenant. A refused call is not counted.
    pub(super) fn count(&mut self, place: &str, principal: &str, kind: Kind, now: DateTime<Utc>) -> Counted {
        self.forget_full(now);
        let (size, of_all) = (self.size(kind, false), self.size(kind, true));
        let own_key = (place.to_owned(), Some(principal.to_owned()), kind);
        let all_key = (place.to_owned(), None, kind);
        let own = self.level(&own_key, size, now);
        let all = self.level(&all_key, of_all, now);
        let wait = match (own.wait(size), all.wait(of_all)) {
            (Some(wait), _) => Some((size, false, wait)),
            (None, Some(wait)) => Some((of_all, true, wait)),
            (None, None) => None,
        };
        let refused = wait.filter(|_| self.limits.enforced);
        let refused = refused.map(|(size, by_all, wait)| Refused {
            size,
            by_all,
            retry_after: wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
        });
        let taken = if refused.is_some() { 0 } else { CALL };
        let (own, all) = (own.minus(taken), all.minus(taken));
        self.levels.insert(own_key, own);
        self.levels.insert(all_key, all);
        Counted {
            kind,
            remaining: own.content / CALL,
            global: all.content / CALL,
            refused,
        }
    }

    fn size(&self, kind: Kind, of_all: bool) -> BucketSize {
        let size = match kind {
            Kind::Reads => self.limits.reads,
            Kind::Writes => self.limits.writes,
            Kind::Deletes => self.limits.deletes,
        };
        let factor = if of_all { self.limits.global_factor } else { 1 };
        BucketSize {
            calls: size.calls.saturating_mul(factor),
            refill_per_second: size.refill_per_second.saturating_mul(factor),
        }
    }

    fn forget_full(&mut self, now: DateTime<Utc>) {
        if self.levels.len() < self.look_for_full_at.max(FEW_BUCKETS) {
            return;
        }
        let mut levels = std::mem::take(&mut self.levels);
        levels.retain(|(_, principal, kind), level| {
            let size = self.size(*kind, principal.is_none());
            level.filled(size, now) < size.full()
        });
        self.look_for_full_at = levels.len() * 2;
        self.levels = levels;
    }

    /// A bucket as it has filled up until now.
    fn level(&self, key: &Key, size: BucketSize, now: DateTime<Utc>) -> Level {
        let known = self.levels.get(key);
        let content = known.map_or(size.full(), |level| level.filled(size, now));
        Level { content, at: now }
    }
}

impl BucketSize {
    /// A full bucket's content.
    fn full(self) -> u64 {
        u64::from(self.calls) * CALL
    }
}

impl Level {
    /// What is in it by now.
    fn filled(self, size: BucketSize, now: DateTime<Utc>) -> u64 {
        let passed = (now - self.at).num_milliseconds().try_into().unwrap_or(0);
        let refilled = u64::from(size.refill_per_second).saturating_mul(passed);
        self.content.saturating_add(refilled).min(size.full())
    }

    /// How long until a call fits in; nothing when one does now. A bucket that never refills: an hour.
    fn wait(self, size: BucketSize) -> Option<Duration> {
        let missing = CALL.checked_sub(self.content).filter(|missing| *missing > 0)?;
        let refill = u64::from(size.refill_per_second);
        Some(if refill == 0 {
            Duration::from_secs(3600)
        } else {
            Duration::from_millis(missing.div_ceil(refill))
        })
    }

    fn minus(self, taken: u64) -> Level {
        Level {
            content: self.content.saturating_sub(taken),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(enforced: bool) -> Buckets {
        let two = BucketSize {
            calls: 2,
            refill_per_second: 1,
        };
        Buckets {
            limits: Throttling {
                enforced,
                writes: two,
                global_factor: 2,
                ..Throttling::default()
            },
            ..Buckets::default()
        }
    }

    #[test]
    fn a_bucket_empties_refuses_and_refills() {
        let (mut buckets, now) = (buckets(true), DateTime::UNIX_EPOCH);
        let mut count = |ms: i64| {
            let counted = buckets.count("s", "p", Kind::Writes, now + chrono::TimeDelta::milliseconds(ms));
            (
                counted.remaining,
                counted.refused.map(|refused| refused.retry_after),
            )
        };
        assert_eq!(count(0), (1, None));
        assert_eq!(count(0), (0, None));
        assert_eq!(count(0), (0, Some(1)));
        assert_eq!(count(999), (0, Some(1)));
        assert_eq!(count(1000), (0, None));
        assert_eq!(count(60_000), (1, None), "never more than full");
    }

    #[test]
    fn all_principals_share_a_larger_bucket() {
        let (mut buckets, now) = (buckets(true), DateTime::UNIX_EPOCH);
        let by_all = |counted: Counted| counted.refused.map(|refused| refused.by_all);
        for principal in ["a", "a", "b", "b"] {
            assert_eq!(by_all(buckets.count("s", principal, Kind::Writes, now)), None);
        }
        assert_eq!(by_all(buckets.count("s", "c", Kind::Writes, now)), Some(true));
        assert_eq!(by_all(buckets.count("other", "c", Kind::Writes, now)), None);
        assert_eq!(by_all(buckets.count("s", "c", Kind::Reads, now)), None);
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten() {
        let (mut buckets, now) = (buckets(true), DateTime::UNIX_EPOCH);
        for number in 0..3 * i64::try_from(FEW_BUCKETS).unwrap() {
            let principal = number.to_string();
            buckets.count(
                "s",
                &principal,
                Kind::Writes,
                now + chrono::TimeDelta::seconds(number),
            );
        }
        assert!(buckets.levels.len() <= FEW_BUCKETS, "{}", buckets.levels.len());
    }

    #[test]
    fn without_enforcement_calls_are_only_counted() {
        let (mut buckets, now) = (buckets(false), DateTime::UNIX_EPOCH);
        let mut all = (0..250).map(|_| buckets.count("s", "p", Kind::Writes, now));
        assert!(all.all(|counted| counted.refused.is_none()));
        assert_eq!(buckets.count("s", "p", Kind::Writes, now).remaining, 0);
    }
}
