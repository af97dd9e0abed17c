//! Conditional Access: which policies an attempt falls under, and how one that does not meet them is refused
//! (Microsoft Learn: "Developer guidance for Microsoft Entra Conditional Access").

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::error::{EntraError, iso};
use super::judge::Attempt;
use crate::directory::{Policy, Requirement};
use crate::sign_ins::SignIn;

/// What is asked for and missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Missing {
    /// Nothing helps.
    Blocked,
    /// The sign-in is too old.
    Fresh,
    Device,
    /// A second factor can't be asked for, because none is registered.
    Enrolment,
    Mfa,
    External,
}

/// Checks an attempt against the tenant's policies. Where several are not met, the one that helps least is told first
/// (Entra's order is not known), with every policy that asks for the same.
pub(super) fn check(attempt: &Attempt<'_>) -> Result<(), EntraError> {
    let named = named_policies(attempt.claims);
    let mut unmet: Vec<(Missing, Option<&Policy>)> = Vec::new();
    if attempt.tenant.requires_mfa {
        unmet.extend(missing(attempt, Some(Requirement::Mfa)).map(|missing| (missing, None)));
    }
    for policy in attempt.directory.policies_of(&attempt.tenant.id) {
        if !falls_under(attempt, policy, &named) {
            continue;
        }
        unmet.extend(missing(attempt, policy.requires).map(|missing| (missing, Some(policy))));
        if is_too_old(attempt.sign_in, policy, attempt.now) {
            unmet.push((Missing::Fresh, Some(policy)));
        }
    }
    let Some(worst) = unmet.iter().map(|(missing, _)| *missing).min() else {
        return Ok(());
    };
    let policies: Vec<&Policy> = unmet
        .iter()
        .filter(|(missing, _)| *missing == worst)
        .filter_map(|(_, policy)| *policy)
        .collect();
    Err(refusal(attempt, worst, &policies))
}

/// A claims challenge names the policies that a new sign-in has to satisfy, whatever it is for.
fn falls_under(attempt: &Attempt<'_>, policy: &Policy, named: &[&str]) -> bool {
    let is_named = named.iter().any(|id| policy.id.eq_ignore_ascii_case(id));
    policy.means(attempt.directory, attempt.user, attempt.member)
        && (is_named || policy.covers(attempt.client, attempt.resource))
}

/// Policies that the request's `claims` name, as refusals do.
fn named_policies(claims: Option<&Value>) -> Vec<&str> {
    let named =
        |member: &str| claims.and_then(|claims| claims.pointer(&format!("/access_token/{member}/values")));
    let lists = ["capolids", "polids"].into_iter().filter_map(named);
    let ids = lists.filter_map(Value::as_array).flatten();
    ids.filter_map(Value::as_str).collect()
}

fn missing(attempt: &Attempt<'_>, requires: Option<Requirement>) -> Option<Missing> {
    let sign_in = attempt.sign_in;
    match requires? {
        Requirement::Mfa if sign_in.has_mfa() => None,
        Requirement::Mfa if attempt.user.mfa_enrolled => Some(Missing::Mfa),
        Requirement::Mfa => Some(Missing::Enrolment),
        Requirement::CompliantDevice => sign_in.device.is_none().then_some(Missing::Device),
        Requirement::External => (!sign_in.has("external")).then_some(Missing::External),
        Requirement::Block => Some(Missing::Blocked),
    }
}

fn is_too_old(sign_in: &SignIn, policy: &Policy, now: DateTime<Utc>) -> bool {
    longest(policy)
        .and_then(|longest| sign_in.at.checked_add_signed(longest))
        .is_some_and(|end| end < now)
}

fn longest(policy: &Policy) -> Option<TimeDelta> {
    TimeDelta::from_std(policy.sign_in_frequency?).ok()
}

/// How each refusal reads on the sign-in page; the token endpoints say some of them in other words
/// (`EntraError::at_token_endpoint`). `error` and `suberror` of 50076, 50079, 53003 and 70043 are known from answers of
/// the service; suberrors of 50158 and 53000 are guesses.
fn refusal(attempt: &Attempt<'_>, missing: Missing, policies: &[&Policy]) -> EntraError {
    const CHANGED: &str = "Due to a configuration change made by your administrator, or because you moved to a new location, you must";
    let resource = &attempt.resource.client_id;
    let with_claims = policies.iter().any(|policy| policy.claims);
    let interaction = |code, message: String| EntraError::new("interaction_required", code, message);
    let (refusal, member) = match missing {
        Missing::Mfa => {
            let message = format!("{CHANGED} use multi-factor authentication to access '{resource}'.");
            (
                interaction(50076, message).suberror("basic_action"),
                Some("capolids"),
            )
        }
        Missing::Enrolment => {
            let message = format!("{CHANGED} enroll in multi-factor authentication to access '{resource}'.");
            (interaction(50079, message), Some("polids"))
        }
        Missing::External => {
            let message = "External security challenge not satisfied. User will be redirected to another page or \
                           authentication provider to satisfy additional authentication challenges.";
            let refusal = interaction(50158, message.to_owned()).suberror("basic_action");
            (refusal, Some("capolids"))
        }
        Missing::Device => {
            let message = "Device is not in required device state: compliant. Conditional Access policy requires a \
                           compliant device, and the device is not compliant. The user must enroll their device with \
                           an approved MDM provider like Intune.";
            let refusal = interaction(53000, message.to_owned()).suberror("message_only");
            (refusal, Some("capolids"))
        }
        Missing::Blocked => {
            let message = "Access has been blocked by Conditional Access policies. The access policy does not allow \
                           token issuance.";
            let refusal = interaction(53003, message.to_owned()).suberror("message_only");
            (refusal, Some("capolids"))
        }
        Missing::Fresh => (too_old(attempt, policies), None),
    };
    let Some(member) = member.filter(|_| with_claims) else {
        return refusal;
    };
    let ids: Vec<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
    let claims = json!({ "access_token": { member: { "essential": true, "values": ids } } });
    EntraError {
        claims: Some(claims.to_string()),
        ..refusal
    }
}

/// The text names a refresh token also where another grant is used: a guess.
fn too_old(attempt: &Attempt<'_>, policies: &[&Policy]) -> EntraError {
    let longest = policies.iter().filter_map(|policy| longest(policy)).min();
    let message = format!(
        "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token \
         was issued on {} and the maximum allowed lifetime for this request is {}.",
        iso(attempt.sign_in.at),
        longest.unwrap_or_default().num_seconds(),
    );
    EntraError::new("invalid_grant", 70043, message).suberror("token_expired")
}
