//! Key pairs with certificates, for clients in tests: what an administrator would make with a certificate tool.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use crate::entra::KeyError;

/// A key pair with a self-signed certificate. Register `certificate_pem` on an app, or `jwks` as an issuer's keys,
/// and sign with it.
pub struct ClientKey {
    pair: Pair,
    certificate_pem: String,
    key_pem: String,
}

enum Pair {
    Rsa(RsaKeyPair),
    Elliptic(EcdsaKeyPair),
}

impl ClientKey {
    /// An RSA key of 2048 bits; takes some tenths of a second.
    pub fn rsa(name: &str) -> Result<ClientKey, KeyError> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(failed)?;
        let pair = RsaKeyPair::from_pkcs8(&key.serialize_der()).map_err(failed)?;
        ClientKey::new(name, &key, Pair::Rsa(pair))
    }

    /// A key on the curve P-256, which Entra refuses for apps.
    pub fn elliptic(name: &str) -> Result<ClientKey, KeyError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.serialize_der());
        ClientKey::new(name, &key, Pair::Elliptic(pair.map_err(failed)?))
    }

    fn new(name: &str, key: &KeyPair, pair: Pair) -> Result<ClientKey, KeyError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(key).map_err(failed)?;
        Ok(ClientKey {
            pair,
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// The certificate.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The private key, PKCS #8.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The public key as a JWKS document with one key under this `kid`; no keys for an elliptic one.
    pub fn jwks(&self, kid: &str) -> Value {
        let Pair::Rsa(pair) = &self.pair else {
            return json!({ "keys": [] });
        };
        let public = pair.public_key();
        json!({ "keys": [{
            "kty": "RSA",
            "use": "sig",
            "kid": kid,
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
        }]})
    }

    /// A JWT with this header and these claims. RSA keys sign PS256 when the header's `alg` says so, else RS256.
    pub fn sign(&self, header: &Value, claims: &Value) -> Result<String, KeyError> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let pss = header.get("alg").and_then(Value::as_str) == Some("PS256");
                let padding = if pss { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, signed.as_bytes(), &mut signature)
                    .map_err(failed)?;
                signature
            }
            Pair::Elliptic(pair) => pair
                .sign(&random, signed.as_bytes())
                .map_err(failed)?
                .as_ref()
                .to_vec(),
        };
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientKey").finish_non_exhaustive()
    }
}

fn failed(error: impl std::fmt::Display) -> KeyError {
    KeyError::new(&error)
}
