//! The calling app proves itself: with a secret in the form or as HTTP Basic, or with a signed assertion.
//! `certificate` judges assertions that the app signed, `federated` those that somebody else signed for it.

mod certificate;
mod federated;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq as _;

use super::discovery::Named;
use super::error::EntraError;
use super::jwt::Jwt;
use crate::azure::Azure;
use crate::directory::{App, Directory};
use crate::exchange::{Call, find, percent_decode};

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Clock skew that Entra forgives, in seconds.
const SKEW: i64 = 300;

/// An app that has proved itself, or needed no proof.
#[derive(Clone, Copy)]
pub(super) struct Client<'a> {
    pub(super) app: &'a App,
    /// `azpacr`/`appidacr`: 0 for a public client, 1 for a secret, 2 for an assertion.
    pub(super) class: &'static str,
}

/// What a request is judged by.
pub(super) struct Door<'a, 'd> {
    pub(super) azure: &'a Azure,
    pub(super) directory: &'d Directory,
    pub(super) named: &'a Named<'d>,
    pub(super) call: &'a Call,
    pub(super) form: &'a [(String, String)],
    pub(super) now: DateTime<Utc>,
    /// Codes and refresh tokens may be redeemed by apps without a credential.
    pub(super) public_clients: bool,
    /// How a request without any credential is refused.
    pub(super) without_credential: (u32, &'static str),
}

/// The usual refusal of a request without a credential.
pub(super) const NO_CREDENTIAL: (u32, &str) = (
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
);

impl<'d> Door<'_, 'd> {
    /// Finds the client among the apps of the tenant and checks its credential.
    pub(super) fn authenticate(&self) -> Result<Client<'d>, EntraError> {
        let field = |name: &str| find(self.form, |key| key == name).filter(|value| !value.is_empty());
        let basic = basic(self.call);
        let id = field("client_id").map(str::to_owned);
        let id = id.or_else(|| basic.as_ref().map(|(id, _)| id.clone()));
        let id = id.ok_or_else(|| EntraError::missing_parameter("client_id"))?;
        let app = self.find(&id)?;
        let secret = field("client_secret").map(str::to_owned);
        let secret = secret.or_else(|| basic.map(|(_, secret)| secret));
        let assertion = field("client_assertion");
        if app.is_public() && self.public_clients {
            return if secret.is_some() || assertion.is_some() {
                let message =
                    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.";
                Err(refused(700025, message))
            } else {
                Ok(Client { app, class: "0" })
            };
        }
        if let Some(assertion) = assertion {
            self.check_assertion(app, field("client_assertion_type"), assertion)?;
            return Ok(Client { app, class: "2" });
        }
        let secret = secret.ok_or_else(|| {
            let (code, message) = self.without_credential;
            refused(code, message)
        })?;
        check_secret(app, &secret, self.now)?;
        Ok(Client { app, class: "1" })
    }

    fn find(&self, id: &str) -> Result<&'d App, EntraError> {
        // `common` names no tenant, and the app must only exist.
        let (tenant, named) = match self.named {
            Named::Tenant(tenant) => (Some(tenant), tenant.id.as_str()),
            Named::AnyTenant(word) => (None, *word),
        };
        self.directory
            .apps
            .iter()
            .find(|app| app.client_id.eq_ignore_ascii_case(id))
            .filter(|app| tenant.is_none_or(|t| app.principal_in(&t.id).is_some()))
            .ok_or_else(|| not_in_tenant(id, named))
    }

    fn check_assertion(&self, app: &App, kind: Option<&str>, text: &str) -> Result<(), EntraError> {
        match kind {
            Some(ASSERTION_TYPE) => {}
            Some(other) => {
                let message = format!("The value '{other}' of 'client_assertion_type' is not supported.");
                return Err(EntraError::new("invalid_request", 90023, message));
            }
            None => return Err(EntraError::missing_parameter("client_assertion_type")),
        }
        let jwt = Jwt::parse(text)
            .ok_or_else(|| EntraError::new("invalid_request", 50027, "JWT token is invalid or malformed."))?;
        // An app names itself as the issuer of what it signed; anybody else speaks for it as a federated identity.
        let own = jwt
            .text("iss")
            .is_some_and(|issuer| issuer.eq_ignore_ascii_case(&app.client_id));
        if own || jwt.header.contains_key("x5t") || jwt.header.contains_key("x5t#S256") {
            certificate::check(self, app, &jwt)
        } else {
            federated::check(self, app, &jwt)
        }
    }
}

/// The app with this id, wherever it is: for pages, where consent can still bring it into the tenant.
pub(super) fn registered<'a>(
    directory: &'a Directory,
    id: &str,
    tenant: &str,
) -> Result<&'a App, EntraError> {
    directory
        .apps
        .iter()
        .find(|app| app.client_id.eq_ignore_ascii_case(id))
        .ok_or_else(|| not_in_tenant(id, tenant))
}

/// Who a request says it is, in its form or as HTTP Basic, and what it shows for that. Not proved by anything.
pub(super) fn claimed(call: &Call, form: &[(String, String)]) -> (String, String) {
    let field = |name: &str| find(form, |key| key == name).filter(|value| !value.is_empty());
    let (id, secret) = basic(call).unzip();
    let own =
        |name: &str, other: Option<String>| field(name).map(str::to_owned).or(other).unwrap_or_default();
    (own("client_id", id), own("client_secret", secret))
}

/// RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
fn basic(call: &Call) -> Option<(String, String)> {
    let value = call.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((percent_decode(id), percent_decode(secret)))
}

fn check_secret(app: &App, sent: &str, now: DateTime<Utc>) -> Result<(), EntraError> {
    // Every secret is compared, so that the time tells nothing about which one nearly fitted.
    let found = app.secrets.iter().fold(None, |found, secret| {
        let fits = bool::from(secret.value.as_bytes().ct_eq(sent.as_bytes()));
        if fits { Some(secret) } else { found }
    });
    let id = &app.client_id;
    match found {
        None => Err(refused(
            7000215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{id}'."
            ),
        )),
        Some(secret) if secret.expires.is_some_and(|at| at <= now) => Err(refused(
            7000222,
            format!("The provided client secret keys for app '{id}' are expired."),
        )),
        Some(_) => Ok(()),
    }
}

/// The time rule that both kinds of assertions share. `nbf` may be missing.
fn check_time(jwt: &Jwt, now: DateTime<Utc>) -> Result<(), EntraError> {
    let (from, until) = (jwt.any_seconds("nbf"), jwt.any_seconds("exp"));
    let seconds = now.timestamp();
    let too_early = from.is_some_and(|from| from > seconds + SKEW);
    let too_late = until.is_none_or(|until| until < seconds - SKEW);
    if !too_early && !too_late {
        return Ok(());
    }
    let shown = |time: Option<i64>| {
        let time = time.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        time.map_or_else(|| "none".to_owned(), super::error::iso)
    };
    let message = format!(
        "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time \
         of assertion {}.",
        super::error::iso(now),
        shown(from),
        shown(until),
    );
    Err(refused(700024, message))
}

fn refused(code: u32, message: impl Into<String>) -> EntraError {
    EntraError::new("invalid_client", code, message)
}

fn not_in_tenant(id: &str, tenant: &str) -> EntraError {
    let message = format!(
        "Application with identifier '{id}' was not found in the directory '{tenant}'. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the \
         tenant. You may have sent your authentication request to the wrong tenant."
    );
    EntraError::new("unauthorized_client", 700016, message)
}
