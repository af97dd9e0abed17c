//! What ARM refused for too many calls: nothing of the kind is asked again until the time that it named.
//!
//! ARM counts the calls of one principal in one subscription, reads, writes and deletes separately (Microsoft Learn, "Understand how Azure
//! Resource Manager throttles requests"). Each replica learns of it by its own refusals.

use std::time::Duration;

use http::{Method, StatusCode};
use moka::future::Cache;
use tokio::time::Instant;
use uuid::Uuid;

use super::refusal::Refusal;
use crate::domain::Person;

/// Far more than one replica is refused at a time; the least used are dropped until the next refusal.
const MAX_ENTRIES: u64 = 10_000;
/// How long calls stop after a 429 without `Retry-After`.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(2);

/// The kinds of calls that ARM counts separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Read,
    Write,
    Delete,
}

impl Kind {
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Read,
            Method::DELETE => Self::Delete,
            _ => Self::Write,
        }
    }
}

/// Whose calls ARM counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) subscription: Uuid,
    pub(super) principal: Person,
    pub(super) kind: Kind,
}

/// Until when what is not asked; one call by its name, or all of a kind.
pub(super) struct Throttled {
    until: Cache<(Key, Option<&'static str>), Instant>,
    longest: Duration,
}

impl Throttled {
    /// Obeys ARM for at most so long.
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            until: Cache::new(MAX_ENTRIES),
            longest,
        }
    }

    /// How much longer the call must not be made; zero if it may be.
    pub(super) async fn time_left(&self, key: Key, name: &'static str, now: Instant) -> Duration {
        let of_kind = self.until.get(&(key, None)).await;
        let last = of_kind.max(self.until.get(&(key, Some(name))).await);
        last.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Records a refusal for too many calls. Of two refusals the later end counts: a call that was under way with another one may be
    /// refused without `Retry-After`.
    pub(super) async fn answered(
        &self,
        key: Key,
        name: &'static str,
        status: StatusCode,
        refusal: Option<&Refusal>,
        now: Instant,
    ) {
        if status != StatusCode::TOO_MANY_REQUESTS {
            return;
        }
        // One action reached its own limit, which says nothing about the others.
        let is_one_action = refusal.is_some_and(|refusal| refusal.is_code("ResourceRequestsThrottled"));
        let asked = refusal.and_then(|refusal| refusal.retry_after);
        let until = now + asked.unwrap_or(DEFAULT_RETRY_AFTER).min(self.longest);
        self.until
            .entry((key, is_one_action.then_some(name)))
            .and_upsert_with(async |earlier| earlier.map_or(until, |earlier| until.max(earlier.into_value())))
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ObjectId, TenantId};

    const SECOND: Duration = Duration::from_secs(1);

    fn key(kind: Kind) -> Key {
        Key {
            subscription: Uuid::from_u128(1),
            principal: Person {
                tenant: TenantId::new(Uuid::from_u128(2)),
                object: ObjectId::new(Uuid::from_u128(3)),
            },
            kind,
        }
    }

    fn refusal(code: &str, seconds: u32) -> Refusal {
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::RETRY_AFTER, seconds.into());
        let body = format!(r#"{{"error":{{"code":"{code}","message":"wait"}}}}"#);
        let now = chrono::DateTime::UNIX_EPOCH;
        Refusal::read(StatusCode::TOO_MANY_REQUESTS, &headers, body.as_bytes(), now)
    }

    #[tokio::test]
    async fn a_refusal_stops_all_calls_of_its_kind_for_as_long_as_arm_asks() {
        let throttled = Throttled::new(SECOND * 3600);
        let mut now = Instant::now();
        let refused = refusal("SubscriptionRequestsThrottled", 17);
        let (reads, status) = (key(Kind::Read), StatusCode::TOO_MANY_REQUESTS);
        throttled
            .answered(reads, "GET cluster", status, Some(&refused), now)
            .await;
        assert_eq!(throttled.time_left(reads, "GET database", now).await, SECOND * 17);
        assert_eq!(
            throttled.time_left(key(Kind::Write), "PUT", now).await,
            Duration::ZERO
        );
        now += SECOND * 10;
        assert_eq!(throttled.time_left(reads, "GET cluster", now).await, SECOND * 7);
        now += SECOND * 7;
        assert_eq!(
            throttled.time_left(reads, "GET cluster", now).await,
            Duration::ZERO
        );
    }

    #[tokio::test]
    async fn a_shorter_refusal_does_not_end_a_longer_one() {
        let throttled = Throttled::new(SECOND * 3600);
        let now = Instant::now();
        let (reads, status) = (key(Kind::Read), StatusCode::TOO_MANY_REQUESTS);
        let (longer, shorter) = (refusal("TooManyRequests", 300), refusal("TooManyRequests", 1));
        for refused in [Some(&longer), None, Some(&shorter)] {
            throttled
                .answered(reads, "GET cluster", status, refused, now)
                .await;
            assert_eq!(throttled.time_left(reads, "GET hub", now).await, SECOND * 300);
        }
    }

    #[tokio::test]
    async fn a_refusal_of_one_action_stops_that_one_alone() {
        let throttled = Throttled::new(SECOND * 3600);
        let now = Instant::now();
        let refused = refusal("ResourceRequestsThrottled", 372);
        let (reads, status) = (key(Kind::Read), StatusCode::TOO_MANY_REQUESTS);
        throttled
            .answered(reads, "GET cluster", status, Some(&refused), now)
            .await;
        assert_eq!(throttled.time_left(reads, "GET cluster", now).await, SECOND * 372);
        assert_eq!(throttled.time_left(reads, "GET hub", now).await, Duration::ZERO);
    }

    #[tokio::test]
    async fn no_time_is_obeyed_without_end_and_other_answers_stop_nothing() {
        let throttled = Throttled::new(SECOND * 60);
        let now = Instant::now();
        let reads = key(Kind::Read);
        throttled
            .answered(reads, "GET", StatusCode::FORBIDDEN, None, now)
            .await;
        assert_eq!(throttled.time_left(reads, "GET", now).await, Duration::ZERO);
        let refused = refusal("TooManyRequests", u32::MAX);
        throttled
            .answered(reads, "GET", StatusCode::TOO_MANY_REQUESTS, Some(&refused), now)
            .await;
        assert_eq!(throttled.time_left(reads, "GET", now).await, SECOND * 60);
    }
}
