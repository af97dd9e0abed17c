//! One signing key, made when it is first needed: making five of them would be most of a start.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

/// Why there is no key, or no signature of it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("making a signing key: {0}")]
pub struct KeyError(String);

impl KeyError {
    pub(crate) fn new(why: &impl std::fmt::Display) -> KeyError {
        KeyError(why.to_string())
    }
}

/// An RSA key of 2048 bits with its self-signed certificate. Whoever needs it first makes it, which takes some tens of
/// milliseconds, and others wait meanwhile.
pub(crate) struct SigningKey {
    name: &'static str,
    also: Vec<String>,
    made: OnceLock<Result<Made, KeyError>>,
}

struct Made {
    pair: RsaKeyPair,
    kid: String,
    certificate: Vec<u8>,
}

impl SigningKey {
    /// A key whose certificate is for `name`, and for the names in `also`.
    pub(crate) fn new(name: &'static str, also: Vec<String>) -> SigningKey {
        SigningKey {
            name,
            also,
            made: OnceLock::new(),
        }
    }

    /// Makes the key now, so that nobody has to wait for it later.
    pub(crate) fn make(&self) {
        // A failure is kept, and told to whoever uses the key.
        let _ = self.made();
    }

    fn made(&self) -> Result<&Made, KeyError> {
        let made = self.made.get_or_init(|| Made::generate(self.name, &self.also));
        made.as_ref().map_err(Clone::clone)
    }

    /// SHA-1 thumbprint of the certificate, base64url: both `kid` and `x5t`.
    pub(crate) fn kid(&self) -> Result<&str, KeyError> {
        self.made().map(|made| made.kid.as_str())
    }

    /// The certificate, DER; empty when the key could not be made.
    pub(crate) fn certificate(&self) -> &[u8] {
        self.made().map_or(&[], |made| &made.certificate)
    }

    /// RS256 over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let pair = &self.made()?.pair;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| KeyError("RSA refused to sign".to_owned()))?;
        Ok(signature)
    }

    /// Whether `signature` over `message` is this key's.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.made().is_ok_and(|made| {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, made.pair.public_key().as_ref())
                .verify(message, signature)
                .is_ok()
        })
    }

    /// The key as a JWKS entry without `issuer`, which the v1 document does not have. A key that could not be made is
    /// not published.
    pub(super) fn jwk(&self) -> Option<Value> {
        let made = self.made().ok()?;
        let public = made.pair.public_key();
        Some(json!({
            "kty": "RSA",
            "use": "sig",
            "kid": made.kid,
            "x5t": made.kid,
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
            "x5c": [STANDARD.encode(&made.certificate)],
        }))
    }
}

impl Made {
    fn generate(name: &str, also: &[String]) -> Result<Made, KeyError> {
        let error = |error: rcgen::Error| KeyError(error.to_string());
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(error)?;
        let mut params = CertificateParams::new(also).map_err(error)?;
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).map_err(error)?.der().to_vec();
        let pair =
            RsaKeyPair::from_pkcs8(&key.serialize_der()).map_err(|error| KeyError(error.to_string()))?;
        Ok(Made {
            pair,
            kid: thumbprint(&certificate),
            certificate,
        })
    }
}

fn thumbprint(certificate: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate))
}
