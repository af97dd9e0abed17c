//! The on-behalf-of grant: a user's token for this app becomes the same user's token for another API,
//! in the tenant of the endpoint's URL.

use serde_json::Value;

use super::user::{self, UserGrant};
use super::{Directory, EntraError, Named, Request, assertion};
use crate::entra::client::NO_CREDENTIAL;
use crate::sign_ins::SignIns;

/// Judges the request, in the order that gives the most telling refusal first.
pub(super) fn grant(
    request: &Request<'_>,
    directory: &Directory,
    sign_ins: &mut SignIns,
    named: &Named<'_>,
) -> Result<Value, EntraError> {
    let now = request.azure.clock.now();
    let client = request.client(directory, named, false, NO_CREDENTIAL)?;
    if request.required("requested_token_use")? != "on_behalf_of" {
        let message = "The request is not properly formatted. The parameter 'requested_token_use' has an invalid value.";
        return Err(EntraError::new("invalid_request", 900144, message));
    }
    let token = request.required("assertion")?;
    let (asked, scope) = request.asked()?;
    let verified = assertion::verify(request.azure, directory, client.app, token, now)?;
    let user = verified.user;
    let grant = UserGrant {
        client,
        user,
        // The known trap of /common: a guest gets the home tenant's token.
        tenant: user::tenant(directory, named, &user.home_tenant)?,
        sign_in: verified.sign_in(sign_ins),
        asked,
        scope,
        claims: request.claims()?,
        nonce: None,
    };
    grant.tokens(request, directory, sign_ins)
}
