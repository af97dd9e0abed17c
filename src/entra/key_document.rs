//! The document in which a tenant publishes its signing keys (RFC 7517, with an `issuer` in each key that is Entra's own).

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::upstream;

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
    /// Read one by one: each an object.
    keys: Vec<Map<String, Value>>,
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
    let document: Document = upstream::parse_object(body)?;
    let published = |key| serde_json::from_value(Value::Object(key)).ok();
    let keys: Option<Vec<PublishedKey>> = document.keys.into_iter().map(published).collect();
    let keys: Vec<SigningKey> = keys?.into_iter().filter_map(usable).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_and_its_keys_are_objects_and_no_arrays_whose_entries_would_fit() {
        let key = r#"{"kty":"RSA","use":"sig","kid":"a","n":"AQAB","e":"AQAB","issuer":null}"#;
        let as_array = r#"["RSA","sig","a","AQAB","AQAB",null]"#;
        let read = |set: String| parse(set.as_bytes()).map(|keys| keys.len());
        assert_eq!(read(format!(r#" {{"keys":[{key},{key}]}}"#)), Some(2));
        assert_eq!(read(format!(r#"{{"keys":[{as_array}]}}"#)), None);
        assert_eq!(read(format!("[[{key}]]")), None);
    }
}
