//! What an app may prove itself with besides a secret: certificates and federated credentials,
//! and the outside issuers whose word a federated credential may rest on.

use aws_lc_rs::digest;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::x509;

/// A certificate registered on an app: its public half.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-1 of the certificate, as `x5t` names it.
    pub sha1: Vec<u8>,
    /// SHA-256 of the certificate, as `x5t#S256` names it.
    pub sha256: Vec<u8>,
    /// First moment of its validity.
    pub not_before: DateTime<Utc>,
    /// Last moment of its validity.
    pub not_after: DateTime<Utc>,
    /// `SubjectPublicKeyInfo`, DER.
    public_key: Vec<u8>,
}

/// Why a certificate or a key set can't be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The text has no PEM block of a certificate.
    #[error("this is no PEM with a certificate")]
    NoPem,
    /// The block does not hold an X.509 certificate.
    #[error("the PEM holds no X.509 certificate")]
    NoCertificate,
    /// The text is no JWKS, or holds no RSA key with `kid`, `n` and `e`.
    #[error("this is no JWKS with an RSA key that has kid, n and e")]
    NoKeys,
    /// The app does not exist.
    #[error(transparent)]
    Unknown(#[from] super::UnknownName),
}

/// How a client assertion is signed. Entra takes RSA alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
}

impl Algorithm {
    /// By the `alg` of a JWT's header.
    pub(crate) fn named(alg: &str) -> Option<Algorithm> {
        match alg {
            "RS256" => Some(Algorithm::Rs256),
            "PS256" => Some(Algorithm::Ps256),
            _ => None,
        }
    }

    fn parameters(self) -> &'static RsaParameters {
        match self {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        }
    }
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub fn from_pem(pem: &str) -> Result<Certificate, CredentialError> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| CredentialError::NoPem)?;
        let parts = x509::read(&der).ok_or(CredentialError::NoCertificate)?;
        let hash = |algorithm| digest::digest(algorithm, &der).as_ref().to_vec();
        Ok(Certificate {
            sha1: hash(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            sha256: hash(&digest::SHA256),
            not_before: parts.not_before,
            not_after: parts.not_after,
            public_key: parts.public_key.to_vec(),
        })
    }

    /// Whether the signature over `message` was made with the certificate's key. False for keys that are not RSA.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(algorithm.parameters(), &self.public_key)
            .verify(message, signature)
            .is_ok()
    }

    /// SHA-1 in upper-case hexadecimal, as Entra's messages and the portal show it.
    pub fn thumbprint(&self) -> String {
        self.sha1.iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({})", self.thumbprint())
    }
}

/// A federated identity credential: tokens of this issuer for this subject and audience stand for the app.
/// All three are compared exactly, with case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederatedCredential {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// `aud`, usually `api://AzureADTokenExchange`.
    pub audience: String,
}

/// An issuer outside of this cloud. Its keys are given, not fetched.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// `iss`, exactly.
    pub issuer: String,
    keys: Vec<IssuerKey>,
}

#[derive(Clone, Debug)]
struct IssuerKey {
    kid: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl TrustedIssuer {
    /// An issuer with the RSA keys of a JWKS document.
    pub fn new(issuer: &str, jwks: &Value) -> Result<TrustedIssuer, CredentialError> {
        let read = |key: &Value| {
            let number = |name: &str| URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?).ok();
            Some(IssuerKey {
                kid: key.get("kid")?.as_str()?.to_owned(),
                modulus: number("n")?,
                exponent: number("e")?,
            })
        };
        let keys: Vec<IssuerKey> = jwks
            .get("keys")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(read)
            .collect();
        if keys.is_empty() {
            return Err(CredentialError::NoKeys);
        }
        Ok(TrustedIssuer {
            issuer: issuer.to_owned(),
            keys,
        })
    }

    /// Whether the key with this `kid` made the signature over `message`.
    pub(crate) fn verifies(&self, kid: &str, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.keys.iter().filter(|key| key.kid == kid).any(|key| {
            let key = PublicKeyComponents {
                n: &key.modulus,
                e: &key.exponent,
            };
            key.verify(algorithm.parameters(), message, signature).is_ok()
        })
    }
}
