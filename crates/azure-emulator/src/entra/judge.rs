//! The one place where a user's sign-in or exchange is judged, before consent is looked at: what must hold of the
//! person and of how they signed in. Conditional Access is `policies`.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::error::{EntraError, iso};
use super::policies;
use crate::directory::{App, Directory, Membership, Tenant, User};
use crate::sign_ins::SignIn;

/// Everything a rule may look at.
pub(super) struct Attempt<'a> {
    pub(super) directory: &'a Directory,
    pub(super) user: &'a User,
    pub(super) member: &'a Membership,
    pub(super) tenant: &'a Tenant,
    pub(super) client: &'a App,
    pub(super) resource: &'a App,
    pub(super) sign_in: &'a SignIn,
    /// The `claims` that were asked for, in the code's request or in this one.
    pub(super) claims: Option<&'a Value>,
    pub(super) now: DateTime<Utc>,
}

/// What the token may say of the sign-in.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Authentication contexts that were asked for and are satisfied.
    pub(super) contexts: Vec<String>,
}

/// Judges an attempt: a person on the sign-in page, a code, a refresh token, an exchange.
pub(super) fn judge(attempt: &Attempt<'_>) -> Result<Verdict, EntraError> {
    if !attempt.member.enabled {
        return Err(EntraError::new(
            "invalid_grant",
            50057,
            "The user account is disabled.",
        ));
    }
    still_counts(attempt)?;
    policies::check(attempt)?;
    contexts(attempt)
}

/// A sign-in must be younger than the last revocation and the last change of password.
fn still_counts(attempt: &Attempt<'_>) -> Result<(), EntraError> {
    let (user, at) = (attempt.user, attempt.sign_in.at);
    if let Some(from) = user.revoked_since(at) {
        let message = format!(
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have \
             changed or reset their password. The grant was issued on '{}' and the TokensValidFrom date (before which \
             tokens are not valid) for this user is '{}'.",
            iso(at),
            iso(from),
        );
        return Err(EntraError::new("invalid_grant", 50173, message));
    }
    if user.password_changed_since(at).is_some() {
        let message = "The session is not valid due to password expiration or recent password change.";
        return Err(EntraError::new("invalid_grant", 50133, message));
    }
    Ok(())
}

/// Authentication contexts: a second factor satisfies each of them. A guess, since no policy here says what each one
/// needs.
fn contexts(attempt: &Attempt<'_>) -> Result<Verdict, EntraError> {
    let asked = attempt
        .claims
        .and_then(|claims| claims.pointer("/access_token/acrs"));
    let Some(asked) = asked else {
        return Ok(Verdict::default());
    };
    if attempt.sign_in.has_mfa() {
        let values = asked
            .get("values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let one = asked.get("value").into_iter();
        let contexts = values.chain(one).filter_map(Value::as_str).map(str::to_owned);
        return Ok(Verdict {
            contexts: contexts.collect(),
        });
    }
    if asked.get("essential").and_then(Value::as_bool) != Some(true) {
        return Ok(Verdict::default());
    }
    let message = format!(
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must \
         use multi-factor authentication to access '{}'.",
        attempt.resource.client_id,
    );
    let mut refusal = EntraError::new("interaction_required", 50076, message).suberror("basic_action");
    refusal.claims = Some(json!({ "access_token": { "acrs": asked } }).to_string());
    Err(refusal)
}
