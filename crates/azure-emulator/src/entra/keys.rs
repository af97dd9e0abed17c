//! The signing keys: two of the enterprise authority, one of the consumer authority,
//! one that nobody publishes, and ARM's own for operation URLs.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

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

/// The keys that a process makes, once: making keys is the slowest part of a start.
struct Made {
    active: Arc<SigningKey>,
    next: Arc<SigningKey>,
    consumer: Arc<SigningKey>,
    foreign: Arc<SigningKey>,
    operations: Arc<SigningKey>,
}

impl Made {
    fn generate() -> Result<Made, KeyError> {
        std::thread::scope(|scope| {
            let make = |name: &'static str| scope.spawn(move || SigningKey::generate(name, Vec::new()));
            // ARM's own certificate names its regions and stands in every operation URL: that is what makes them long.
            let regions = (1..=40)
                .map(|n| format!("region{n:02}.management.azure.com"))
                .collect();
            let operations = scope.spawn(move || SigningKey::generate("management.azure.com", regions));
            let keys = [
                make(ENTERPRISE),
                make(ENTERPRISE),
                make("login.live.com"),
                make("nobody"),
                operations,
            ];
            let [active, next, consumer, foreign, operations] = keys.map(|key| {
                let made = key.join();
                made.unwrap_or_else(|_| Err(KeyError("the maker of a key died".to_owned())))
                    .map(Arc::new)
            });
            Ok(Made {
                active: active?,
                next: next?,
                consumer: consumer?,
                foreign: foreign?,
                operations: operations?,
            })
        })
    }
}

/// The name in the certificates of the enterprise authority.
const ENTERPRISE: &str = "accounts.accesscontrol.windows.net";

/// The keys of one emulator. Emulators of a process begin with the same ones; each rotates its own.
pub(crate) struct KeyRing {
    enterprise: RwLock<Enterprise>,
    /// Published under the consumer tenant's issuer; signs only on a test's demand.
    pub(crate) consumer: Arc<SigningKey>,
    /// Never published; signs only on a test's demand.
    pub(crate) foreign: Arc<SigningKey>,
    /// ARM's: signs operation URLs, never a token.
    pub(crate) operations: Arc<SigningKey>,
}

/// The published keys of the enterprise authority.
struct Enterprise {
    /// Signs every token.
    active: Arc<SigningKey>,
    /// Published beside it, as Entra publishes the keys it will turn to.
    next: Arc<SigningKey>,
    /// Signed before; published until they are retired.
    old: Vec<Arc<SigningKey>>,
}

impl Enterprise {
    fn published(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        [&self.active, &self.next].into_iter().chain(&self.old)
    }
}

impl KeyRing {
    /// A ring of the process's keys, which are made at the first call.
    pub(crate) fn of_process() -> Result<KeyRing, KeyError> {
        static MADE: OnceLock<Result<Made, KeyError>> = OnceLock::new();
        let made = MADE.get_or_init(Made::generate).as_ref().map_err(Clone::clone)?;
        Ok(KeyRing {
            enterprise: RwLock::new(Enterprise {
                active: Arc::clone(&made.active),
                next: Arc::clone(&made.next),
                old: Vec::new(),
            }),
            consumer: Arc::clone(&made.consumer),
            foreign: Arc::clone(&made.foreign),
            operations: Arc::clone(&made.operations),
        })
    }

    /// The key that signs tokens now.
    pub(crate) fn active(&self) -> Arc<SigningKey> {
        Arc::clone(&self.read().active)
    }

    /// The key of the enterprise authority with this `kid`: what Entra and ARM accept as a signer of tenants' tokens.
    pub(crate) fn enterprise(&self, kid: &str) -> Option<Arc<SigningKey>> {
        self.read().published().find(|key| key.kid == kid).cloned()
    }

    /// `kid`s of the enterprise authority's published keys; the first signs.
    pub(crate) fn published_kids(&self) -> Vec<String> {
        self.read().published().map(|key| key.kid.clone()).collect()
    }

    /// Turns to the next key and makes another next one. The key that signed so far stays published.
    pub(crate) fn rotate(&self) -> Result<(), KeyError> {
        let made = Arc::new(SigningKey::generate(ENTERPRISE, Vec::new())?);
        let mut keys = self.write();
        let next = std::mem::replace(&mut keys.next, made);
        let active = std::mem::replace(&mut keys.active, next);
        keys.old.push(active);
        Ok(())
    }

    /// Publishes the keys that signed before no longer: tokens of theirs are worthless.
    pub(crate) fn retire(&self) {
        self.write().old.clear();
    }

    /// The v2 key set: every key names the issuer it may sign for, with `{tenantid}` left open for enterprise keys.
    pub(crate) fn jwks_v2(&self, authority: &str) -> Value {
        let with_issuer = |key: &SigningKey, tenant: &str| {
            let mut jwk = key.jwk();
            set(&mut jwk, "issuer", json!(format!("{authority}{tenant}/v2.0")));
            jwk
        };
        let mut keys: Vec<Value> = self
            .read()
            .published()
            .map(|key| with_issuer(key, "{tenantid}"))
            .collect();
        keys.push(with_issuer(&self.consumer, CONSUMER_TENANT));
        json!({ "keys": keys })
    }

    /// The v1 key set: the same keys without issuers.
    pub(crate) fn jwks_v1(&self) -> Value {
        let mut keys: Vec<Value> = self.read().published().map(|key| key.jwk()).collect();
        keys.push(self.consumer.jwk());
        json!({ "keys": keys })
    }

    fn read(&self) -> RwLockReadGuard<'_, Enterprise> {
        self.enterprise.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Enterprise> {
        self.enterprise.write().unwrap_or_else(PoisonError::into_inner)
    }
}
