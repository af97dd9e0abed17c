//! Small pages beside the flows: signing out, what an error number means, and how an account is to be signed in.

use http::StatusCode;
use serde_json::json;

use super::page::{self, escape};
use super::sign_in;
use crate::azure::Azure;
use crate::exchange::{Answer, Call};

/// Ends the browser's session. Sends the browser on only to an address that some app has registered.
pub(super) fn logout(azure: &Azure, call: &Call) -> Answer {
    let world = azure.world();
    let back = call.query("post_logout_redirect_uri");
    let known = |uri: &&str| {
        world
            .directory
            .apps
            .iter()
            .any(|app| sign_in::is_registered(&app.redirect_uris, uri))
    };
    let answer = match back
        .filter(known)
        .and_then(|address| url::Url::parse(address).ok())
    {
        Some(mut address) => {
            if let Some(state) = call.query("state") {
                address.query_pairs_mut().append_pair("state", state);
            }
            Answer::empty(StatusCode::FOUND).with("location", address.as_str())
        }
        None => page::page(StatusCode::OK, "You signed out of your account", ""),
    };
    answer.with("set-cookie", &sign_in::cookie(None))
}

/// The page that `error_uri` leads to.
pub(super) fn error(call: &Call) -> Answer {
    let code = call.query("code").unwrap_or_default();
    let body = format!(
        "<p>AADSTS<code>{}</code></p>\n<p>What it means is listed in Microsoft Learn under “Microsoft Entra \
         authentication and authorization error codes”.</p>",
        escape(code)
    );
    page::page(StatusCode::OK, "Error", &body)
}

/// Whether an account is federated: nobody here is, and clients that ask go on with a password sign-in.
pub(super) fn user_realm() -> Answer {
    let body =
        json!({ "error": "not_found", "error_description": "The emulator knows no federated realms." });
    Answer::json(StatusCode::NOT_FOUND, &body)
}
