//! Entra's response to an exchange: a token, validated before use, or an error reduced to its safe parts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::claims::Claims;
use super::classify::{Signals, classify};
use super::error::{ExchangeError, ExchangeErrorKind, ExchangeFailure};
use super::settings::Settings;
use super::user_token::UserToken;
use crate::domain::{ObjectId, Person, TenantId};
use crate::upstream;
use crate::upstream::ArmToken;

/// The longest life that is believed: Entra's longest tokens (continuous access evaluation) live 28 h.
const LONGEST_LIFE: u64 = 48 * 3600;
/// The longest claims challenge that is passed on, in bytes: it must fit into a header, in Base64.
const LONGEST_CLAIMS: usize = 4096;
/// The longest error word, in bytes.
const LONGEST_WORD: usize = 64;

/// What was asked for, to compare the answer with.
pub(super) struct Asked<'a> {
    pub(super) settings: &'a Settings,
    pub(super) token: &'a UserToken,
    pub(super) tenant: TenantId,
    pub(super) now: DateTime<Utc>,
}

/// The members of a success that matter (RFC 6749, section 5.1). A refresh token was not asked for and is not read.
#[derive(Deserialize)]
pub(super) struct Success {
    token_type: String,
    pub(super) access_token: SecretString,
    /// A number; a text at the v1.0 endpoint.
    expires_in: Option<Value>,
}

impl Success {
    /// Reads an answer with a 2xx status.
    ///
    /// # Errors
    /// [`ExchangeErrorKind::Unavailable`] when it is no answer of a token endpoint: nothing was said of the user then.
    pub(super) fn read(tenant: TenantId, body: &[u8]) -> Result<Self, ExchangeError> {
        upstream::parse_object(body).ok_or_else(|| unreadable(tenant, "a success without a token", None))
    }

    pub(super) fn is_bearer(&self) -> bool {
        self.token_type.eq_ignore_ascii_case("Bearer")
    }

    /// When the token ends, counted from `now`.
    pub(super) fn end_of_life(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let seconds = match self.expires_in.as_ref()? {
            Value::Number(number) => number.as_u64()?,
            Value::String(text) => text.parse().ok()?,
            _ => return None,
        };
        Some(now + Duration::from_secs(seconds.min(LONGEST_LIFE)))
    }
}

/// The members of an error (RFC 6749, section 5.2, and Entra's own). Those of a wrong type are passed over.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Failure {
    error: Value,
    suberror: Value,
    claims: Value,
    error_codes: Value,
    error_description: Value,
    correlation_id: Value,
    trace_id: Value,
}

impl Asked<'_> {
    /// The token in an answer with a 2xx status.
    ///
    /// # Errors
    /// [`ExchangeErrorKind::BadAnswer`] when the token is not the one that was asked for; [`ExchangeErrorKind::Unavailable`] when
    /// nothing can be read.
    pub(super) fn success(&self, body: &[u8]) -> Result<ArmToken, ExchangeError> {
        let success = Success::read(self.tenant, body)?;
        self.checked(success)
            .ok_or_else(|| ExchangeError::bare(self.tenant, ExchangeErrorKind::BadAnswer))
    }

    fn checked(&self, success: Success) -> Option<ArmToken> {
        if !success.is_bearer() {
            return None;
        }
        // Read without its signature: it came over TLS from the configured login host, and ARM will check it. What matters here
        // is that it is the token that was asked for, so that it goes into no other tenant's header and no other person's cache.
        let claims = Claims::decode(success.access_token.expose_secret().split('.').nth(1)?)?;
        let principal = Person {
            tenant: TenantId::new(claims.guid("tid")?),
            object: ObjectId::new(claims.guid("oid")?),
        };
        let home = self.token.person();
        let is_asked_for = principal.tenant == self.tenant
            && (home.tenant != self.tenant || home == principal)
            && claims.text("idtyp") != Some("app")
            && is_arm(claims.text("aud")?, &self.settings.arm_audiences);
        if !is_asked_for {
            return None;
        }
        // The earlier of the two: the token's own date by Entra's clock, its remaining life by ours.
        let expires_at = [claims.time("exp"), success.end_of_life(self.now)]
            .into_iter()
            .flatten()
            .min()?;
        (expires_at > self.now).then(|| {
            ArmToken::new(principal, expires_at, success.access_token)
                .with_authorization_uri(self.settings.authorization_uri(self.token, self.tenant))
        })
    }

    /// The error in an answer with another status.
    pub(super) fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ExchangeError {
        failure(self.tenant, self.now, status, headers, body)
    }
}

/// What is no token endpoint's answer, such as the page of a proxy on the way.
pub(super) fn unreadable(
    tenant: TenantId,
    what: impl std::fmt::Display,
    retry_after: Option<Duration>,
) -> ExchangeError {
    tracing::warn!(
        entra.tenant = %tenant,
        entra.answer = %what,
        "entra: the response of the token endpoint can't be read; check whether a proxy on the way responds in its place"
    );
    ExchangeError::bare(tenant, ExchangeErrorKind::Unavailable { retry_after })
}

/// The error in an answer with a status that is no 2xx. Keeps nothing of `error_description`, which may echo the assertion.
pub(super) fn failure(
    tenant: TenantId,
    now: DateTime<Utc>,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> ExchangeError {
    let failure: Failure = upstream::parse_object(body).unwrap_or_default();
    let signals = Signals {
        error: word(&failure.error),
        suberror: word(&failure.suberror),
        claims: claims_challenge(&failure.claims),
        code: code(&failure),
        retry_after: upstream::retry_after(headers, now),
    };
    let Some(kind) = classify(status, &signals) else {
        return unreadable(tenant, status, signals.retry_after);
    };
    ExchangeError::from(ExchangeFailure {
        tenant,
        kind,
        code: signals.code,
        error: signals.error,
        suberror: signals.suberror,
        correlation_id: guid(&failure.correlation_id),
        trace_id: guid(&failure.trace_id),
    })
}

/// Whether an audience is one of those that ARM's tokens carry.
pub(super) fn is_arm(audience: &str, accepted: &[String]) -> bool {
    let bare = |text: &str| text.trim_end_matches('/').to_owned();
    accepted.iter().any(|one| bare(one) == bare(audience))
}

/// A short word of the kind that `error` and `suberror` are; anything else is not kept.
fn word(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (!text.is_empty() && text.len() <= LONGEST_WORD && text.bytes().all(plain)).then(|| text.to_owned())
}

fn guid(value: &Value) -> Option<String> {
    Some(uuid::Uuid::try_parse(value.as_str()?).ok()?.to_string())
}

/// A claims challenge, as Entra wrote it: a text that holds a JSON object.
fn claims_challenge(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_object = serde_json::from_str::<Value>(text).is_ok_and(|json| json.is_object());
    (is_object && text.len() <= LONGEST_CLAIMS).then(|| text.to_owned())
}

/// The AADSTS number: from its own member, or from the prose where only that has it.
fn code(failure: &Failure) -> Option<u32> {
    let listed = failure
        .error_codes
        .as_array()
        .and_then(|codes| codes.first())
        .and_then(Value::as_u64);
    if let Some(code) = listed {
        return u32::try_from(code).ok();
    }
    let (_, rest) = failure.error_description.as_str()?.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests;
