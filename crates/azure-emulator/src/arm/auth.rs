//! Tokens at ARM: signature, audience, time, and the tenant that owns the subscription.

use chrono::{DateTime, Utc};
use http::StatusCode;

use super::error::ArmError;
use crate::azure::Azure;
use crate::directory::{ARM_APP_ID, Directory, v1_issuer};
use crate::entra::Jwt;
use crate::exchange::Call;

/// Who calls, as one token tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) tenant_id: String,
    pub(crate) oid: String,
    /// The app that holds the token.
    pub(crate) app: String,
    /// How messages call the principal: UPN, or the app's id.
    pub(crate) name: String,
}

/// Why a token is refused. The primary's refusal and an auxiliary's read differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Invalid,
    Audience(String),
    Expired { at: DateTime<Utc>, now: DateTime<Utc> },
}

/// Verifies one token for ARM, of whichever tenant.
pub(super) fn verify(azure: &Azure, directory: &Directory, token: &str) -> Result<Caller, Fault> {
    let jwt = Jwt::parse(token)
        .filter(|jwt| jwt.is_signed_by(&azure.keys))
        .ok_or(Fault::Invalid)?;
    let audience = jwt.text("aud").unwrap_or_default();
    // ARM's own list is short; its app is found by the audience in every spelling that Entra gives out.
    let is_arm = directory
        .resource(audience)
        .is_some_and(|app| app.client_id == ARM_APP_ID && audience != ARM_APP_ID);
    if !is_arm {
        return Err(Fault::Audience(audience.to_owned()));
    }
    let now = azure.clock.now();
    let expires = jwt
        .seconds("exp")
        .and_then(|at| DateTime::from_timestamp(at, 0))
        .ok_or(Fault::Invalid)?;
    if expires <= now {
        return Err(Fault::Expired { at: expires, now });
    }
    if jwt.seconds("nbf").is_some_and(|nbf| nbf > now.timestamp() + 300) {
        return Err(Fault::Invalid);
    }
    let text = |claim: &str| jwt.text(claim).unwrap_or_default().to_owned();
    let tenant = directory
        .tenant(&text("tid"))
        .filter(|t| jwt.text("iss") == Some(t.v1_issuer().as_str()));
    let tenant = tenant.ok_or(Fault::Invalid)?;
    let app = text("appid");
    let name = jwt
        .text("upn")
        .or(jwt.text("unique_name"))
        .unwrap_or(&app)
        .to_owned();
    Ok(Caller {
        tenant_id: tenant.id.clone(),
        oid: text("oid"),
        app,
        name,
    })
}

/// Verifies the call's `Authorization` for a subscription of the tenant; without a tenant any will do.
pub(super) fn primary(
    azure: &Azure,
    directory: &Directory,
    call: &Call,
    tenant_id: Option<&str>,
) -> Result<Caller, ArmError> {
    let Some(header) = call.header("authorization") else {
        let message = "Authentication failed. The 'Authorization' header is missing.";
        let why = "The authentication failed because of missing 'Authorization' header.";
        return Err(unauthorized("AuthenticationFailed", message, tenant_id, why));
    };
    let invalid = |code, message: &str| {
        unauthorized(
            code,
            message,
            tenant_id,
            "The access token is missing or invalid.",
        )
    };
    let Some(token) = bearer(header) else {
        let message = "The authentication scheme is not supported: a Bearer token is expected.";
        return Err(invalid("AuthenticationFailedInvalidHeader", message));
    };
    let caller = verify(azure, directory, token).map_err(|fault| match fault {
        Fault::Invalid => invalid("InvalidAuthenticationToken", "The access token is invalid."),
        Fault::Audience(audience) => invalid(
            "InvalidAuthenticationTokenAudience",
            &format!(
                "The access token has been obtained from wrong audience or resource '{audience}'. It should exactly \
                 match (including forward slash) with one of the allowed audiences \
                 'https://management.core.windows.net/','https://management.core.windows.net',\
                 'https://management.azure.com/','https://management.azure.com'."
            ),
        ),
        Fault::Expired { at, now } => invalid(
            "ExpiredAuthenticationToken",
            &format!(
                "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
                dotnet(at),
                dotnet(now)
            ),
        ),
    })?;
    match tenant_id {
        Some(wanted) if wanted != caller.tenant_id => Err(wrong_tenant(&caller.tenant_id, wanted)),
        _ => Ok(caller),
    }
}

/// The token of a `Bearer` header value; the scheme's case is ignored (RFC 9110 section 11.1).
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn wrong_tenant(sent: &str, wanted: &str) -> ArmError {
    let message = format!(
        "The access token is from the wrong issuer '{}'. It must match the tenant '{}' associated with this \
         subscription. Please use the authority (URL) 'https://login.windows.net/{wanted}' to get the token. Note, if \
         the subscription is transferred to another tenant there is no impact to the services, but information about \
         new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see \
         this error message, please try back later.",
        v1_issuer(sent),
        v1_issuer(wanted),
    );
    let why = "The access token is from the wrong issuer. It must match the tenant associated with this subscription. \
               Please use correct authority to get the token.";
    unauthorized("InvalidAuthenticationTokenTenant", &message, Some(wanted), why)
}

/// 401 with the challenge by which clients learn a subscription's tenant. Its host is login.windows.net in the public
/// cloud, whatever host gives out tokens.
pub(super) fn unauthorized(
    code: &'static str,
    message: &str,
    tenant_id: Option<&str>,
    why: &str,
) -> ArmError {
    let tenant = tenant_id.unwrap_or("common");
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.windows.net/{tenant}\", error=\"invalid_token\", \
         error_description=\"{why}\""
    );
    ArmError {
        challenge: Some(challenge),
        ..ArmError::gateway(StatusCode::UNAUTHORIZED, code, message)
    }
}

/// .NET's invariant short format, such as `5/13/2024 6:05:58 PM`.
fn dotnet(at: DateTime<Utc>) -> String {
    at.format("%-m/%-d/%Y %-I:%M:%S %p").to_string()
}
