//! `x-ms-authorization-auxiliary`: tokens of further tenants
//! (Microsoft Learn: "Authenticate requests across tenants").

use http::StatusCode;

use super::error::ArmError;
use super::token::{self, Caller, Fault};
use super::{auth, challenge};
use crate::azure::Azure;
use crate::entra::Jwt;
use crate::exchange::Call;
use crate::world::World;

const HEADER: &str = "x-ms-authorization-auxiliary";
const MOST: usize = 3;

/// Verifies every auxiliary token. One bad token refuses the whole request.
/// Old clients join with `;` and some send the header empty; both are forgiven. `EncryptedBearer`, which ARM documents
/// too, is none of this emulator's: such a token is a bad one.
pub(super) fn callers(azure: &Azure, world: &World, call: &Call) -> Result<Vec<Caller>, ArmError> {
    let tokens: Vec<&str> = token::header_values(call, HEADER)
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
        .map(|entry| caller(azure, world, entry))
        .collect()
}

/// The documented text names client and tenant of the bad token; code and wording are a guess, and so is that a
/// challenge is the same as for the primary token.
fn caller(azure: &Azure, world: &World, entry: &str) -> Result<Caller, ArmError> {
    let token = token::bearer(entry).ok_or(Fault::Invalid);
    let fault = match token.and_then(|token| token::verify(azure, world, token)) {
        Ok(caller) => return Ok(caller),
        Err(fault) => fault,
    };
    let why = match fault {
        Fault::Invalid => "it is invalid".to_owned(),
        Fault::Audience(audience) => format!("its audience '{audience}' is wrong"),
        Fault::Expired { at, .. } => format!("it expired at '{}'", auth::dotnet(at)),
        Fault::NoPrincipal => "it names no principal".to_owned(),
        Fault::Revoked {
            at,
            tenant_id,
            takes_challenges,
        } => {
            let form = world.arm.challenge_form;
            return Err(challenge::revoked(form, at, &tenant_id, takes_challenges));
        }
    };
    let jwt = token::bearer(entry).and_then(Jwt::parse);
    let text = |claim: &str| jwt.as_ref().and_then(|jwt| jwt.text(claim));
    let (client, tenant) = (text("appid").or(text("azp")), text("tid"));
    let message = format!(
        "The auxiliary token of client '{}' and tenant '{}' is not accepted: {why}.",
        client.unwrap_or("unknown"),
        tenant.unwrap_or("unknown"),
    );
    Err(auth::unauthorized(
        "InvalidAuthenticationToken",
        &message,
        None,
        "An auxiliary access token is invalid.",
    ))
}
