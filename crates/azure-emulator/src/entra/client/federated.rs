//! An assertion that another issuer signed for a workload, taken as the app's own proof where a federated credential
//! says so (Microsoft Learn: "Workload identity federation"). The issuer is another tenant of this cloud, such as the
//! one of a managed identity, or one outside whose keys the seed gives.

use serde_json::Value;

use super::{Door, check_time, refused};
use crate::directory::{Algorithm, App, FederatedCredential};
use crate::entra::error::EntraError;
use crate::entra::jwt::Jwt;

/// Checks issuer, subject and audience against the app's credentials, then signature and time.
pub(super) fn check(door: &Door<'_, '_>, app: &App, jwt: &Jwt) -> Result<(), EntraError> {
    let issuer = jwt.text("iss").unwrap_or_default();
    let subject = jwt.text("sub").unwrap_or_default();
    find(door, app, issuer, subject, &jwt.audiences())?;
    verify(door, issuer, jwt)?;
    check_time(jwt, door.now)
}

/// Exact matches only. Which of the three failed decides the code; the texts name it.
fn find(
    door: &Door<'_, '_>,
    app: &App,
    issuer: &str,
    subject: &str,
    audiences: &[&str],
) -> Result<(), EntraError> {
    let known = &app.federated_credentials;
    if known.is_empty() {
        let message = format!(
            "No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. \
             Assertion Subject: '{subject}'. Assertion Audience: '{}'.",
            audiences.join(" ")
        );
        return Err(refused(70021, message));
    }
    let of_issuer: Vec<_> = known.iter().filter(|fic| fic.issuer == issuer).collect();
    if of_issuer.is_empty() {
        return Err(no_match(700211, "issuer", issuer));
    }
    let of_subject: Vec<_> = of_issuer.iter().filter(|fic| fic.subject == subject).collect();
    if of_subject.is_empty() {
        let nearly = of_issuer
            .iter()
            .any(|fic| fic.subject.eq_ignore_ascii_case(subject));
        // A code of its own tells the many whose subject was found before the comparison minded case.
        return Err(no_match(
            if nearly { 7002138 } else { 700213 },
            "subject",
            subject,
        ));
    }
    if !of_subject
        .iter()
        .any(|fic| audiences.iter().any(|audience| is_for(door, fic, audience)))
    {
        return Err(no_match(700212, "audience", &audiences.join(" ")));
    }
    Ok(())
}

/// Tokens of this cloud carry the client id of their resource where the credential names its App ID URI.
fn is_for(door: &Door<'_, '_>, fic: &FederatedCredential, audience: &str) -> bool {
    let own = || {
        door.directory
            .resource(&fic.audience)
            .is_some_and(|resource| resource.client_id == audience)
    };
    fic.audience == audience || own()
}

fn verify(door: &Door<'_, '_>, issuer: &str, jwt: &Jwt) -> Result<(), EntraError> {
    let authority = door.azure.entra_url.as_str();
    let is_tenants = door
        .directory
        .tenants
        .iter()
        .any(|tenant| issuer == tenant.v1_issuer() || issuer == format!("{authority}{}/v2.0", tenant.id));
    if is_tenants {
        if !jwt.is_signed_by(&door.azure.keys) {
            return Err(bad_signature());
        }
        // Managed identities have app tokens; a person's token proves no app.
        return if jwt.claims.contains_key("scp") || jwt.text("sub") != jwt.text("oid") {
            let message = "Only app-only tokens can be used as Federated Identity Credentials for Microsoft Entra issuer.";
            Err(refused(700229, message))
        } else {
            Ok(())
        };
    }
    let Some(trusted) = door.directory.issuers.iter().find(|known| known.issuer == issuer) else {
        let message = format!("Request to External OIDC endpoint failed. Issuer: '{issuer}'.");
        return Err(refused(50166, message));
    };
    let header = |name: &str| jwt.header.get(name).and_then(Value::as_str);
    let algorithm = header("alg").and_then(Algorithm::named);
    let kid = header("kid").unwrap_or_default();
    let signed =
        algorithm.is_some_and(|algorithm| trusted.verifies(kid, algorithm, jwt.signed(), jwt.signature()));
    if signed { Ok(()) } else { Err(bad_signature()) }
}

/// A guess: the number is the one of certificates.
fn bad_signature() -> EntraError {
    refused(
        700027,
        "Client assertion failed signature validation. [Reason - The key was not found.]",
    )
}

fn no_match(code: u32, what: &str, value: &str) -> EntraError {
    let message = format!(
        "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated \
         identity credential Subject, Audience and Issuer against the presented assertion."
    );
    refused(code, message)
}
