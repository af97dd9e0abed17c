//! The one place where a user's sign-in or exchange is judged, before consent is looked at: what must hold of the
//! person and of how they signed in. Rules on devices, places and second factors (Conditional Access) belong here.

use serde_json::{Value, json};

use super::error::EntraError;
use crate::directory::{App, Membership, Tenant, User};
use crate::sign_ins::{SignIn, SignIns};

/// What is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A person sits in front of the sign-in page and can be asked for more.
    SignIn,
    /// A code is redeemed.
    Code,
    /// A refresh token is redeemed.
    Refresh,
    /// A middle tier exchanges a user's token.
    OnBehalfOf,
}

/// Everything a rule may look at.
pub(super) struct Attempt<'a> {
    pub(super) step: Step,
    pub(super) user: &'a User,
    pub(super) member: &'a Membership,
    pub(super) tenant: &'a Tenant,
    pub(super) client: &'a App,
    pub(super) resource: &'a App,
    pub(super) sign_in: &'a SignIn,
    /// The `claims` that were asked for, in the code's request or in this one.
    pub(super) claims: Option<&'a Value>,
    /// Sessions, and from when on a user's sign-ins count.
    pub(super) sign_ins: &'a SignIns,
}

/// What the token may say of the sign-in.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Authentication contexts that were asked for and are satisfied.
    pub(super) contexts: Vec<String>,
}

/// Judges an attempt.
pub(super) fn judge(attempt: &Attempt<'_>) -> Result<Verdict, EntraError> {
    if !attempt.member.enabled {
        return Err(EntraError::new(
            "invalid_grant",
            50057,
            "The user account is disabled.",
        ));
    }
    not_revoked(attempt)?;
    contexts(attempt)
}

/// A sign-in must be younger than the last revocation. Tokens that were exchanged say only to the second when their
/// user signed in, and are left alone.
fn not_revoked(attempt: &Attempt<'_>) -> Result<(), EntraError> {
    let from = attempt.sign_ins.valid_from(attempt.user.home_oid());
    let Some(from) = from.filter(|from| attempt.sign_in.at <= *from) else {
        return Ok(());
    };
    if attempt.step == Step::OnBehalfOf {
        return Ok(());
    }
    let message = format!(
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have \
         changed or reset their password. The grant was issued on '{}' and the TokensValidFrom date (before which \
         tokens are not valid) for this user is '{}'.",
        super::error::iso(attempt.sign_in.at),
        super::error::iso(from),
    );
    Err(EntraError::new("invalid_grant", 50173, message))
}

/// Authentication contexts: a second factor satisfies each of them. A guess until policies say what each one needs;
/// only the sign-in page insists on it, since only there something can be done at once.
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
    let essential = asked.get("essential").and_then(Value::as_bool) == Some(true);
    if !essential || attempt.step != Step::SignIn {
        return Ok(Verdict::default());
    }
    let message = format!(
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must \
         use multi-factor authentication to access '{}' in '{}' with '{}'.",
        attempt.resource.client_id, attempt.tenant.name, attempt.client.client_id,
    );
    let mut refusal = EntraError::new("interaction_required", 50076, message).suberror("basic_action");
    refusal.claims = Some(json!({ "access_token": { "acrs": asked } }).to_string());
    Err(refusal)
}
