//! The calling app proves itself: a secret in the form or as HTTP Basic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq as _;

use super::error::EntraError;
use crate::directory::{App, Directory};
use crate::exchange::{Call, find, percent_decode};

/// What the request says about its client.
struct Presented {
    id: Option<String>,
    secret: Option<String>,
    has_assertion: bool,
}

fn presented(call: &Call, form: &[(String, String)]) -> Presented {
    let field = |name: &str| find(form, |key| key == name).map(str::to_owned);
    let basic = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "));
    let basic = basic.and_then(|value| STANDARD.decode(value.trim()).ok());
    let basic = basic.and_then(|bytes| String::from_utf8(bytes).ok());
    // RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
    let basic = basic.as_deref().and_then(|text| text.split_once(':'));
    Presented {
        id: field("client_id").or_else(|| basic.map(|(id, _)| percent_decode(id))),
        secret: field("client_secret").or_else(|| basic.map(|(_, secret)| percent_decode(secret))),
        has_assertion: field("client_assertion").is_some(),
    }
}

/// Finds the client among the apps of the tenant and checks its credential.
pub(crate) fn authenticate<'a>(
    directory: &'a Directory,
    tenant: &str,
    call: &Call,
    form: &[(String, String)],
    now: DateTime<Utc>,
) -> Result<&'a App, EntraError> {
    let presented = presented(call, form);
    let id = presented
        .id
        .ok_or_else(|| EntraError::missing_parameter("client_id"))?;
    let app = directory
        .apps
        .iter()
        .find(|app| app.client_id.eq_ignore_ascii_case(&id));
    // Tenants are checked by the caller; `common` names none, and the app must only exist.
    let in_tenant = |app: &&App| {
        directory
            .tenant(tenant)
            .is_none_or(|t| app.principal_in(&t.id).is_some())
    };
    let app = app.filter(in_tenant).ok_or_else(|| not_in_tenant(&id, tenant))?;
    match presented.secret {
        Some(secret) => check_secret(app, &secret, now)?,
        None if presented.has_assertion => {
            return Err(EntraError::new(
                "invalid_client",
                700027,
                format!(
                    "The certificate with identifier used to sign the client assertion is not registered on application. App ID: '{}'.",
                    app.client_id
                ),
            ));
        }
        None => {
            return Err(EntraError::new(
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            ));
        }
    }
    Ok(app)
}

fn check_secret(app: &App, sent: &str, now: DateTime<Utc>) -> Result<(), EntraError> {
    // Every secret is compared, so that the time tells nothing about which one nearly fitted.
    let found = app.secrets.iter().fold(None, |found, secret| {
        let fits = bool::from(secret.value.as_bytes().ct_eq(sent.as_bytes()));
        if fits { Some(secret) } else { found }
    });
    match found {
        None => Err(EntraError::new(
            "invalid_client",
            7000215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
                app.client_id
            ),
        )),
        Some(secret) if secret.expires.is_some_and(|at| at <= now) => Err(EntraError::new(
            "invalid_client",
            7000222,
            format!(
                "The provided client secret keys for app '{}' are expired.",
                app.client_id
            ),
        )),
        Some(_) => Ok(()),
    }
}

fn not_in_tenant(id: &str, tenant: &str) -> EntraError {
    let message = format!(
        "Application with identifier '{id}' was not found in the directory '{tenant}'. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the \
         tenant. You may have sent your authentication request to the wrong tenant."
    );
    EntraError::new("unauthorized_client", 700016, message)
}
