//! The refresh grant. A refresh token is bound to its user and its client, not to a tenant or a resource; using it gives
//! a new one, and the old one stays good (Microsoft Learn: "Refresh tokens in the Microsoft identity platform").

use serde_json::Value;

use super::user::{self, UserGrant};
use super::{BAD_TOKEN, Directory, EntraError, Named, Request};
use crate::entra::client::NO_CREDENTIAL;
use crate::sign_ins::SignIns;

/// Judges the request.
pub(super) fn grant(
    request: &Request<'_>,
    directory: &Directory,
    sign_ins: &mut SignIns,
    named: &Named<'_>,
) -> Result<Value, EntraError> {
    let now = request.azure.clock.now();
    let client = request.client(directory, named, true, NO_CREDENTIAL)?;
    let refused = |code: u32, message: String| EntraError::new("invalid_grant", code, message);
    let token = sign_ins.refresh_token(request.required("refresh_token")?);
    let Some(token) = token.cloned() else {
        let message = "Provided grant is invalid or malformed.".to_owned();
        return Err(refused(70000, message).suberror(BAD_TOKEN));
    };
    // The number is a guess; the suberror is MSAL's own.
    if token.client_id != client.app.client_id {
        let message = format!(
            "Provided grant is invalid or malformed: the refresh token was not issued to the application '{}'.",
            client.app.client_id
        );
        // MSAL clears such a token from its cache by this word.
        return Err(refused(70000, message).suberror("client_mismatch"));
    }
    if token.is_expired(now) {
        let message = format!(
            "The refresh token has expired due to inactivity. The token was issued on {} and was inactive for \
             90.00:00:00.",
            crate::entra::error::iso(token.issued)
        );
        return Err(refused(700082, message).suberror(BAD_TOKEN));
    }
    let user = directory.user(&token.sign_in.user).ok_or_else(|| {
        refused(
            50034,
            "The user account of the token no longer exists in its directory.".to_owned(),
        )
    })?;
    let scope = request.field("scope").unwrap_or(&token.scope).to_owned();
    let mut asked = request.asked_by_user(&scope)?;
    // The new token replaces the old one whether it is asked for or not.
    asked.offline_access = true;
    let grant = UserGrant {
        client,
        user,
        tenant: user::tenant(directory, named, &token.tenant_id)?,
        sign_in: token.sign_in,
        asked,
        scope,
        claims: request.claims()?,
        nonce: None,
    };
    grant.tokens(request, directory, sign_ins)
}
