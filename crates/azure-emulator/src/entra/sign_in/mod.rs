//! The authorization endpoint: a person chooses an account, consents if need be, and the app gets a code
//! (Microsoft Learn: "Microsoft identity platform and OAuth 2.0 authorization code flow").
//!
//! The pages' forms post back to the endpoint. A script can do the same without reading them: a POST to the request's
//! own URL with `account` (UPN), `method` (`pwd`, `mfa` or `external`), `device=compliant` if there is one and, where
//! consent is missing, `decision=accept` is answered with the redirect.
//!
//! `asking` reads the request, `pages` draws, `reply` goes back to the app.

mod asking;
mod pages;
mod reply;

use http::Method;

pub(super) use asking::destination;
pub(super) use reply::{Reply, is_registered};

use super::error::EntraError;
use super::judge::{Attempt, judge};
use super::{consent, page, token};
use crate::azure::Azure;
use crate::directory::{App, Membership, Tenant, User};
use crate::exchange::{Answer, Call, find};
use crate::sign_ins::{Code, SignIn};
use crate::world::World;
use asking::{Asking, Refused};

/// The cookie that names the browser's session.
const COOKIE: &str = "ESTSAUTH";

/// Answers `/{tenant}/oauth2/v2.0/authorize`, for GET and for POST.
pub(super) fn answer(azure: &Azure, segment: &str, call: &Call) -> Answer {
    let mut world = azure.world();
    let parameters = parameters(call);
    match Asking::read(&world.directory, segment, &parameters) {
        Ok(asking) => Visit {
            azure,
            call,
            parameters: &parameters,
            posted: &posted(call),
            asking: &asking,
        }
        .answer(&mut world),
        Err(Refused::Page(error)) => page::refusal(azure, call, &error),
        Err(Refused::Back(refused)) => refused.0.refuse(azure, call, &refused.1),
    }
}

/// The query's parameters, and a form's after them.
pub(super) fn parameters(call: &Call) -> Vec<(String, String)> {
    let mut parameters = call.query.clone();
    parameters.extend(posted(call));
    parameters
}

/// What a person answered on a page: the fields of a posted form, and nothing for any other call. A link that somebody
/// else made can ask for a sign-in, but neither sign in nor consent.
pub(super) fn posted(call: &Call) -> Vec<(String, String)> {
    if call.method == Method::POST {
        call.form()
    } else {
        Vec::new()
    }
}

/// The secret by which the browser's session is known.
fn cookie_of(call: &Call) -> Option<&str> {
    let cookies = call.header("cookie")?.split(';');
    cookies
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// A cookie header with the secret of a session, or, without one, for the end of it.
pub(super) fn cookie(secret: Option<&str>) -> String {
    let rest = "path=/; secure; HttpOnly; SameSite=None";
    secret.map_or_else(
        || format!("{COOKIE}=; {rest}; Max-Age=0"),
        |secret| format!("{COOKIE}={secret}; {rest}"),
    )
}

/// The app is told that the user did not want to.
pub(super) fn declined() -> EntraError {
    EntraError::new(
        "access_denied",
        65004,
        "User declined to consent to access the app.",
    )
}

/// One call of a browser, on its way to a code.
struct Visit<'a> {
    azure: &'a Azure,
    call: &'a Call,
    parameters: &'a [(String, String)],
    posted: &'a [(String, String)],
    asking: &'a Asking,
}

/// Somebody who has signed in to a tenant.
struct Present {
    user: User,
    member: Membership,
    tenant: Tenant,
    sign_in: SignIn,
    /// It was this call that did it.
    just_now: bool,
}

impl Visit<'_> {
    /// A field of the pages' own forms.
    fn field(&self, name: &str) -> Option<&str> {
        find(self.posted, |key| key == name).filter(|value| !value.is_empty())
    }

    fn refuse(&self, error: &EntraError) -> Answer {
        self.asking.reply.refuse(self.azure, self.call, error)
    }

    fn choose(&self, world: &World, refusal: Option<&str>) -> Answer {
        let directory = &world.directory;
        pages::choose(directory, self.asking, self.call, self.parameters, refusal)
    }

    fn answer(&self, world: &mut World) -> Answer {
        if self.field("decision") == Some("cancel") {
            let subcode = vec![("error_subcode", "cancel".to_owned())];
            let reply = &self.asking.reply;
            return reply.refuse_with(self.azure, self.call, &declined(), subcode);
        }
        match self.present(world) {
            Ok(Some(present)) => self.go_on(world, &present),
            Ok(None) if self.asking.is_silent() => {
                let message = "Session information is not sufficient for single-sign-on: a silent sign-in request was sent but no user is signed in.";
                self.refuse(&EntraError::new("login_required", 50058, message))
            }
            Ok(None) => self.choose(world, None),
            Err(error) => self.not_this_one(world, &error),
        }
    }

    /// Somebody can't go on: with a page they may choose again, without one the app is told.
    fn not_this_one(&self, world: &World, error: &EntraError) -> Answer {
        if self.asking.is_silent() {
            let error = EntraError {
                error: "interaction_required",
                ..error.clone()
            };
            return self.refuse(&error);
        }
        let text = format!("AADSTS{}: {}", error.code, error.message);
        self.choose(world, Some(&text))
    }

    /// Who is there: the account that was chosen, or the browser's session.
    fn present(&self, world: &mut World) -> Result<Option<Present>, EntraError> {
        let (user, sign_in, just_now) = if let Some(name) = self.field("account") {
            let found = world.directory.user(name).cloned();
            let user = found.ok_or_else(|| no_account(name, self.asking))?;
            let methods = methods(self.field("method").unwrap_or("pwd"));
            // Who signs in with a second factor has registered one with that, as the real page would have made them do.
            if !user.mfa_enrolled && methods.iter().any(|method| method == "mfa") {
                let _ = world.directory.set_mfa_enrolled(&user.upn, true);
            }
            let device = self.field("device").map(|_| uuid::Uuid::new_v4().to_string());
            let now = self.azure.clock.now();
            let sign_in = world.sign_ins.open(user.home_oid(), methods, device, now);
            (user, sign_in, true)
        } else {
            let session = cookie_of(self.call).and_then(|cookie| world.sign_ins.session_of(cookie));
            let session = session.filter(|_| self.asking.takes_session()).cloned();
            let Some(sign_in) = session else { return Ok(None) };
            let Some(user) = world.directory.user(&sign_in.user).cloned() else {
                return Ok(None);
            };
            let hint = self.asking.login_hint.as_deref();
            if hint.is_some_and(|hint| !user.is_called(hint)) {
                return Ok(None);
            }
            (user, sign_in, false)
        };
        let tenant = match &self.asking.tenant {
            Some(tenant) => tenant.clone(),
            None => world
                .directory
                .tenant(&user.home_tenant)
                .cloned()
                .ok_or_else(|| EntraError::tenant_not_found(&user.home_tenant))?,
        };
        let member = consent::membership(&world.directory, &user, &tenant, &self.asking.app)?.clone();
        Ok(Some(Present {
            user,
            member,
            tenant,
            sign_in,
            just_now,
        }))
    }

    /// The judge, then consent, then the code.
    fn go_on(&self, world: &mut World, present: &Present) -> Answer {
        let asking = self.asking;
        let tenant_id = &present.tenant.id;
        let resource = match consent::resource(&world.directory, &asking.asked, tenant_id) {
            Ok(resource) => resource.clone(),
            Err(error) => return self.refuse(&error),
        };
        if let Some(error) = unknown_scope(asking, &resource) {
            return self.refuse(&error);
        }
        let judged = judge(&Attempt {
            directory: &world.directory,
            user: &present.user,
            member: &present.member,
            tenant: &present.tenant,
            client: &asking.app,
            resource: &resource,
            sign_in: &present.sign_in,
            claims: asking.claims.as_ref(),
            now: self.azure.clock.now(),
        });
        if let Err(error) = judged {
            return self.not_this_one(world, &error);
        }
        let oid = &present.member.oid;
        let place = (tenant_id.as_str(), oid.as_str());
        let names = &asking.asked.names;
        let granted = consent::granted(&world.directory, &asking.app, &resource, place, names);
        // An app that has no service principal in the tenant yet gets one with the first consent.
        let missing = granted.is_err() || asking.app.principal_in(tenant_id).is_none();
        if !missing && asking.prompt.as_deref() != Some("consent") {
            return self.code(world, present);
        }
        let scopes = consent::to_ask(&asking.app, &resource, names);
        if self.field("decision") == Some("accept") {
            return match self.accept(world, present, &resource.client_id, &scopes) {
                Ok(()) => self.code(world, present),
                Err(error) => self.not_this_one(world, &error),
            };
        }
        if asking.is_silent() {
            return match granted {
                Err(error) => self.refuse(&EntraError {
                    error: "consent_required",
                    ..error
                }),
                Ok(_) => self.refuse(&EntraError::new("consent_required", 65001, "Consent is missing.")),
            };
        }
        let consent = pages::Consent {
            user: &present.user,
            resource: &resource.name,
            scopes: &scopes,
            administrator: world.directory.is_administrator(tenant_id, oid),
            answered: if present.just_now { self.posted } else { &[] },
        };
        pages::consent(asking, self.call, self.parameters, &consent)
    }

    /// Records what the user gave, for themselves or for everyone.
    fn accept(
        &self,
        world: &mut World,
        present: &Present,
        resource_id: &str,
        scopes: &[String],
    ) -> Result<(), EntraError> {
        let everyone = self.field("everyone") == Some("true");
        let (tenant_id, oid) = (&present.tenant.id, &present.member.oid);
        if everyone && !world.directory.is_administrator(tenant_id, oid) {
            return Err(administrator_needed());
        }
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let principal = (!everyone).then_some(oid.as_str());
        world
            .directory
            .consent(
                &self.asking.app.client_id,
                tenant_id,
                resource_id,
                &scopes,
                principal,
            )
            .map_err(|error| EntraError::new("invalid_request", 650053, error.to_string()))
    }

    fn code(&self, world: &mut World, present: &Present) -> Answer {
        let asking = self.asking;
        let code = world.sign_ins.issue_code(Code {
            client_id: asking.app.client_id.clone(),
            tenant_id: present.tenant.id.clone(),
            sign_in: present.sign_in.clone(),
            redirect_uri: asking.sent_redirect_uri.clone(),
            challenge: asking.challenge.clone(),
            scope: asking.scope.clone(),
            nonce: asking.nonce.clone(),
            claims: asking.claims.clone(),
            issued: self.azure.clock.now(),
            redeemed: false,
        });
        self.azure.remember(&code);
        let mut parameters = vec![("code", code)];
        if asking.client_info {
            parameters.push(("client_info", token::encoded_client_info(&present.user)));
        }
        let session = present.sign_in.session.as_deref();
        if let Some(session) = session {
            parameters.push(("session_state", session.to_owned()));
        }
        let answer = asking.reply.send(parameters);
        // A browser that is known already keeps its secret.
        match session.filter(|_| present.just_now) {
            Some(session) => {
                let secret = world.sign_ins.issue_cookie(session);
                self.azure.remember(&secret);
                answer.with("set-cookie", &cookie(Some(&secret)))
            }
            None => answer,
        }
    }
}

/// A scope that the API does not have. `error` is a guess.
fn unknown_scope(asking: &Asking, resource: &App) -> Option<EntraError> {
    let unknown = asking.asked.names.iter().find(|name| !resource.exposes(name))?;
    let message = format!(
        "The application '{}' asked for scope '{unknown}' that doesn't exist on the resource '{}'. Contact the app vendor.",
        asking.app.name, resource.client_id
    );
    Some(EntraError::new("invalid_client", 650053, message))
}

/// What was used, from the word of the page's form.
fn methods(word: &str) -> Vec<String> {
    let more = match word {
        "mfa" => Some("mfa"),
        "external" => Some("external"),
        _ => None,
    };
    let used = std::iter::once("pwd").chain(more);
    used.map(str::to_owned).collect()
}

/// Only an administrator can answer for a tenant.
pub(super) fn administrator_needed() -> EntraError {
    let message = "This app requires your admin's approval: only an administrator may consent on behalf of the organization.";
    EntraError::new("access_denied", 90094, message)
}

fn no_account(name: &str, asking: &Asking) -> EntraError {
    let tenant = asking.tenant.as_ref();
    consent::no_account(
        name,
        tenant.map_or("organizations", |tenant| tenant.name.as_str()),
    )
}
