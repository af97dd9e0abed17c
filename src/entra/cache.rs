//! ARM tokens that are still good, and the guarantee that one token is exchanged once at a time.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use moka::Expiry;
use moka::future::Cache;
use uuid::Uuid;

use super::error::ExchangeError;
use crate::domain::TenantId;
use crate::upstream::ArmToken;

/// The most tokens that are held; the least used go first. At 4 KiB each that is 40 MiB.
const MAX_ENTRIES: u64 = 10_000;
/// A token is not handed out in its last minutes: the work it is for takes some.
const MARGIN: Duration = Duration::from_secs(300);

/// Everything that decides which token Entra would issue. The tenant is part of it: one assertion is good in several.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) tenant: TenantId,
    pub(super) client_id: Uuid,
    /// SHA-256 of the user's token: another token, even of the same user, is another entry.
    pub(super) assertion: [u8; 32],
    pub(super) scope: String,
    /// Whether the exchange declared that a claims challenge can be answered.
    pub(super) declares_capability: bool,
    /// SHA-256 of the claims that ARM demanded, if any.
    pub(super) claims: Option<[u8; 32]>,
}

#[derive(Clone)]
struct Entry {
    token: ArmToken,
    made_at: DateTime<Utc>,
    usable_until: DateTime<Utc>,
    /// The same as a span from its making on, which is what the cache counts in.
    life: Duration,
}

struct Life;

impl Expiry<Key, Entry> for Life {
    fn expire_after_create(&self, _: &Key, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.life)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.life)
    }
}

/// The cache. Cheap to clone. Holds no error: the next caller asks Entra again.
#[derive(Clone)]
pub(super) struct Tokens {
    entries: Cache<Key, Entry>,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self {
            entries: Cache::builder()
                .max_capacity(MAX_ENTRIES)
                .expire_after(Life)
                .build(),
        }
    }

    /// A token that can still be handed out.
    pub(super) async fn get(&self, key: &Key, now: DateTime<Utc>) -> Option<ArmToken> {
        let entry = self.entries.get(key).await?;
        if entry.usable_until <= now {
            // The injected clock is ahead of the cache's own.
            self.entries.invalidate(key).await;
            return None;
        }
        Some(entry.token)
    }

    /// The token at hand, or else the one that `exchange` brings; callers with the same key share one exchange and its outcome.
    ///
    /// Dropped half-way, the exchange is lost and the next waiter starts its own: call it from a task of its own.
    pub(super) async fn get_or(
        &self,
        key: Key,
        user_expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
        exchange: impl Future<Output = Result<ArmToken, ExchangeError>>,
    ) -> Result<ArmToken, ExchangeError> {
        let made = self
            .entries
            .try_get_with(key, async {
                let token = exchange.await?;
                Ok::<_, ExchangeError>(Entry::new(token, user_expires_at, now))
            })
            .await;
        match made {
            Ok(entry) => Ok(entry.token),
            Err(error) => Err(Arc::unwrap_or_clone(error)),
        }
    }

    /// Puts a newer token in the place of one that ARM refused.
    pub(super) async fn replace(
        &self,
        key: Key,
        token: ArmToken,
        user_expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        self.entries
            .insert(key, Entry::new(token, user_expires_at, now))
            .await;
    }

    /// Drops a token that is older than `age`; returns whether there was one.
    pub(super) async fn forget_older(&self, key: &Key, age: Duration, now: DateTime<Utc>) -> bool {
        let Some(entry) = self.entries.get(key).await else {
            return false;
        };
        let is_older = (now - entry.made_at).to_std().is_ok_and(|held| held >= age);
        if is_older {
            self.entries.invalidate(key).await;
        }
        is_older
    }

    /// Drops a token.
    pub(super) async fn forget(&self, key: &Key) {
        self.entries.invalidate(key).await;
    }
}

impl Entry {
    /// An entry ends with the user's own token, whatever life ARM's has: it must not outlive the permission it stands for.
    fn new(token: ArmToken, user_expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let usable_until = (token.expires_at() - MARGIN).min(user_expires_at);
        Self {
            token,
            made_at: now,
            usable_until,
            life: (usable_until - now).to_std().unwrap_or_default(),
        }
    }
}
