//! The on-behalf-of exchange: a user's token for this API becomes one for ARM, in one tenant
//! (Microsoft Learn, "Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow").

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tracing::Instrument as _;
use uuid::Uuid;

use super::answer::Asked;
use super::cache::Key;
use super::error::{ExchangeError, ExchangeErrorKind};
use super::user_token::UserToken;
use super::{Entra, Inner};
use crate::connection::TenantId;
use crate::failure_points::{Moment, point};
use crate::outbound::{self, ArmToken, BodyError};
use crate::telemetry::{self, metrics};

impl Entra {
    /// An ARM token of `tenant` in the user's name: a cached one, or a new one from Entra. Callers that ask for the same at the
    /// same time share one exchange, which goes on when one of them hangs up. Errors are not cached.
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
        let (inner, token) = (Arc::clone(inner), token.clone());
        // A task of its own, so that a caller who hangs up takes neither the exchange nor the others' wait with it.
        let task = self.inner.tasks.spawn(
            async move { inner.exchange_once(key, &token, tenant, demanded).await }.instrument(
                tracing::info_span!("entra", otel.name = "exchange a token", otel.kind = "client"),
            ),
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

    /// An exchange changes nothing at Entra, so it may be repeated: once, unless Entra itself named a time or is throttling.
    async fn with_one_repetition(
        &self,
        token: &UserToken,
        tenant: TenantId,
        claims: Option<&str>,
    ) -> Result<ArmToken, ExchangeError> {
        let begun = Instant::now();
        let mut outcome = self.post(token, tenant, claims).await;
        if outcome.as_ref().is_err_and(is_worth_repeating) {
            tokio::time::sleep(jittered(self.pause)).await;
            outcome = self.post(token, tenant, claims).await;
        }
        report(tenant, begun.elapsed(), &outcome);
        outcome
    }

    async fn post(
        &self,
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
        let out_of_reach =
            || ExchangeError::bare(tenant, ExchangeErrorKind::Unavailable { retry_after: None });
        point("entra", "POST token", Moment::Before)
            .await
            .map_err(|_| out_of_reach())?;
        let response = self
            .client
            // The tenant by its GUID: at /common a guest would get a token of the home tenant instead.
            .post(settings.endpoint(tenant, &["oauth2", "v2.0", "token"]))
            .headers(telemetry::trace_headers())
            .header("client-request-id", self.clock.new_id().to_string())
            .header("return-client-request-id", "true")
            // Asks for throttling to be told as 429 with a time, as Microsoft's own libraries do.
            .header("x-ms-lib-capability", "retry-after, h429")
            .form(&form)
            .send()
            .await
            .map_err(|_| out_of_reach())?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = outbound::read_body(response).await.map_err(|error| match error {
            BodyError::Broken => out_of_reach(),
            BodyError::TooLarge => ExchangeError::bare(tenant, ExchangeErrorKind::BadAnswer),
        })?;
        point("entra", "POST token", Moment::After)
            .await
            .map_err(|_| out_of_reach())?;
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

fn is_worth_repeating(error: &ExchangeError) -> bool {
    matches!(error.kind, ExchangeErrorKind::Unavailable { retry_after: None })
}

/// Between one and two times `pause`, so that many callers who failed together don't come back together.
fn jittered(pause: Duration) -> Duration {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    let part = u32::try_from(high % 1000).unwrap_or_default();
    pause + pause * part / 1000
}

/// The `claims` parameter: what ARM demanded, and the capability `cp1` if the calling app declared it. Only then: with it Entra
/// issues tokens that ARM may challenge at any time, and somebody must be able to answer.
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
