//! JWTs as bytes: put together, taken apart. What the claims mean is decided elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::claims;
use super::keys::KeyRing;
use super::signing_key::{KeyError, SigningKey};
use crate::exchange::set;

/// A JWT taken apart; nothing about it is verified yet.
#[derive(Debug)]
pub(crate) struct Jwt {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    signed: String,
    signature: Vec<u8>,
}

impl Jwt {
    /// Splits and decodes; nothing when the text is no JWT at all.
    pub(crate) fn parse(token: &str) -> Option<Jwt> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Jwt {
            header: object(header)?,
            claims: object(claims)?,
            signed: signed.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// A text claim.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// A time claim, in seconds.
    pub(crate) fn seconds(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim).and_then(Value::as_i64)
    }

    /// A time claim as clients write it: a number, whole or not, or a number in a text.
    pub(crate) fn any_seconds(&self, claim: &str) -> Option<i64> {
        let value = self.claims.get(claim)?;
        let text = || value.as_str().and_then(|text| text.trim().parse::<f64>().ok());
        let number = value.as_f64().or_else(text).filter(|number| number.is_finite())?;
        // Fractions of a second don't matter; what is too large for a moment ends as the last one.
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
        let seconds = number.floor() as i64;
        Some(seconds)
    }

    /// When the token was issued. `iat` says that in whole seconds; tokens of this emulator say it more exactly in
    /// `aio`, so that a revocation and a token of the same second have an order.
    pub(crate) fn issued(&self) -> Option<DateTime<Utc>> {
        let second = self
            .seconds("iat")
            .and_then(|at| DateTime::from_timestamp(at, 0))?;
        let exact = self.text("aio").and_then(claims::issued);
        exact
            .filter(|exact| exact.timestamp() == second.timestamp())
            .or(Some(second))
    }

    /// `aud`, which may be one text or several.
    pub(crate) fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            other => other.and_then(Value::as_str).into_iter().collect(),
        }
    }

    /// The bytes that the signature is over.
    pub(crate) fn signed(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    /// The signature.
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether one of the enterprise keys signed this, with RS256.
    pub(crate) fn is_signed_by(&self, keys: &KeyRing) -> bool {
        let header = |name: &str| self.header.get(name).and_then(Value::as_str);
        header("alg") == Some("RS256")
            && header("kid")
                .and_then(|kid| keys.enterprise(kid))
                .is_some_and(|key| key.verify(self.signed.as_bytes(), &self.signature))
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Signs claims with RS256. v1 tokens carry `x5t` beside `kid`.
pub(crate) fn sign(
    claims: &Map<String, Value>,
    key: &SigningKey,
    kid: Option<&str>,
    with_x5t: bool,
) -> Result<String, KeyError> {
    let kid = match kid {
        Some(kid) => kid,
        None => key.kid()?,
    };
    let mut header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid });
    if with_x5t {
        set(&mut header, "x5t", json!(kid));
    }
    let signed = joined(&header, claims);
    let signature = key.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The same without a signature, `alg` none: what no validator may accept.
pub(crate) fn unsigned(claims: &Map<String, Value>) -> String {
    format!("{}.", joined(&json!({ "typ": "JWT", "alg": "none" }), claims))
}

fn joined(header: &Value, claims: &Map<String, Value>) -> String {
    let claims = Value::Object(claims.clone()).to_string();
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims)
    )
}
