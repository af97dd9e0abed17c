//! An assertion that the app signed itself, with the key of a certificate that is registered on it
//! (Microsoft Learn: "Microsoft identity platform application authentication certificate credentials").

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Door, check_time, refused};
use crate::directory::{Algorithm, App, Certificate};
use crate::entra::discovery::Named;
use crate::entra::error::EntraError;
use crate::entra::jwt::Jwt;

/// Checks signature, names, audience and time. `x5c` is not looked at: it is for apps that trust a subject name and an
/// issuer instead of a certificate, and libraries send it in many shapes. `jti` is not remembered; Entra is not known
/// to refuse a second use.
pub(super) fn check(door: &Door<'_, '_>, app: &App, jwt: &Jwt) -> Result<(), EntraError> {
    let header = |name: &str| jwt.header.get(name).and_then(Value::as_str);
    let Some(algorithm) = header("alg").and_then(Algorithm::named) else {
        let message = "Client assertion contains an invalid signature. [Reason - The key was found, but it uses an unsupported asymmetric signing algorithm.]";
        return Err(refused(700027, message));
    };
    let certificate = registered(app, jwt)?;
    if !certificate.verifies(algorithm, jwt.signed(), jwt.signature()) {
        let message = format!(
            "Client assertion failed signature validation. [Reason - The key was found, but use of the key to verify \
             the signature failed., Thumbprint of key used by client: '{}', Found key 'Start={}, End={}']",
            certificate.thumbprint(),
            certificate.not_before.format("%m/%d/%Y %H:%M:%S"),
            certificate.not_after.format("%m/%d/%Y %H:%M:%S"),
        );
        return Err(refused(700027, message));
    }
    if door.now < certificate.not_before || certificate.not_after < door.now {
        let message = format!(
            "The provided certificate is not within its specified validity time period. Thumbprint: '{}'.",
            certificate.thumbprint()
        );
        return Err(refused(1000502, message));
    }
    let is_app = |claim| {
        jwt.text(claim)
            .is_some_and(|id| id.eq_ignore_ascii_case(&app.client_id))
    };
    if !is_app("iss") || !is_app("sub") {
        let message = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(refused(700021, message));
    }
    if !jwt.audiences().iter().any(|audience| is_ours(door, audience)) {
        let message = "Client assertion audience claim does not match Realm issuer.";
        return Err(refused(700023, message));
    }
    check_time(jwt, door.now)
}

/// The certificate that the header names, by SHA-256 or by SHA-1.
fn registered<'a>(app: &'a App, jwt: &Jwt) -> Result<&'a Certificate, EntraError> {
    let named = |name: &str| jwt.header.get(name).and_then(Value::as_str).and_then(thumbprint);
    let (sha1, sha256) = (named("x5t"), named("x5t#S256"));
    let fits = |certificate: &&Certificate| {
        sha256.as_ref().is_some_and(|hash| *hash == certificate.sha256)
            || sha1.as_ref().is_some_and(|hash| *hash == certificate.sha1)
    };
    app.certificates.iter().find(fits).ok_or_else(|| {
        let used = sha1.or(sha256).unwrap_or_default();
        let used: String = used.iter().map(|byte| format!("{byte:02X}")).collect();
        let message = format!(
            "The certificate with identifier used to sign the client assertion is not registered on application. \
             [Reason - The key was not found., Thumbprint of key used by client: '{used}'] App ID: '{}'.",
            app.client_id
        );
        refused(700027, message)
    })
}

/// Libraries write the hash as base64url, as base64url with padding, and as ordinary base64.
fn thumbprint(text: &str) -> Option<Vec<u8>> {
    let plain: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    URL_SAFE_NO_PAD.decode(plain).ok()
}

/// Whether the audience is the token endpoint that was called: v1 or v2, its tenant by GUID or domain.
fn is_ours(door: &Door<'_, '_>, audience: &str) -> bool {
    let path = door.azure.below_entra(audience);
    let tenant = path.and_then(|path| {
        path.strip_suffix("/oauth2/v2.0/token")
            .or(path.strip_suffix("/oauth2/token"))
    });
    tenant.is_some_and(|segment| match door.named {
        Named::Tenant(tenant) => tenant.is_called(segment),
        Named::AnyTenant(word) => word.eq_ignore_ascii_case(segment),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_librarys_writing_of_a_hash_is_read() {
        for text in ["-_8", "-_8=", "+/8=", "+/8"] {
            assert_eq!(thumbprint(text).unwrap(), [0xfb, 0xff], "{text}");
        }
        assert_eq!(thumbprint("no hash"), None);
    }
}
