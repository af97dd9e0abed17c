//! An authorization request, read and checked before anybody is asked to sign in.

use serde_json::Value;

use super::reply::{Mode, Reply, is_registered};
use crate::directory::{App, Directory, Tenant};
use crate::entra::client;
use crate::entra::discovery::{self, Named};
use crate::entra::error::EntraError;
use crate::entra::scope::{self, Asked};
use crate::entra::token::read_claims;
use crate::exchange::find;
use crate::sign_ins::Challenge;

/// What an app asks for. Pages are rare, so it holds copies instead of a grip on the directory.
#[derive(Debug)]
pub(super) struct Asking {
    /// The tenant to sign in to; nothing for `common` and `organizations`.
    pub(super) tenant: Option<Tenant>,
    pub(super) app: App,
    pub(super) reply: Reply,
    /// As it was sent, which is what the token request has to repeat.
    pub(super) sent_redirect_uri: Option<String>,
    pub(super) scope: String,
    pub(super) asked: Asked,
    pub(super) prompt: Option<String>,
    pub(super) login_hint: Option<String>,
    pub(super) domain_hint: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) claims: Option<Value>,
    pub(super) client_info: bool,
}

/// Why nobody is asked to sign in.
pub(super) enum Refused {
    /// Nothing is sent to an address that is not known to be the app's.
    Page(EntraError),
    /// The app is told.
    Back(Box<(Reply, EntraError)>),
}

type Parameters = [(String, String)];

fn field<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    find(parameters, |key| key == name).filter(|value| !value.is_empty())
}

impl Asking {
    /// Reads the request's parameters.
    pub(super) fn read(
        directory: &Directory,
        segment: &str,
        parameters: &Parameters,
    ) -> Result<Asking, Refused> {
        let tenant = match discovery::tenant(directory, segment).map_err(Refused::Page)? {
            Named::Tenant(tenant) => Some(tenant.clone()),
            Named::AnyTenant(_) => None,
        };
        let (app, reply) = destination(directory, segment, parameters).map_err(Refused::Page)?;
        let (scope, asked, challenge, claims) = match wanted(parameters) {
            Ok(wanted) => wanted,
            Err(error) => return Err(Refused::Back(Box::new((reply, error)))),
        };
        let owned = |name: &str| field(parameters, name).map(str::to_owned);
        Ok(Asking {
            tenant,
            app,
            reply,
            sent_redirect_uri: owned("redirect_uri"),
            scope,
            asked,
            prompt: owned("prompt"),
            login_hint: owned("login_hint"),
            domain_hint: owned("domain_hint"),
            nonce: owned("nonce"),
            challenge,
            claims,
            client_info: field(parameters, "client_info") == Some("1"),
        })
    }

    /// Whether the request forbids any page.
    pub(super) fn is_silent(&self) -> bool {
        self.prompt.as_deref() == Some("none")
    }

    /// Whether a session that is open may be used without asking.
    pub(super) fn takes_session(&self) -> bool {
        matches!(self.prompt.as_deref(), None | Some("none" | "consent"))
    }
}

/// The app and the address that answers go to.
pub(in crate::entra) fn destination(
    directory: &Directory,
    segment: &str,
    parameters: &Parameters,
) -> Result<(App, Reply), EntraError> {
    let id = field(parameters, "client_id").ok_or_else(|| EntraError::missing_parameter("client_id"))?;
    let app = client::registered(directory, id, segment)?;
    let redirect_uri = match field(parameters, "redirect_uri") {
        Some(sent) if is_registered(&app.redirect_uris, sent) => sent,
        Some(sent) => return Err(no_such_address(app, sent)),
        // Without one the app's first stands in.
        None => app
            .redirect_uris
            .first()
            .ok_or_else(|| EntraError::missing_parameter("redirect_uri"))?,
    };
    let reply = Reply {
        redirect_uri: redirect_uri.to_owned(),
        mode: Mode::named(field(parameters, "response_mode")).unwrap_or(Mode::Query),
        state: field(parameters, "state").map(str::to_owned),
    };
    Ok((app.clone(), reply))
}

type Wanted = (String, Asked, Option<Challenge>, Option<Value>);

fn wanted(parameters: &Parameters) -> Result<Wanted, EntraError> {
    match field(parameters, "response_type") {
        Some("code") => {}
        Some(other) => {
            let message = format!("response_type '{other}' is not enabled for the application.");
            return Err(EntraError::new("unsupported_response_type", 700054, message));
        }
        None => return Err(EntraError::missing_parameter("response_type")),
    }
    if let Some(mode) = field(parameters, "response_mode")
        && Mode::named(Some(mode)).is_none()
    {
        let message = format!("The value '{mode}' of 'response_mode' is not supported.");
        return Err(EntraError::new("invalid_request", 90023, message));
    }
    let scope = field(parameters, "scope").ok_or_else(|| EntraError::missing_parameter("scope"))?;
    let asked = scope::parse_sign_in(scope)?;
    let claims = field(parameters, "claims").map(read_claims).transpose()?;
    Ok((scope.to_owned(), asked, challenge(parameters)?, claims))
}

/// PKCE: S256, or the verifier itself, which is also what a missing method means (RFC 7636 section 4.3).
fn challenge(parameters: &Parameters) -> Result<Option<Challenge>, EntraError> {
    let Some(value) = field(parameters, "code_challenge") else {
        return Ok(None);
    };
    let hashed = match field(parameters, "code_challenge_method") {
        Some("S256") => true,
        None | Some("plain") => false,
        Some(_) => {
            let message = "Invalid Code_Challenge_method parameter.";
            return Err(EntraError::new("invalid_request", 50149, message));
        }
    };
    if !(43..=128).contains(&value.len()) {
        let message = "Invalid size of Code_Challenge parameter.";
        return Err(EntraError::new("invalid_request", 501491, message));
    }
    Ok(Some(Challenge {
        value: value.to_owned(),
        hashed,
    }))
}

fn no_such_address(app: &App, sent: &str) -> EntraError {
    let message = format!(
        "The redirect URI '{sent}' specified in the request does not match the redirect URIs configured for the \
         application '{}'. Make sure the redirect URI sent in the request matches one added to your application in \
         the Azure portal.",
        app.client_id
    );
    EntraError::new("invalid_request", 50011, message)
}
