//! The client-credentials grant: this service's own token for ARM in one tenant, for reads where no user is present
//! (Microsoft Learn, "Microsoft identity platform and the OAuth 2.0 client credentials flow").

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use moka::Expiry;
use moka::future::Cache;
use secrecy::ExposeSecret as _;
use tracing::Instrument as _;

use super::answer::{Success, failure, is_arm};
use super::claims::Claims;
use super::error::{ExchangeError, ExchangeErrorKind};
use super::{Entra, Inner};
use crate::domain::{ObjectId, Person, TenantId};
use crate::entra::exchange_guard::Identity;
use crate::upstream::{ArmToken, ServicePrincipal};

/// A token is not handed out in its last minutes: the work it is for takes some.
const MARGIN: Duration = Duration::from_secs(300);
/// More tenants than any configuration names.
const MAX_ENTRIES: u64 = 10_000;
/// Claims that only a user's token has (Microsoft Learn, "Access token claims reference").
const USER_CLAIMS: [&str; 4] = ["scp", "upn", "unique_name", "preferred_username"];

/// The valid tokens, one per tenant. Errors are not cached: the next caller asks Entra again.
#[derive(Clone)]
pub(super) struct ServiceTokens(Cache<TenantId, Entry>);

#[derive(Clone)]
struct Entry {
    token: ArmToken<ServicePrincipal>,
    life: Duration,
}

struct Life;

impl Expiry<TenantId, Entry> for Life {
    fn expire_after_create(&self, _: &TenantId, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.life)
    }
}

impl ServiceTokens {
    pub(super) fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MAX_ENTRIES)
                .expire_after(Life)
                .build(),
        )
    }
}

impl Entra {
    /// This service's own ARM token of a tenant: a cached one, or a new one. Concurrent requests for the same token share
    /// one request. Which tenants it may be asked for is the caller's to decide.
    ///
    /// # Errors
    /// What Entra answered, or that it could not; see [`ExchangeErrorKind`].
    pub async fn service_token(&self, tenant: TenantId) -> Result<ArmToken<ServicePrincipal>, ExchangeError> {
        let tokens = &self.inner.service_tokens.0;
        let now = self.inner.clock.now();
        if let Some(entry) = tokens.get(&tenant).await {
            if entry.token.expires_at() - MARGIN > now {
                return Ok(entry.token);
            }
            // The injected clock is ahead of the cache's own.
            tokens.invalidate(&tenant).await;
        }
        let inner = Arc::clone(&self.inner);
        let asking = async move {
            let asked = inner.ask_for_service(tenant);
            let made = inner.service_tokens.0.try_get_with(tenant, asked).await;
            made.map(|entry| entry.token).map_err(Arc::unwrap_or_clone)
        };
        // A task of its own, so that a canceled caller cancels neither the request nor the other waiting callers.
        let span = tracing::info_span!("entra", otel.name = "get a service token", otel.kind = "client");
        let task = self.inner.tasks.spawn(asking.instrument(span));
        let gone = ExchangeErrorKind::Unavailable { retry_after: None };
        task.await
            .unwrap_or_else(|_| Err(ExchangeError::bare(tenant, gone)))
    }

    /// Drops a tenant's token, after ARM refused it.
    pub async fn forget_service_token(&self, tenant: TenantId) {
        self.inner.service_tokens.0.invalidate(&tenant).await;
    }
}

impl Inner {
    async fn ask_for_service(&self, tenant: TenantId) -> Result<Entry, ExchangeError> {
        let begun = Instant::now();
        let outcome = self.post_for_service(tenant).await;
        let duration_ms = begun.elapsed().as_millis();
        match &outcome {
            Ok(_) => tracing::info!(
                entra.outcome = "done",
                entra.tenant = %tenant,
                entra.duration_ms = duration_ms,
                "entra.service_token: the service has a token of its own"
            ),
            Err(error) => tracing::warn!(
                entra.outcome = "refused",
                entra.kind = error.kind.label(),
                entra.tenant = %tenant,
                entra.code = error.code,
                entra.error = error.error.as_deref(),
                entra.correlation_id = error.correlation_id.as_deref(),
                entra.trace_id = error.trace_id.as_deref(),
                entra.duration_ms = duration_ms,
                "entra.service_token: the service got no token of its own"
            ),
        }
        outcome
    }

    async fn post_for_service(&self, tenant: TenantId) -> Result<Entry, ExchangeError> {
        let settings = &self.settings;
        let client_id = settings.client_id.to_string();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("client_secret", settings.secret.expose_secret()),
            ("scope", settings.arm_scope.as_str()),
        ];
        let identity = Identity {
            tenant,
            // There is none, and no token has this digest.
            assertion: [0; 32],
        };
        let guard = self.guards.of(tenant.uuid()).await;
        let (status, headers, body) = self.ask_for_token(&guard, identity, &form).await?;
        let now = self.clock.now();
        if !status.is_success() {
            return Err(failure(tenant, now, status, &headers, &body));
        }
        let bad = || ExchangeError::bare(tenant, ExchangeErrorKind::BadAnswer);
        let success = Success::read(tenant, &body)?;
        let token = self
            .checked(tenant, now, &success)
            .map_err(|kind| ExchangeError::bare(tenant, kind))?;
        let life = token.expires_at() - MARGIN - now;
        Ok(Entry {
            life: life.to_std().map_err(|_| bad())?,
            token,
        })
    }

    /// The token in a success. Read without its signature, as in [`super::answer`]: it came over TLS from the login host, and
    /// what matters is that it is what was asked for, and this service's alone.
    fn checked(
        &self,
        tenant: TenantId,
        now: DateTime<Utc>,
        success: &Success,
    ) -> Result<ArmToken<ServicePrincipal>, ExchangeErrorKind> {
        let token = self
            .read(tenant, now, success)
            .ok_or(ExchangeErrorKind::BadAnswer)?;
        // Without a service principal in the tenant Entra may issue a token all the same; nothing can be given a role.
        token.ok_or(ExchangeErrorKind::ApplicationMissing)
    }

    /// `None` if it is not what was asked for; the inner one if it is not of this tenant.
    fn read(
        &self,
        tenant: TenantId,
        now: DateTime<Utc>,
        success: &Success,
    ) -> Option<Option<ArmToken<ServicePrincipal>>> {
        if !success.is_bearer() {
            return None;
        }
        let claims = Claims::decode(success.access_token.expose_secret().split('.').nth(1)?)?;
        let is_asked_for = claims.guid("tid")? == tenant.uuid()
            && is_arm(claims.text("aud")?, &self.settings.arm_audiences)
            && claims.guid("appid").or_else(|| claims.guid("azp"))? == self.settings.client_id
            && claims.text("idtyp").is_none_or(|kind| kind == "app")
            && !USER_CLAIMS.iter().any(|name| claims.has(name));
        if !is_asked_for {
            return None;
        }
        let expires_at = [claims.time("exp"), success.end_of_life(now)]
            .into_iter()
            .flatten()
            .min()?;
        let Some(object) = claims.guid("oid") else {
            return Some(None);
        };
        let principal = Person {
            tenant,
            object: ObjectId::new(object),
        };
        Some(Some(ArmToken::new(
            principal,
            expires_at,
            success.access_token.clone(),
        )))
    }
}

#[cfg(test)]
mod tests;
