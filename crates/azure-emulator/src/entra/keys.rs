//! The signing keys: two of the enterprise authority, one of the consumer authority,
//! one that nobody publishes, and ARM's own for operation URLs.

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

use crate::exchange::set;

/// The tenant of personal Microsoft accounts. Its key stands in every tenant's key set, bound to its own issuer,
/// so that a validator which forgets to bind key to issuer is found out.
pub(crate) const CONSUMER_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Why there are no keys.
#[derive(Clone, Debug, thiserror::Error)]
#[error("making a signing key: {0}")]
pub struct KeyError(String);

impl KeyError {
    pub(crate) fn new(why: &impl std::fmt::Display) -> KeyError {
        KeyError(why.to_string())
    }
}

/// An RSA key of 2048 bits with its self-signed certificate.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    /// SHA-1 thumbprint of the certificate, base64url: both `kid` and `x5t`.
    pub(crate) kid: String,
    pub(crate) certificate: Vec<u8>,
}

impl SigningKey {
    fn generate(name: &str, also: Vec<String>) -> Result<SigningKey, KeyError> {
        let error = |error: rcgen::Error| KeyError(error.to_string());
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(error)?;
        let mut params = CertificateParams::new(also).map_err(error)?;
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).map_err(error)?.der().to_vec();
        let pair =
            RsaKeyPair::from_pkcs8(&key.serialize_der()).map_err(|error| KeyError(error.to_string()))?;
        let kid = thumbprint(&certificate);
        Ok(SigningKey {
            pair,
            kid,
            certificate,
        })
    }

    /// RS256 over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| KeyError("RSA refused to sign".to_owned()))?;
        Ok(signature)
    }

    /// Whether `signature` over `message` is this key's.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref())
            .verify(message, signature)
            .is_ok()
    }

    /// The key as a JWKS entry without `issuer`, which the v1 document does not have.
    fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
            "x5c": [STANDARD.encode(&self.certificate)],
        })
    }
}

fn thumbprint(certificate: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate))
}

/// All keys of one process. Emulators share them: making keys is the slowest part of a start.
pub(crate) struct KeyRing {
    /// Signs every token.
    pub(crate) active: SigningKey,
    /// Published beside it, as Entra publishes the keys it will turn to.
    pub(crate) next: SigningKey,
    /// Published under the consumer tenant's issuer; signs only on a test's demand.
    pub(crate) consumer: SigningKey,
    /// Never published; signs only on a test's demand.
    pub(crate) foreign: SigningKey,
    /// ARM's: signs operation URLs, never a token.
    pub(crate) operations: SigningKey,
}

impl KeyRing {
    /// The process's keys, made at the first call.
    pub(crate) fn of_process() -> Result<&'static KeyRing, KeyError> {
        static RING: OnceLock<Result<KeyRing, KeyError>> = OnceLock::new();
        RING.get_or_init(KeyRing::generate).as_ref().map_err(Clone::clone)
    }

    fn generate() -> Result<KeyRing, KeyError> {
        std::thread::scope(|scope| {
            let make = |name: &'static str| scope.spawn(move || SigningKey::generate(name, Vec::new()));
            // ARM's own certificate names its regions and stands in every operation URL: that is what makes them long.
            let regions = (1..=40)
                .map(|n| format!("region{n:02}.management.azure.com"))
                .collect();
            let operations = scope.spawn(move || SigningKey::generate("management.azure.com", regions));
            let keys = [
                make("accounts.accesscontrol.windows.net"),
                make("accounts.accesscontrol.windows.net"),
                make("login.live.com"),
                make("nobody"),
                operations,
            ];
            let [active, next, consumer, foreign, operations] = keys.map(|key| {
                key.join()
                    .unwrap_or_else(|_| Err(KeyError("the maker of a key died".to_owned())))
            });
            Ok(KeyRing {
                active: active?,
                next: next?,
                consumer: consumer?,
                foreign: foreign?,
                operations: operations?,
            })
        })
    }

    /// The key of the enterprise authority with this `kid`: what Entra and ARM accept as a signer of tenants' tokens.
    pub(crate) fn enterprise(&self, kid: &str) -> Option<&SigningKey> {
        [&self.active, &self.next].into_iter().find(|key| key.kid == kid)
    }

    /// The v2 key set: every key names the issuer it may sign for, with `{tenantid}` left open for enterprise keys.
    pub(crate) fn jwks_v2(&self, authority: &str) -> Value {
        let with_issuer = |key: &SigningKey, tenant: &str| {
            let mut jwk = key.jwk();
            set(&mut jwk, "issuer", json!(format!("{authority}{tenant}/v2.0")));
            jwk
        };
        json!({ "keys": [
            with_issuer(&self.active, "{tenantid}"),
            with_issuer(&self.next, "{tenantid}"),
            with_issuer(&self.consumer, CONSUMER_TENANT),
        ]})
    }

    /// The v1 key set: the same keys without issuers.
    pub(crate) fn jwks_v1(&self) -> Value {
        json!({ "keys": [self.active.jwk(), self.next.jwk(), self.consumer.jwk()] })
    }
}
