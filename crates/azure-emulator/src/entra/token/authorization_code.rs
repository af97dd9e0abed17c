//! The authorization-code grant: a code from the sign-in page becomes tokens, once
//! (Microsoft Learn: "Microsoft identity platform and OAuth 2.0 authorization code flow").

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::user::{self, UserGrant};
use super::{BAD_TOKEN, Directory, EntraError, Named, Request};
use crate::entra::client::NO_CREDENTIAL;
use crate::sign_ins::{Challenge, Code, CodeState, SignIns};

/// Judges the request. What is wrong with the client or its proof leaves the code usable.
pub(super) fn grant(
    request: &Request<'_>,
    directory: &Directory,
    sign_ins: &mut SignIns,
    named: &Named<'_>,
) -> Result<Value, EntraError> {
    let now = request.azure.clock.now();
    let client = request.client(directory, named, true, NO_CREDENTIAL)?;
    let text = request.required("code")?;
    let code = sign_ins.code(text, now).map_err(unusable)?.clone();
    let refused = |code: u32, message: String| EntraError::new("invalid_grant", code, message);
    // The numbers of these refusals are known from the field, except the first one's; that they are all `invalid_grant`
    // is a guess.
    if code.client_id != client.app.client_id {
        let message = format!(
            "The provided authorization code was not issued to the application '{}'.",
            client.app.client_id
        );
        return Err(refused(70000, message).suberror(BAD_TOKEN));
    }
    if let Named::Tenant(tenant) = named
        && tenant.id != code.tenant_id
    {
        let message = format!(
            "Provided Authorization Code is intended to use against other tenant, thus rejected. OAuth2 Authorization \
             Code must be redeemed against same tenant it was acquired for ({}) or /common or /{{tenant-ID}} as \
             appropriate.",
            code.tenant_id
        );
        return Err(refused(700005, message));
    }
    check_redirect(request, &code)?;
    check_verifier(request.field("code_verifier"), code.challenge.as_ref())?;
    let scope = request.field("scope").unwrap_or(&code.scope).to_owned();
    let asked = request.asked_by_user(&scope)?;
    let user = directory.user(&code.sign_in.user).ok_or_else(|| {
        refused(
            50034,
            "The user account of the code no longer exists in its directory.".to_owned(),
        )
    })?;
    sign_ins.redeem(text);
    let grant = UserGrant {
        client,
        user,
        tenant: user::tenant(directory, named, &code.tenant_id)?,
        sign_in: code.sign_in,
        asked,
        scope,
        claims: user::merged(code.claims, request.claims()?),
        nonce: code.nonce,
    };
    grant.tokens(request, directory, sign_ins)
}

fn unusable(state: CodeState) -> EntraError {
    let (code, message) = match state {
        CodeState::Unknown => (
            70000,
            "The provided value for the 'code' parameter is not valid. Provided grant is invalid or malformed.",
        ),
        CodeState::Expired => (
            70008,
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
        ),
        CodeState::Redeemed => (
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        ),
    };
    let refusal = EntraError::new("invalid_grant", code, message);
    match state {
        CodeState::Unknown => refusal.suberror(BAD_TOKEN),
        CodeState::Expired | CodeState::Redeemed => refusal,
    }
}

/// The redirect URI must be the one of the code's request, letter by letter. Where that named none, this may name none.
fn check_redirect(request: &Request<'_>, code: &Code) -> Result<(), EntraError> {
    let sent = request.field("redirect_uri");
    if sent == code.redirect_uri.as_deref() {
        return Ok(());
    }
    let Some(sent) = sent else {
        return Err(EntraError::missing_parameter("redirect_uri"));
    };
    let message = format!(
        "The reply address '{sent}' does not match the reply address '{}' provided when requesting Authorization code.",
        code.redirect_uri.as_deref().unwrap_or_default()
    );
    Err(EntraError::new("invalid_grant", 500112, message))
}

/// PKCE (RFC 7636 section 4.6).
fn check_verifier(verifier: Option<&str>, challenge: Option<&Challenge>) -> Result<(), EntraError> {
    let (Some(verifier), Some(challenge)) = (verifier, challenge) else {
        return match (verifier, challenge) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(EntraError::new(
                "invalid_grant",
                50148,
                "The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.",
            )),
            (Some(_), _) => Err(mismatch()),
        };
    };
    let computed = if challenge.hashed {
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
    } else {
        verifier.to_owned()
    };
    if bool::from(computed.as_bytes().ct_eq(challenge.value.as_bytes())) {
        Ok(())
    } else {
        Err(mismatch())
    }
}

fn mismatch() -> EntraError {
    let message =
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
    EntraError::new("invalid_grant", 501481, message)
}
