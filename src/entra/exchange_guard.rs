//! How often the same exchange was asked for lately. Entra takes fifteen identical requests in five minutes for a loop and answers
//! AADSTS50196 from then on (measured by its users, not documented); so this service stops before. What succeeds is cached, so it
//! is failing exchanges that are counted here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::future::Cache;

use crate::domain::TenantId;

/// Entra's window.
const WINDOW: Duration = Duration::from_secs(300);
/// The most exchanges that are counted.
const MAX_ENTRIES: u64 = 20_000;

/// What makes exchanges identical. Demanded claims make them different at Entra; counted together they stay further below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub(super) tenant: TenantId,
    /// SHA-256 of the user's token.
    pub(super) assertion: [u8; 32],
}

/// When each was asked for, oldest first.
type Asked = Arc<Mutex<VecDeque<DateTime<Utc>>>>;

/// The counts.
#[derive(Clone)]
pub(super) struct Repeats {
    limit: usize,
    asked: Cache<Identity, Asked>,
}

impl Repeats {
    /// At most `limit` identical ones in five minutes.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit: usize::try_from(limit.max(1)).unwrap_or(usize::MAX),
            asked: Cache::builder()
                .max_capacity(MAX_ENTRIES)
                // Longer than the window by the service's own clock, which a test may drive.
                .time_to_idle(WINDOW * 2)
                .build(),
        }
    }

    /// Counts one that is about to be asked for.
    ///
    /// # Errors
    /// How long to wait before it can be, when there were too many.
    pub(super) async fn count(&self, identity: Identity, now: DateTime<Utc>) -> Result<(), Duration> {
        let asked = self.asked.get_with(identity, async { Asked::default() }).await;
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        while asked.front().is_some_and(|at| *at + WINDOW <= now) {
            asked.pop_front();
        }
        match asked.front() {
            Some(oldest) if asked.len() >= self.limit => {
                Err((*oldest + WINDOW - now).to_std().unwrap_or_default())
            }
            _ => {
                asked.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::testing::{HOME, OTHER, start};

    const ONE: Identity = Identity {
        tenant: HOME,
        assertion: [1; 32],
    };

    #[tokio::test]
    async fn so_many_are_let_through_in_five_minutes_and_the_next_when_the_oldest_is_past() {
        let (repeats, start) = (Repeats::new(3), start());
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in [0, 10, 20] {
            assert_eq!(repeats.count(ONE, at(second)).await, Ok(()));
        }
        assert_eq!(repeats.count(ONE, at(30)).await, Err(Duration::from_secs(270)));
        assert_eq!(repeats.count(ONE, at(299)).await, Err(Duration::from_secs(1)));
        assert_eq!(repeats.count(ONE, at(300)).await, Ok(()));
        assert_eq!(repeats.count(ONE, at(301)).await, Err(Duration::from_secs(9)));
    }

    #[tokio::test]
    async fn another_token_and_another_tenant_are_counted_by_themselves() {
        let (repeats, now) = (Repeats::new(1), start());
        let others = [
            ONE,
            Identity { tenant: OTHER, ..ONE },
            Identity {
                assertion: [2; 32],
                ..ONE
            },
        ];
        for identity in others {
            assert_eq!(repeats.count(identity, now).await, Ok(()));
            assert!(repeats.count(identity, now).await.is_err());
        }
    }
}
