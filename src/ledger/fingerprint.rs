//! Token fingerprints: they identify a sign-in in Entra's logs without storing the token's id.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Makes fingerprints with the service's key.
#[derive(Clone)]
pub struct TokenFingerprinter(SecretString);

impl TokenFingerprinter {
    /// A fingerprinter with this key; the configuration ensures that it has at least 32 bytes.
    #[must_use]
    pub fn new(key: SecretString) -> Self {
        Self(key)
    }

    /// HMAC-SHA-256 (RFC 2104) of a token's unique id (`uti`).
    #[must_use]
    pub fn mark(&self, unique_id: &str) -> Option<Vec<u8>> {
        // HMAC takes a key of any length, so this is never `None`; the type can't say so.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes()).ok()?;
        mac.update(unique_id.as_bytes());
        Some(mac.finalize().into_bytes().to_vec())
    }
}

impl std::fmt::Debug for TokenFingerprinter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenFingerprinter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_depends_on_the_key_and_the_id_and_shows_neither() {
        let fingerprinter = TokenFingerprinter::new(SecretString::from("k".repeat(32)));
        let other = TokenFingerprinter::new(SecretString::from("l".repeat(32)));
        assert_eq!(fingerprinter.mark("a"), fingerprinter.mark("a"));
        assert_ne!(fingerprinter.mark("a"), fingerprinter.mark("b"));
        assert_ne!(fingerprinter.mark("a"), other.mark("a"));
        assert_eq!(format!("{fingerprinter:?}"), "TokenFingerprinter");
    }
}
