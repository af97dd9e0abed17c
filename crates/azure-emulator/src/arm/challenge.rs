//! Claims challenges: 401s that a client answers by getting a token with more in it
//! (Microsoft Learn: "Claims challenges, claims requests, and client capabilities").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde_json::json;

use super::auth;
use super::error::ArmError;
use super::rules::ChallengeForm;
use super::token::Caller;
use crate::world::World;

/// `xms_caeerror` of a revoked session.
const REVOKED: &str = "10012";

/// The user's sessions were revoked after the token was issued. Clients that take no challenges get a plain 401.
/// The tenant stands in the challenge only in this emulator's older form; codes and texts of the bodies are a guess.
pub(super) fn revoked(
    form: ChallengeForm,
    at: DateTime<Utc>,
    tenant_id: &str,
    takes_challenges: bool,
) -> ArmError {
    const CODE: &str = "InvalidAuthenticationToken";
    let text = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: \
                TokenIssuedBeforeRevocationTimestamp";
    let older = "User session has been revoked";
    if !takes_challenges {
        return auth::unauthorized(CODE, "The access token has been revoked.", Some(tenant_id), older);
    }
    // In whole seconds, so that every token from then on is younger.
    let not_before = (at.timestamp() + 1).to_string();
    let claims = json!({ "access_token": {
        "nbf": { "essential": true, "value": not_before },
        "xms_caeerror": { "value": REVOKED },
    }});
    let claims = STANDARD.encode(claims.to_string());
    let (message, challenge) = match form {
        ChallengeForm::Standard => (text, standard(&claims, Some(text))),
        ChallengeForm::Older => (
            older,
            format!(
                "Bearer authorization_uri=\"https://login.windows.net/{tenant_id}\", error=\"invalid_token\", \
                 error_description=\"{older}\", claims=\"{claims}\""
            ),
        ),
    };
    ArmError {
        challenge: Some(challenge),
        ..ArmError::gateway(StatusCode::UNAUTHORIZED, CODE, message)
    }
}

/// A tenant may ask for an authentication context before it lets users write; apps are not asked
/// (Microsoft Learn: "Planning for mandatory multifactor authentication"). Which methods count beside PUT and DELETE,
/// and that roles are asked about only afterwards, is a guess.
pub(super) fn of_writes(world: &World, caller: &Caller, method: &Method) -> Result<(), ArmError> {
    let writes = [Method::PUT, Method::PATCH, Method::DELETE];
    if !writes.contains(method) || !caller.is_user {
        return Ok(());
    }
    let needed = match world.arm.writes_need(&caller.tenant_id) {
        Some(context) if !caller.contexts.iter().any(|has| has == context) => context,
        _ => return Ok(()),
    };
    let claims = json!({ "access_token": { "acrs": { "essential": true, "values": [needed] } } });
    let claims = STANDARD.encode(claims.to_string());
    // Code and text as command lines show them; which of them stands in the body is not known.
    let message = "Resource was disallowed by policy. Reasons: MFA is required.";
    Err(ArmError {
        challenge: Some(standard(&claims, None)),
        ..ArmError::gateway(StatusCode::UNAUTHORIZED, "RequestDisallowedByPolicy", message)
    })
}

fn standard(claims: &str, description: Option<&str>) -> String {
    let description = description.map_or(String::new(), |text| format!("error_description=\"{text}\", "));
    format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
         error=\"insufficient_claims\", {description}claims=\"{claims}\""
    )
}
