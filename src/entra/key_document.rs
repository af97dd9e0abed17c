//! The document in which a tenant publishes its signing keys (RFC 7517, with an `issuer` in each key that is Entra's own).

use jsonwebtoken::DecodingKey;
use serde::Deserialize;

/// One published key and whose tokens it may sign.
#[derive(Clone)]
pub(super) struct SigningKey {
    pub(super) kid: String,
    pub(super) decoding: DecodingKey,
    /// The issuer, with `{tenantid}` in it when the key signs for every organisation.
    pub(super) issuer: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<PublishedKey>,
}

/// One entry of the document (RFC 7517; `issuer` is Entra's own).
#[derive(Deserialize)]
struct PublishedKey {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    issuer: Option<String>,
}

/// Reads a whole set. Keys of other kinds are passed over (RFC 7517, section 5); a set without any usable key is no set.
pub(super) fn parse(body: &[u8]) -> Option<Vec<SigningKey>> {
    let document: Document = serde_json::from_slice(body).ok()?;
    let keys: Vec<SigningKey> = document.keys.into_iter().filter_map(usable).collect();
    (!keys.is_empty()).then_some(keys)
}

fn usable(key: PublishedKey) -> Option<SigningKey> {
    if key.kty != "RSA" || key.usage.is_some_and(|usage| usage != "sig") {
        return None;
    }
    Some(SigningKey {
        kid: key.kid?,
        decoding: DecodingKey::from_rsa_components(&key.n?, &key.e?).ok()?,
        issuer: key.issuer,
    })
}
