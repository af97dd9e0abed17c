//! The pages on the way to a code: choose an account, consent.

use std::fmt::Write as _;

use http::StatusCode;

use super::asking::Asking;
use crate::directory::{Directory, User};
use crate::entra::page::{escape, hidden, page};
use crate::exchange::{Answer, Call};

/// Fields of these pages' own forms; all others belong to the app's request and are carried along.
const OWN_FIELDS: &[&str] = &["account", "method", "device", "decision", "everyone"];
/// Those of them that say how somebody has just signed in.
const SIGN_IN_FIELDS: &[&str] = &["account", "method", "device"];

/// Who may be chosen: the tenant's members and guests, or everybody where the request names no tenant. A domain hint
/// narrows that, a login hint puts its account first.
pub(super) fn accounts<'a>(directory: &'a Directory, asking: &Asking) -> Vec<&'a User> {
    let hinted = asking
        .domain_hint
        .as_deref()
        .and_then(|domain| directory.tenant(domain));
    let mut users: Vec<&User> = directory
        .users
        .iter()
        .filter(|user| match &asking.tenant {
            Some(tenant) => user.in_tenant(&tenant.id).is_some(),
            None => hinted.is_none_or(|tenant| user.home_tenant == tenant.id),
        })
        .collect();
    let is_hinted = |user: &User| {
        asking
            .login_hint
            .as_deref()
            .is_some_and(|hint| user.is_called(hint))
    };
    users.sort_by_key(|user| !is_hinted(user));
    users
}

/// The list of accounts. `refusal` says why the last choice did not do.
pub(super) fn choose(
    directory: &Directory,
    asking: &Asking,
    call: &Call,
    parameters: &[(String, String)],
    refusal: Option<&str>,
) -> Answer {
    let mut body = format!("<p>to continue to <b>{}</b></p>\n", escape(&asking.app.name));
    if let Some(refusal) = refusal {
        let _ = writeln!(body, "<p class=\"refusal\">{}</p>", escape(refusal));
    }
    let _ = write!(
        body,
        "<form method=\"post\" action=\"{}\">\n{}\
         <p><label><input type=\"radio\" name=\"method\" value=\"pwd\" checked> with a password</label><br>\n\
         <label><input type=\"radio\" name=\"method\" value=\"mfa\"> with a password and a second factor</label><br>\n\
         <label><input type=\"radio\" name=\"method\" value=\"external\"> with a password and another provider</label></p>\n\
         <p><label><input type=\"checkbox\" name=\"device\" value=\"compliant\"> on a compliant device</label></p>\n\
         <div class=\"accounts\">\n",
        action(call),
        carried(parameters),
    );
    for user in accounts(directory, asking) {
        let _ = writeln!(
            body,
            "<button name=\"account\" value=\"{}\">{} ({})</button>",
            escape(&user.upn),
            escape(&user.name),
            escape(&user.upn)
        );
    }
    body.push_str("</div>\n<button name=\"decision\" value=\"cancel\">Cancel</button></form>");
    page(StatusCode::OK, "Sign in", &body)
}

/// What a consent page shows.
pub(super) struct Consent<'a> {
    pub(super) user: &'a User,
    pub(super) resource: &'a str,
    pub(super) scopes: &'a [String],
    /// The user may answer for the whole tenant.
    pub(super) administrator: bool,
    /// The call's parameters if it said how the user signed in; nothing when a session did it.
    pub(super) answered: &'a [(String, String)],
}

/// Asks the user to consent.
pub(super) fn consent(
    asking: &Asking,
    call: &Call,
    parameters: &[(String, String)],
    consent: &Consent<'_>,
) -> Answer {
    let mut body = format!(
        "<p>{}</p>\n<p><b>{}</b> would like, in your name, of <b>{}</b>:</p>\n<ul>",
        escape(&consent.user.upn),
        escape(&asking.app.name),
        escape(consent.resource)
    );
    for scope in consent.scopes {
        let _ = write!(body, "<li><code>{}</code></li>", escape(scope));
    }
    let _ = write!(
        body,
        "</ul>\n<form method=\"post\" action=\"{}\">\n{}",
        action(call),
        carried(parameters)
    );
    let answered = consent.answered.iter();
    let answered = answered.filter(|(name, _)| SIGN_IN_FIELDS.contains(&name.as_str()));
    body.push_str(&hidden(
        answered.map(|(name, value)| (name.as_str(), value.as_str())),
    ));
    if consent.administrator {
        body.push_str(
            "<p><label><input type=\"checkbox\" name=\"everyone\" value=\"true\"> on behalf of the organization</label></p>\n",
        );
    }
    body.push_str(
        "<button name=\"decision\" value=\"accept\">Accept</button>\n\
         <button name=\"decision\" value=\"cancel\">Cancel</button></form>",
    );
    page(StatusCode::OK, "Permissions requested", &body)
}

/// The form goes where the request went; what the request's query said is among the carried fields.
fn action(call: &Call) -> String {
    escape(call.path_and_query.split('?').next().unwrap_or_default())
}

fn carried(parameters: &[(String, String)]) -> String {
    let theirs = parameters
        .iter()
        .filter(|(name, _)| !OWN_FIELDS.contains(&name.as_str()));
    hidden(theirs.map(|(name, value)| (name.as_str(), value.as_str())))
}
