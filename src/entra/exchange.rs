//! The on-behalf-of exchange: a user's token for this API becomes one for ARM, in one tenant
//! (Microsoft Learn, "Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow").

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tracing::Instrument as _;

use super::answer::Asked;
use super::cache::Key;
use super::error::{ExchangeError, ExchangeErrorKind};
use super::user_token::UserToken;
use super::{Entra, Inner};
use crate::domain::TenantId;
use crate::entra::exchange_guard::Identity;
use crate::telemetry::metrics;
use crate::upstream::{ArmToken, Guard, deadline};

/// A token that is younger is not a cached one.
const OF_THIS_MOMENT: Duration = Duration::from_secs(10);

impl Entra {
    /// An ARM token of `tenant` in the user's name: a cached one, or a new one from Entra. Callers that ask for the same at the
    /// same time share one exchange, which continues when one of them disconnects. Errors are not cached.
    ///
    /// # Errors
    /// What Entra answered, or that it could not; see [`ExchangeErrorKind`].
    pub async fn exchange(&self, token: &UserToken, tenant: TenantId) -> Result<ArmToken, ExchangeError> {
        self.exchange_for(token, tenant, None).await
    }

    /// Like [`Entra::exchange`], after ARM refused the last token with a claims challenge: the last one is dropped, and the new
    /// one is asked for with `claims`, the JSON object of the challenge (decoded from its Base64).
    ///
    /// # Errors
    /// As [`Entra::exchange`]; [`ExchangeErrorKind::BadAnswer`] when `claims` is no JSON object.
    pub async fn answer_challenge(
        &self,
        token: &UserToken,
        tenant: TenantId,
        claims: &str,
    ) -> Result<ArmToken, ExchangeError> {
        let Ok(Value::Object(claims)) = serde_json::from_str(claims) else {
            return Err(ExchangeError::bare(tenant, ExchangeErrorKind::BadAnswer));
        };
        self.exchange_for(token, tenant, Some(claims)).await
    }

    /// Invalidates the cached ARM token of a user's token, after ARM rejected it as invalid; returns whether a new one may
    /// do better. One that was made a moment ago is not dropped, so that Entra gets no identical exchange.
    pub async fn forget(&self, token: &UserToken, tenant: TenantId) -> bool {
        let inner = &self.inner;
        let key = inner.key(token, tenant, None);
        inner
            .tokens
            .forget_older(&key, OF_THIS_MOMENT, inner.clock.now())
            .await
    }

    async fn exchange_for(
        &self,
        token: &UserToken,
        tenant: TenantId,
        demanded: Option<Map<String, Value>>,
    ) -> Result<ArmToken, ExchangeError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        if token.expires_at() <= now - inner.settings.skew() {
            return Err(ExchangeError::bare(tenant, ExchangeErrorKind::Reauthenticate));
        }
        let key = inner.key(token, tenant, demanded.as_ref());
        if let Some(found) = inner.tokens.get(&key, now).await {
            return Ok(found);
        }
        let (inner, token, end) = (Arc::clone(inner), token.clone(), deadline::end());
        // A task of its own, so that a caller who hangs up takes neither the exchange nor the others' wait with it.
        let task = self.inner.tasks.spawn(
            async move {
                let exchange = Box::pin(inner.exchange_once(key, &token, tenant, demanded));
                deadline::until(end, exchange).await
            }
            .instrument(tracing::info_span!(
                "entra",
                otel.name = "exchange a token",
                otel.kind = "client"
            )),
        );
        let gone = ExchangeErrorKind::Unavailable { retry_after: None };
        task.await
            .unwrap_or_else(|_| Err(ExchangeError::bare(tenant, gone)))
    }
}

impl Inner {
    fn key(&self, token: &UserToken, tenant: TenantId, demanded: Option<&Map<String, Value>>) -> Key {
        Key {
            tenant,
            client_id: self.settings.client_id,
            assertion: token.digest(),
            scope: self.settings.arm_scope.clone(),
            declares_capability: token.takes_claims_challenges(),
            claims: demanded.map(|claims| Sha256::digest(Value::from(claims.clone()).to_string()).into()),
        }
    }

    async fn exchange_once(
        &self,
        key: Key,
        token: &UserToken,
        tenant: TenantId,
        demanded: Option<Map<String, Value>>,
    ) -> Result<ArmToken, ExchangeError> {
        let now = self.clock.now();
        let plain = Key {
            claims: None,
            ..key.clone()
        };
        let answers_challenge = demanded.is_some();
        if answers_challenge {
            self.tokens.forget(&plain).await;
        }
        let claims = claims_to_send(token.takes_claims_challenges(), demanded);
        let exchange = self.with_one_repetition(token, tenant, claims.as_deref());
        let fresh = self.tokens.get_or(key, token.expires_at(), now, exchange).await?;
        if answers_challenge {
            // It satisfies more than the one that was refused, so from now on it is the one to use.
            self.tokens
                .replace(plain, fresh.clone(), token.expires_at(), now)
                .await;
        }
        Ok(fresh)
    }

    /// An exchange changes nothing at Entra, so it may be retried: once, while a request waits for it, unless Entra named a long
    /// time or is throttling.
    async fn with_one_repetition(
        &self,
        token: &UserToken,
        tenant: TenantId,
        claims: Option<&str>,
    ) -> Result<ArmToken, ExchangeError> {
        let begun = Instant::now();
        let guard = self.guards.of(tenant.uuid()).await;
        let mut outcome = self.post(&guard, token, tenant, claims).await;
        let pause = outcome.as_ref().err().and_then(|error| match error.kind {
            ExchangeErrorKind::Unavailable { retry_after } => guard.retry_delay(retry_after),
            _ => None,
        });
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
            outcome = self.post(&guard, token, tenant, claims).await;
        }
        report(tenant, begun.elapsed(), &outcome);
        outcome
    }

    async fn post(
        &self,
        guard: &Arc<Guard>,
        token: &UserToken,
        tenant: TenantId,
        claims: Option<&str>,
    ) -> Result<ArmToken, ExchangeError> {
        let settings = &self.settings;
        let client_id = settings.client_id.to_string();
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("requested_token_use", "on_behalf_of"),
            ("client_id", client_id.as_str()),
            ("client_secret", settings.secret.expose_secret()),
            ("assertion", token.assertion().expose_secret()),
            // Never with offline_access: a refresh token would outlive the caller's.
            ("scope", settings.arm_scope.as_str()),
        ];
        form.extend(claims.map(|claims| ("claims", claims)));
        let identity = Identity {
            tenant,
            assertion: token.digest(),
        };
        let (status, headers, body) = self.ask_for_token(guard, identity, &form).await?;
        let asked = Asked {
            settings,
            token,
            tenant,
            now: self.clock.now(),
        };
        if status.is_success() {
            asked.success(&body)
        } else {
            Err(asked.failure(status, &headers, &body))
        }
    }
}

/// The `claims` parameter: what ARM demanded, and the capability `cp1` if the calling app declared it. Only then: with it Entra
/// issues tokens that ARM may challenge at any time, and a client must be able to handle that.
fn claims_to_send(capable: bool, demanded: Option<Map<String, Value>>) -> Option<String> {
    if !capable {
        return demanded.map(|claims| Value::from(claims).to_string());
    }
    let mut claims = demanded.unwrap_or_default();
    let access_token = claims.entry("access_token").or_insert_with(|| json!({}));
    if !access_token.is_object() {
        *access_token = json!({});
    }
    if let Some(members) = access_token.as_object_mut() {
        members.insert("xms_cc".to_owned(), json!({"values": ["cp1"]}));
    }
    Some(Value::from(claims).to_string())
}

fn report(tenant: TenantId, duration: Duration, outcome: &Result<ArmToken, ExchangeError>) {
    let duration_ms = duration.as_millis();
    metrics::exchange_ended(
        outcome
            .as_ref()
            .map_or_else(|error| error.kind.label(), |_| "done"),
        duration,
    );
    match outcome {
        Ok(_) => tracing::info!(
            entra.outcome = "done",
            entra.tenant = %tenant,
            entra.duration_ms = duration_ms,
            "entra.exchange: user token exchanged for an ARM token"
        ),
        Err(error) => tracing::warn!(
            entra.outcome = "refused",
            entra.kind = error.kind.label(),
            entra.tenant = %tenant,
            entra.code = error.code,
            entra.error = error.error.as_deref(),
            entra.suberror = error.suberror.as_deref(),
            entra.correlation_id = error.correlation_id.as_deref(),
            entra.trace_id = error.trace_id.as_deref(),
            entra.duration_ms = duration_ms,
            "entra.exchange: user token not exchanged"
        ),
    }
}

#[cfg(test)]
mod tests;
