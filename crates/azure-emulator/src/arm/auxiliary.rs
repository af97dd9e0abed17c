//! `x-ms-authorization-auxiliary`: tokens of further tenants
//! (Microsoft Learn: "Authenticate requests across tenants").

use http::StatusCode;

use super::auth::{self, Caller, Fault};
use super::error::ArmError;
use crate::azure::Azure;
use crate::directory::Directory;
use crate::entra::Jwt;
use crate::exchange::Call;

const HEADER: &str = "x-ms-authorization-auxiliary";
const MOST: usize = 3;

/// Verifies every auxiliary token. One bad token refuses the whole request.
/// Old clients join with `;` and some send the header empty; both are forgiven.
pub(super) fn callers(azure: &Azure, directory: &Directory, call: &Call) -> Result<Vec<Caller>, ArmError> {
    let values: Vec<&str> = call
        .headers
        .get_all(HEADER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let tokens: Vec<&str> = values
        .iter()
        .flat_map(|value| value.split([',', ';']))
        .map(str::trim)
        .filter(|token| !token.is_empty())
        .collect();
    if tokens.len() > MOST {
        // The limit is documented, the answer beyond it is a guess.
        let message = format!(
            "The header '{HEADER}' holds {} tokens; at most {MOST} are allowed.",
            tokens.len()
        );
        return Err(ArmError::gateway(
            StatusCode::BAD_REQUEST,
            "InvalidAuxiliaryTokens",
            message,
        ));
    }
    tokens
        .into_iter()
        .map(|entry| caller(azure, directory, entry))
        .collect()
}

/// The documented text names client and tenant of the bad token; code and wording are a guess.
fn caller(azure: &Azure, directory: &Directory, entry: &str) -> Result<Caller, ArmError> {
    let token = auth::bearer(entry).ok_or(Fault::Invalid);
    token
        .and_then(|token| auth::verify(azure, directory, token))
        .map_err(|fault| {
            let jwt = auth::bearer(entry).and_then(Jwt::parse);
            let text = |claim: &str| {
                jwt.as_ref()
                    .and_then(|jwt| jwt.text(claim))
                    .unwrap_or("unknown")
                    .to_owned()
            };
            let why = match fault {
                Fault::Invalid => "it is invalid".to_owned(),
                Fault::Audience(audience) => format!("its audience '{audience}' is wrong"),
                Fault::Expired { at, .. } => format!("it expired at '{}'", at.to_rfc3339()),
            };
            let message = format!(
                "The auxiliary token of client '{}' and tenant '{}' is not accepted: {why}.",
                text("appid"),
                text("tid")
            );
            auth::unauthorized(
                "InvalidAuthenticationToken",
                &message,
                None,
                "An auxiliary access token is invalid.",
            )
        })
}
