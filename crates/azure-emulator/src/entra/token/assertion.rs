//! The user's token that a middle tier hands in, verified in full
//! (Microsoft Learn: "Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow").

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::super::consent;
use super::super::error::EntraError;
use super::super::jwt::Jwt;
use crate::azure::Azure;
use crate::directory::{App, Directory, Tenant, User};
use crate::sign_ins::{SignIn, SignIns};

/// Clock skew that Entra forgives, in seconds.
const SKEW: i64 = 300;

/// What a good assertion proves.
pub(super) struct Verified<'a> {
    pub(super) user: &'a User,
    jwt: Jwt,
}

impl Verified<'_> {
    /// How the user signed in: what the session says, or, for a token that came from no sign-in page, what the token
    /// itself says.
    pub(super) fn sign_in(&self, sign_ins: &SignIns) -> SignIn {
        let session = self.jwt.text("sid").and_then(|id| sign_ins.session(id));
        session.cloned().unwrap_or_else(|| {
            let methods = self.jwt.claims.get("amr").and_then(Value::as_array);
            let methods = methods.map(|methods| {
                methods
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect()
            });
            let mut methods: Vec<String> = methods.unwrap_or_else(|| vec!["pwd".to_owned()]);
            // An authentication context is only given to who used a second factor.
            let contexts = self.jwt.claims.get("acrs").and_then(Value::as_array);
            if contexts.is_some_and(|contexts| !contexts.is_empty()) && !methods.iter().any(|m| m == "mfa") {
                methods.push("mfa".to_owned());
            }
            SignIn {
                session: None,
                user: self.user.home_oid().to_owned(),
                at: self.jwt.issued().unwrap_or_default(),
                methods,
                device: self.jwt.text("deviceid").map(str::to_owned),
            }
        })
    }
}

/// Verifies signature, kind, issuer, audience and time, and finds the user.
pub(super) fn verify<'a>(
    azure: &Azure,
    directory: &'a Directory,
    client: &App,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Verified<'a>, EntraError> {
    let Some(jwt) = Jwt::parse(token) else {
        return Err(EntraError::new(
            "invalid_request",
            50027,
            "JWT token is invalid or malformed.",
        ));
    };
    if !jwt.is_signed_by(&azure.keys) {
        return Err(not_valid(
            "the signature could not be verified with any key of this authority",
        ));
    }
    let tenant = jwt.text("tid").and_then(|tid| directory.tenant(tid));
    let issuer = jwt.text("iss").unwrap_or_default();
    let issuer_fits = tenant
        .is_some_and(|t| issuer == t.v1_issuer() || issuer == format!("{}{}/v2.0", azure.entra_url, t.id));
    let Some(tenant) = tenant.filter(|_| issuer_fits) else {
        return Err(not_valid("the issuer is not one of this authority"));
    };
    check_kind(&jwt)?;
    let audience = jwt.text("aud").unwrap_or_default();
    if !client.is_audience(audience) {
        let message = format!(
            "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion \
             was '{audience}' and the expected audience is '{}' or one of the Application Uris of this application \
             with App ID '{}'({}). The downstream client must request a token for the expected audience.",
            client.client_id, client.client_id, client.name,
        );
        return Err(EntraError::new("invalid_grant", 500131, message));
    }
    check_time(&jwt, now)?;
    let user = jwt.text("oid").and_then(|oid| directory.member(&tenant.id, oid));
    let user = user.ok_or_else(|| gone(&jwt, tenant, client))?;
    Ok(Verified { user, jwt })
}

/// The user has left the tenant of the assertion: a guest is a stranger again, anybody else was deleted. Which of the two
/// numbers Entra gives is a guess.
fn gone(jwt: &Jwt, tenant: &Tenant, client: &App) -> EntraError {
    let name = ["upn", "preferred_username", "email"]
        .into_iter()
        .find_map(|claim| jwt.text(claim))
        .unwrap_or("unknown");
    match jwt.text("idp") {
        Some(provider) => consent::stranger(50020, name, provider, tenant, client),
        None => consent::no_account(name, &tenant.name),
    }
}

/// Neither an app's token nor an ID token can stand for a user.
fn check_kind(jwt: &Jwt) -> Result<(), EntraError> {
    if jwt.text("scp").is_some_and(|scopes| !scopes.trim().is_empty()) && jwt.text("idtyp") != Some("app") {
        return Ok(());
    }
    let is_app = jwt.text("idtyp") == Some("app")
        || (jwt.text("sub").is_some() && jwt.text("sub") == jwt.text("oid"))
        || (jwt.claims.contains_key("roles") && jwt.text("preferred_username").or(jwt.text("upn")).is_none());
    if is_app {
        let id = jwt.text("azp").or(jwt.text("appid")).unwrap_or_default();
        let message = format!("Application '{id}' is not allowed to make application on-behalf-of calls.");
        return Err(EntraError::new("unauthorized_client", 7000114, message));
    }
    let message = "Input id_token cannot be used as 'urn:ietf:params:oauth:grant-type:jwt-bearer' grant.";
    // `invalid_request` is what libraries were seen to be told.
    Err(EntraError::new("invalid_request", 240002, message))
}

fn check_time(jwt: &Jwt, now: DateTime<Utc>) -> Result<(), EntraError> {
    let now = now.timestamp();
    let too_early = jwt.seconds("nbf").is_some_and(|nbf| nbf > now + SKEW);
    let too_late = jwt.seconds("exp").is_none_or(|exp| exp < now - SKEW);
    if too_early || too_late {
        let message = "Assertion is not within its valid time range. Ensure that the access token is not expired \
                       before using it for user assertion, or request a new token.";
        return Err(EntraError::new("invalid_grant", 500133, message));
    }
    Ok(())
}

fn not_valid(why: &str) -> EntraError {
    let message = format!("Assertion failed signature validation. [Reason - {why}.]");
    EntraError::new("invalid_grant", 50013, message)
}
