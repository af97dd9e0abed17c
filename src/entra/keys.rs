//! The signing keys of each accepted tenant: fetched when first needed, kept when Entra is out of reach, never the reason that a
//! request with a known key waits. Rules: Microsoft Learn, "Signing key rollover in the Microsoft identity platform".

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;
use url::Url;

use super::fetch_budget::FetchBudget;
use super::key_document::{self, SigningKey};
use super::refusal::{TokenError, TokenRefusal};
use super::settings::Settings;
use crate::clock::Clock;
use crate::domain::TenantId;
use crate::failpoints::{Moment, failpoint};
use crate::upstream;
use crate::upstream::{Guard, Guards, Rejected, Service, deadline};

/// The pause after a fetch that failed: short, so that an outage of seconds is not one of minutes, yet no storm.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// A set is renewed in the background when this part of its life has passed: hourly, if the life is a day.
const RENEWALS_IN_A_LIFE: u32 = 24;

/// The keys of all accepted tenants. Cheap to clone.
#[derive(Clone)]
pub(super) struct Keys {
    /// Fixed at the start: the tenants whose tokens are accepted.
    tenants: Arc<HashMap<TenantId, Arc<TenantKeys>>>,
    tasks: TaskTracker,
}

struct TenantKeys {
    tenant: TenantId,
    url: Url,
    client: reqwest::Client,
    guards: Guards,
    clock: Clock,
    life: Duration,
    minimum_interval: Duration,
    /// What validation reads; locked for a clone of the pointer only.
    current: RwLock<Option<Arc<KeySet>>>,
    /// How many fetches have begun.
    begun: AtomicU64,
    /// Held across the network, by the one task that fetches.
    gate: Mutex<Fetches>,
}

/// What is known of the fetches so far.
struct Fetches {
    last: Option<Attempt>,
    /// The fetches that tokens with an unknown key may still cause.
    fetches: FetchBudget,
}

struct KeySet {
    keys: Vec<SigningKey>,
    fetched_at: DateTime<Utc>,
}

#[derive(Clone, Copy)]
struct Attempt {
    /// Counted from 1.
    number: u64,
    at: DateTime<Utc>,
    /// How long to wait before the next one.
    pause: Duration,
    succeeded: bool,
}

impl Keys {
    pub(super) fn new(
        settings: &Settings,
        client: &reqwest::Client,
        clock: &Clock,
        tasks: TaskTracker,
    ) -> Self {
        let guards = Guards::new(Service::Keys, settings.limits.clone());
        let of = |tenant: TenantId| TenantKeys {
            tenant,
            // Built here, never read from a discovery document: a document can't send us to another host.
            url: settings.endpoint(tenant, &["discovery", "v2.0", "keys"]),
            client: client.clone(),
            guards: guards.clone(),
            clock: clock.clone(),
            life: settings.keys_refresh,
            minimum_interval: settings.keys_minimum_interval,
            current: RwLock::new(None),
            begun: AtomicU64::new(0),
            gate: Mutex::new(Fetches {
                last: None,
                fetches: FetchBudget::new(settings.keys_minimum_interval),
            }),
        };
        let tenants = settings
            .issuing_tenants
            .iter()
            .map(|&tenant| (tenant, Arc::new(of(tenant))))
            .collect();
        Self {
            tenants: Arc::new(tenants),
            tasks,
        }
    }

    /// The key that a token names.
    ///
    /// # Errors
    /// [`TokenRefusal::UnknownKey`] when the tenant's keys were fetched after the token came and this is none of them;
    /// [`TokenError::Unavailable`] when they can't be had now, or so many tokens named unknown keys that they are not fetched yet.
    pub(super) async fn find(&self, tenant: TenantId, kid: &str) -> Result<SigningKey, TokenError> {
        let Some(keys) = self.tenants.get(&tenant) else {
            return Err(TokenRefusal::Tenant(tenant).into());
        };
        let seen = keys.begun.load(Ordering::Acquire);
        let current = keys.current();
        let age = current.as_ref().map(|set| keys.age(set));
        if let Some(key) = current.as_ref().and_then(|set| set.find(kid)) {
            let age = age.unwrap_or_default();
            if age >= keys.life {
                self.renew_expired(keys).await;
                return match keys.current().and_then(|set| set.find(kid)) {
                    Some(key) => Ok(key),
                    None => self.renew_for_unknown(keys, kid, seen).await,
                };
            }
            if age >= keys.life / RENEWALS_IN_A_LIFE {
                self.renew_in_background(keys);
            }
            return Ok(key);
        }
        self.renew_for_unknown(keys, kid, seen).await
    }

    /// No request waits: the cached key is valid.
    fn renew_in_background(&self, keys: &Arc<TenantKeys>) {
        // Another task fetches already, and one at a time is enough.
        if keys.gate.try_lock().is_ok() {
            let keys = Arc::clone(keys);
            self.tasks.spawn(async move {
                if let Ok(mut gate) = keys.gate.try_lock() {
                    keys.fetch_if_due(&mut gate).await;
                }
            });
        }
    }

    /// A set past its life is used only after an attempt to replace it. The one who makes the attempt waits; the others, and
    /// all while the attempt has just failed, use the last good set.
    async fn renew_expired(&self, keys: &Arc<TenantKeys>) {
        let keys = Arc::clone(keys);
        let task = self.tasks.spawn(async move {
            if let Ok(mut gate) = keys.gate.try_lock() {
                keys.fetch_if_due(&mut gate).await;
            }
        });
        // A task that died has fetched nothing; what is at hand decides.
        let _ = task.await;
    }

    /// Waits for the fetch that may bring the key. In a task of its own, so that a caller who hangs up doesn't stop it for others.
    /// `seen` is how many fetches had begun when the token came: what an older one brought says nothing of a key made since.
    async fn renew_for_unknown(
        &self,
        keys: &Arc<TenantKeys>,
        kid: &str,
        seen: u64,
    ) -> Result<SigningKey, TokenError> {
        let unavailable = |retry_after: Duration| TokenError::Unavailable { retry_after };
        let (keys, wanted) = (Arc::clone(keys), kid.to_owned());
        let found = async move {
            let mut gate = keys.gate.lock().await;
            let find = || keys.current().and_then(|set| set.find(&wanted));
            // The previous holder of the gate may have fetched it.
            if let Some(key) = find() {
                return Ok(key);
            }
            let last = match gate.last {
                Some(last) if last.number > seen => last,
                Some(last) if last.succeeded => {
                    let look = gate.fetches.take(keys.clock.now());
                    look.map_err(unavailable)?;
                    keys.fetch_through(&mut gate).await
                }
                _ => keys.fetch_if_due(&mut gate).await,
            };
            match find() {
                Some(key) => Ok(key),
                // The key may be in the set that could not be fetched: no reason to refuse the token.
                None if !last.succeeded => Err(unavailable(last.pause.max(PAUSE_AFTER_FAILURE))),
                None => Err(TokenRefusal::UnknownKey.into()),
            }
        };
        let task = self.tasks.spawn(deadline::until(deadline::end(), found));
        task.await
            .unwrap_or_else(|_| Err(unavailable(PAUSE_AFTER_FAILURE)))
    }
}

impl KeySet {
    fn find(&self, kid: &str) -> Option<SigningKey> {
        self.keys.iter().find(|key| key.kid == kid).cloned()
    }
}

impl TenantKeys {
    fn current(&self) -> Option<Arc<KeySet>> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn age(&self, set: &KeySet) -> Duration {
        (self.clock.now() - set.fetched_at).to_std().unwrap_or_default()
    }

    /// Fetches, unless that was done a moment ago. Returns the result of the latest attempt.
    async fn fetch_if_due(&self, gate: &mut Fetches) -> Attempt {
        match gate.last {
            Some(last) if self.clock.now() < last.at + last.pause => last,
            _ => self.fetch_through(gate).await,
        }
    }

    /// Fetches.
    async fn fetch_through(&self, gate: &mut Fetches) -> Attempt {
        let now = self.clock.now();
        let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let outcome = self.fetch().await;
        let succeeded = outcome.is_ok();
        let pause = match &outcome {
            Ok(_) => self.minimum_interval,
            // What Entra asks for, but never so long that one strange answer keeps everybody out.
            Err(error) => error
                .retry_after()
                .map_or(PAUSE_AFTER_FAILURE, |asked| asked.max(PAUSE_AFTER_FAILURE))
                .min(self.minimum_interval),
        };
        match outcome {
            Ok(keys) => {
                tracing::info!(
                    entra.tenant = %self.tenant, entra.keys = keys.len(), "entra.keys: signing keys fetched"
                );
                let set = KeySet {
                    keys,
                    fetched_at: now,
                };
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set));
            }
            Err(error) => tracing::warn!(
                entra.tenant = %self.tenant, entra.reason = %error,
                "entra.keys: signing keys not fetched; the last good ones stay in use"
            ),
        }
        let attempt = Attempt {
            number,
            at: now,
            pause,
            succeeded,
        };
        gate.last = Some(attempt);
        attempt
    }

    /// Requests the keys from Entra, with one retry if a request waits and Entra may respond then.
    async fn fetch(&self) -> Result<Vec<SigningKey>, KeysError> {
        let guard = self.guards.of(self.tenant.uuid()).await;
        let outcome = self.ask(&guard).await;
        let pause = match outcome {
            Err(KeysError::OutOfReach | KeysError::Unreadable | KeysError::Status(500.., None)) => {
                guard.retry_delay(None)
            }
            _ => None,
        };
        match pause {
            Some(pause) => {
                tokio::time::sleep(pause).await;
                self.ask(&guard).await
            }
            None => outcome,
        }
    }

    async fn ask(&self, guard: &Arc<Guard>) -> Result<Vec<SigningKey>, KeysError> {
        let admitted = guard.enter().await.map_err(KeysError::Rejected)?;
        let failed = |_| KeysError::OutOfReach;
        failpoint("entra", "GET keys", Moment::Before)
            .await
            .map_err(failed)?;
        let given = self.guards.read_timeout();
        let answer = self.client.get(self.url.clone()).timeout(given).send();
        let body = async {
            let response = answer.await.map_err(|_| KeysError::OutOfReach)?;
            if response.status() != http::StatusCode::OK {
                let asked = upstream::retry_after(response.headers(), self.clock.now());
                return Err(KeysError::Status(response.status().as_u16(), asked));
            }
            let body = upstream::read_body(response).await;
            body.map_err(|_| KeysError::OutOfReach)
        };
        let body = body.await;
        match &body {
            Err(KeysError::OutOfReach) if self.guards.deadline_was_short(given) => {}
            Err(KeysError::OutOfReach | KeysError::Status(500.., _)) => admitted.record_failure(),
            _ => admitted.record_success(),
        }
        failpoint("entra", "GET keys", Moment::After)
            .await
            .map_err(failed)?;
        key_document::parse(&body?).ok_or(KeysError::Unreadable)
    }
}

/// Why a fetch brought no keys.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum KeysError {
    #[error("Entra is out of reach")]
    OutOfReach,
    #[error("Entra answered {0}")]
    Status(u16, Option<Duration>),
    #[error("Entra's answer holds no usable key")]
    Unreadable,
    #[error("{0}")]
    Rejected(Rejected),
}

impl KeysError {
    /// How long to wait, if a time is known.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(_, asked) => *asked,
            Self::Rejected(held) => Some(held.retry_after),
            Self::OutOfReach | Self::Unreadable => None,
        }
    }
}

#[cfg(test)]
mod tests;
