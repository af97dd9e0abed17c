//! The call's `Authorization`: the token of the tenant that owns the subscription, and what ARM says to any other.

use chrono::{DateTime, Utc};
use http::StatusCode;

use super::challenge;
use super::error::ArmError;
use super::token::{self, AUDIENCES, Fault};
use crate::azure::Azure;
use crate::directory::v1_issuer;
use crate::exchange::Call;
use crate::world::World;

pub(crate) use super::token::Caller;

/// Verifies the call's `Authorization` for a subscription of the tenant; without a tenant any will do.
pub(super) fn primary(
    azure: &Azure,
    world: &World,
    call: &Call,
    tenant_id: Option<&str>,
) -> Result<Caller, ArmError> {
    let Some(header) = call.header("authorization") else {
        let message = "Authentication failed. The 'Authorization' header is missing.";
        let why = "The authentication failed because of missing 'Authorization' header.";
        return Err(unauthorized("AuthenticationFailed", message, tenant_id, why));
    };
    let Some(token) = token::bearer(header) else {
        let message = "Authentication failed. The 'Authorization' header is provided in an invalid format.";
        return Err(invalid("AuthenticationFailedInvalidHeader", message, tenant_id));
    };
    if token.is_empty() {
        let message = "Authentication failed. The 'Authorization' header is missing the access token.";
        return Err(invalid("AuthenticationFailedMissingToken", message, tenant_id));
    }
    let caller = token::verify(azure, world, token).map_err(|fault| refused(world, fault, tenant_id))?;
    match tenant_id {
        Some(wanted) if wanted != caller.tenant_id => Err(wrong_tenant(&caller.tenant_id, wanted)),
        _ => Ok(caller),
    }
}

fn refused(world: &World, fault: Fault, tenant_id: Option<&str>) -> ArmError {
    match fault {
        // Whatever is wrong with signature, issuer or `nbf` is said in the same words. Known for signatures only.
        Fault::Invalid => invalid(
            "InvalidAuthenticationToken",
            "The access token is invalid.",
            tenant_id,
        ),
        Fault::Audience(audience) => {
            let allowed = AUDIENCES.map(|audience| format!("'{audience}'")).join(",");
            let message = format!(
                "The access token has been obtained from wrong audience or resource '{audience}'. It should exactly \
                 match (including forward slash) with one of the allowed audiences {allowed}.",
            );
            invalid("InvalidAuthenticationTokenAudience", &message, tenant_id)
        }
        Fault::Expired { at, now } => {
            let message = format!(
                "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
                dotnet(at),
                dotnet(now)
            );
            invalid("ExpiredAuthenticationToken", &message, tenant_id)
        }
        Fault::NoPrincipal => invalid(
            "InvalidAuthenticationToken",
            "The received access token is not valid: at least one of the claims 'puid' or 'altsecid' or 'oid' should \
             be present. If you are accessing as application please make sure service principal is properly created \
             in the tenant.",
            tenant_id,
        ),
        Fault::Revoked {
            at,
            tenant_id,
            takes_challenges,
        } => challenge::revoked(world.arm.challenge_form, at, &tenant_id, takes_challenges),
    }
}

fn invalid(code: &'static str, message: &str, tenant_id: Option<&str>) -> ArmError {
    unauthorized(
        code,
        message,
        tenant_id,
        "The access token is missing or invalid.",
    )
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
pub(super) fn dotnet(at: DateTime<Utc>) -> String {
    at.format("%-m/%-d/%Y %-I:%M:%S %p").to_string()
}
