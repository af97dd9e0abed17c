//! The login host's routes.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::admin_consent::{self, Version};
use super::error::EntraError;
use super::token::{self, Endpoint};
use super::{discovery, logout, sign_in};
use crate::azure::Azure;
use crate::exchange::{Answer, Call};

/// Answers one call to the login host.
pub(crate) fn answer(azure: &Azure, call: &Call) -> Answer {
    let mut answer = route(azure, call).unwrap_or_else(|error| error.answer(azure, call));
    if !answer.headers.contains_key("x-ms-request-id") {
        answer = answer.with("x-ms-request-id", &Uuid::new_v4().to_string());
    }
    if let Some(id) = call.header("client-request-id") {
        answer = answer.with("client-request-id", id);
    }
    answer
        .with("cache-control", "no-store, no-cache")
        .with("pragma", "no-cache")
        .with("expires", "-1")
        .with("strict-transport-security", "max-age=31536000; includeSubDomains")
        .with("x-content-type-options", "nosniff")
        .with("x-ms-ests-server", "2.1.0 - EMULATOR ProdSlices")
}

fn route(azure: &Azure, call: &Call) -> Result<Answer, EntraError> {
    let path = call.path();
    let ok = |body: &Value| Ok(Answer::json(StatusCode::OK, body));
    match (&call.method, path.as_slice()) {
        (&Method::GET, [_, "discovery", "instance"]) => ok(&discovery::instance(
            azure,
            call.query("authorization_endpoint").unwrap_or_default(),
        )?),
        (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            ok(&metadata(azure, tenant, discovery::v2)?)
        }
        (&Method::GET, [tenant, ".well-known", "openid-configuration"]) => {
            ok(&metadata(azure, tenant, discovery::v1)?)
        }
        (&Method::GET, [tenant, "discovery", "v2.0", "keys"]) => ok(&metadata(azure, tenant, |azure, _| {
            azure.keys.jwks_v2(azure.entra_url.as_str())
        })?),
        (&Method::GET, [tenant, "discovery", "keys"]) => {
            ok(&metadata(azure, tenant, |azure, _| azure.keys.jwks_v1())?)
        }
        (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => {
            token::answer(azure, tenant, Endpoint::V2, call)
        }
        (&Method::POST, [tenant, "oauth2", "token"]) => token::answer(azure, tenant, Endpoint::V1, call),
        (&Method::GET | &Method::POST, [tenant, "oauth2", "v2.0", "authorize"]) => {
            Ok(sign_in::answer(azure, tenant, call))
        }
        (&Method::GET | &Method::POST, [_, "oauth2", "v2.0", "logout"]) => Ok(logout::logout(azure, call)),
        (&Method::GET | &Method::POST, [tenant, "v2.0", "adminconsent"]) => {
            Ok(admin_consent::answer(azure, tenant, Version::V2, call))
        }
        (&Method::GET | &Method::POST, [tenant, "adminconsent"]) => {
            Ok(admin_consent::answer(azure, tenant, Version::V1, call))
        }
        (&Method::GET, [_, "userrealm", _]) => Ok(logout::user_realm()),
        (&Method::GET, ["error"]) => Ok(logout::error(call)),
        (_, [_, "oauth2", "token"] | [_, "oauth2", "v2.0", "token"]) => {
            let message = "Endpoint only accepts POST requests.";
            Err(EntraError::new("invalid_request", 900561, message))
        }
        _ => Ok(Answer::json(
            StatusCode::NOT_FOUND,
            &json!({ "error": "not_found", "path": call.path_and_query }),
        )),
    }
}

/// A document about a tenant. Here an unknown tenant is `invalid_tenant`, at the token endpoint `invalid_request`
/// (observed error bodies).
fn metadata(
    azure: &Azure,
    segment: &str,
    document: impl Fn(&Azure, &discovery::Named<'_>) -> Value,
) -> Result<Value, EntraError> {
    let world = azure.world();
    let named = discovery::tenant(&world.directory, segment);
    let named = named.map_err(|error| EntraError {
        error: "invalid_tenant",
        ..error
    })?;
    Ok(document(azure, &named))
}
