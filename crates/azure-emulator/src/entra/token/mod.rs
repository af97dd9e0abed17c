//! The token endpoint: which grant is asked for, and what its answer looks like.
//! `on_behalf_of`, `authorization_code`, `refresh` and `client_credentials` decide; `user` is what the first three
//! share; `assertion` verifies a user's token.

mod assertion;
mod authorization_code;
mod client_credentials;
mod on_behalf_of;
mod refresh;
mod user;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::claims::{LONG_LIFETIME, Ticket};
use super::client::{self, Client, Door};
use super::discovery::{self, Named};
use super::error::EntraError;
use super::id_token::IdTicket;
use super::jwt;
use super::limits::Limits;
use super::scope::{self, Asked};
use crate::azure::Azure;
use crate::directory::{App, Directory, GRAPH_APP_ID, TokenVersion, User};
use crate::exchange::{Answer, Call, find};
use crate::sign_ins::SignIns;
use crate::world::World;

/// `suberror` of a code or refresh token that is none, or is no longer good.
const BAD_TOKEN: &str = "bad_token";

/// Which of the two endpoints: v2 takes `scope`, v1 `resource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    V1,
    V2,
}

/// A token request, read but not judged.
pub(super) struct Request<'a> {
    pub(super) azure: &'a Azure,
    pub(super) call: &'a Call,
    pub(super) endpoint: Endpoint,
    pub(super) form: Vec<(String, String)>,
}

impl Request<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        find(&self.form, |key| key == name).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str, EntraError> {
        self.field(name)
            .ok_or_else(|| EntraError::missing_parameter(name))
    }

    /// The calling app, proved.
    fn client<'b>(
        &self,
        directory: &'b Directory,
        named: &Named<'b>,
        public_clients: bool,
        without_credential: (u32, &'static str),
    ) -> Result<Client<'b>, EntraError> {
        let door = Door {
            azure: self.azure,
            directory,
            named,
            call: self.call,
            form: &self.form,
            now: self.azure.clock.now(),
            public_clients,
            without_credential,
        };
        door.authenticate()
    }

    /// What is asked for, and the words of it.
    fn asked(&self) -> Result<(Asked, String), EntraError> {
        if self.endpoint == Endpoint::V1 {
            return self.asked_by_user("").map(|asked| (asked, String::new()));
        }
        let scope = self.required("scope")?;
        Ok((scope::parse(scope)?, scope.to_owned()))
    }

    /// The same for a user who signed in, where a scope may name no resource and may come from an earlier request.
    fn asked_by_user(&self, scope: &str) -> Result<Asked, EntraError> {
        match self.endpoint {
            Endpoint::V1 => Ok(scope::parse_v1(
                self.required("resource")?,
                self.field("scope").unwrap_or_default(),
            )),
            Endpoint::V2 => scope::parse_sign_in(scope),
        }
    }

    /// The `claims` parameter.
    fn claims(&self) -> Result<Option<Value>, EntraError> {
        self.field("claims").map(read_claims).transpose()
    }
}

impl Request<'_> {
    /// Seconds to wait where a rate of the tenant is used up.
    fn wait(&self, limits: &mut Limits, named: &Named<'_>) -> Option<i64> {
        let Named::Tenant(tenant) = named else { return None };
        let (client_id, _) = client::claimed(self.call, &self.form);
        limits.admit(&tenant.id, &client_id, self.azure.clock.now())
    }

    /// Counts a user's exchange or refresh. Requests are identical when app, user or assertion, scope, claims and
    /// tenant are.
    fn count(&self, limits: &mut Limits, sign_ins: &SignIns, named: &Named<'_>) -> Result<(), EntraError> {
        let refreshed = || {
            let token = sign_ins.refresh_token(self.field("refresh_token")?)?;
            Some(token.sign_in.user.as_str())
        };
        let Some(subject) = self.field("assertion").or_else(refreshed) else {
            return Ok(());
        };
        let tenant = match named {
            Named::Tenant(tenant) => tenant.id.as_str(),
            Named::AnyTenant(word) => word,
        };
        let (client, secret) = client::claimed(self.call, &self.form);
        let [scope, resource, claims] =
            ["scope", "resource", "claims"].map(|name| self.field(name).unwrap_or_default());
        let kind = [tenant, &client, &secret, subject, scope, resource, claims];
        limits.count(&kind, self.azure.clock.now())
    }
}

/// How a throttled tenant or app is answered: not in JSON.
fn too_many(seconds: i64) -> Answer {
    let answer = Answer {
        body: b"Too Many Requests".to_vec(),
        ..Answer::empty(StatusCode::TOO_MANY_REQUESTS)
    };
    answer
        .with("content-type", "text/plain; charset=utf-8")
        .with("retry-after", &seconds.to_string())
}

/// Reads the `claims` parameter: a JSON object as text.
pub(super) fn read_claims(text: &str) -> Result<Value, EntraError> {
    serde_json::from_str::<Value>(text)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| {
            let message = "The claims parameter is not a valid JSON object.";
            EntraError::new("invalid_request", 90023, message)
        })
}

/// Answers `POST /{tenant}/oauth2/v2.0/token`, and the same without `v2.0`.
pub(super) fn answer(
    azure: &Azure,
    segment: &str,
    endpoint: Endpoint,
    call: &Call,
) -> Result<Answer, EntraError> {
    grant(azure, segment, endpoint, call).map_err(|error| error.at_token_endpoint(endpoint == Endpoint::V2))
}

fn grant(azure: &Azure, segment: &str, endpoint: Endpoint, call: &Call) -> Result<Answer, EntraError> {
    let request = Request {
        azure,
        call,
        endpoint,
        form: call.form(),
    };
    let mut world = azure.world();
    let World {
        directory,
        sign_ins,
        limits,
        ..
    } = &mut *world;
    let directory = &*directory;
    let named = discovery::tenant(directory, segment)?;
    if let Some(seconds) = request.wait(limits, &named) {
        return Ok(too_many(seconds));
    }
    request.count(limits, sign_ins, &named)?;
    let body = match request.required("grant_type")? {
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            on_behalf_of::grant(&request, directory, sign_ins, &named)?
        }
        "authorization_code" => authorization_code::grant(&request, directory, sign_ins, &named)?,
        "refresh_token" => refresh::grant(&request, directory, sign_ins, &named)?,
        "client_credentials" => client_credentials::grant(&request, directory, &named)?,
        other => {
            let message = format!("The app requested an unsupported grant type '{other}'.");
            return Err(EntraError::new("unsupported_grant_type", 70003, message));
        }
    };
    Ok(Answer::json(StatusCode::OK, &body))
}

/// The success body. Lifetimes are whole seconds; the v1 endpoint writes them, and moments, as text.
fn success(
    request: &Request<'_>,
    ticket: &Ticket<'_>,
    token: &str,
    scope: Option<String>,
) -> Map<String, Value> {
    let lifetime = ticket.lifetime.as_secs();
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("token_type", json!("Bearer"));
    match request.endpoint {
        Endpoint::V2 => {
            if let Some(scope) = scope {
                set("scope", json!(scope));
            }
            set("expires_in", json!(lifetime));
            set("ext_expires_in", json!(lifetime));
            // A hint to renew a long-lived token halfway.
            if ticket.lifetime >= LONG_LIFETIME {
                set("refresh_in", json!(lifetime / 2));
            }
        }
        Endpoint::V1 => {
            let now = ticket.now.timestamp();
            let end = now.saturating_add(i64::try_from(lifetime).unwrap_or(i64::MAX));
            if let Some(scope) = scope {
                // Scopes by their names alone, since the resource stands beside them.
                let names = scope.split(' ').filter_map(|scope| scope.rsplit('/').next());
                let names: Vec<&str> = names.filter(|name| *name != ".default").collect();
                set("scope", json!(names.join(" ")));
            }
            set("expires_in", json!(lifetime.to_string()));
            set("ext_expires_in", json!(lifetime.to_string()));
            set("expires_on", json!(end.to_string()));
            set("not_before", json!(now.to_string()));
            set("resource", json!(ticket.audience));
        }
    }
    set("access_token", json!(token));
    body
}

fn sign(azure: &Azure, ticket: &Ticket<'_>) -> Result<String, EntraError> {
    signed(
        azure,
        &ticket.claims(),
        ticket.resource.token_version == TokenVersion::V1,
    )
}

fn sign_id(azure: &Azure, ticket: &IdTicket<'_>) -> Result<String, EntraError> {
    signed(azure, &ticket.claims(), false)
}

fn signed(azure: &Azure, claims: &Map<String, Value>, with_x5t: bool) -> Result<String, EntraError> {
    let token = jwt::sign(claims, &azure.keys.active(), None, with_x5t)
        .map_err(|error| EntraError::new("server_error", 90033, error.to_string()))?;
    azure.remember(&token);
    Ok(token)
}

/// Granted scopes in the resource's spelling, as the response lists them. Microsoft Graph's have no prefix.
fn scope_list(asked: &Asked, resource: &App, granted: &[String]) -> String {
    if resource.client_id == GRAPH_APP_ID {
        return granted.join(" ");
    }
    let mut list: Vec<String> = granted
        .iter()
        .map(|name| format!("{}/{name}", asked.resource))
        .collect();
    if asked.names.is_empty() {
        list.push(format!("{}/.default", asked.resource));
    }
    list.join(" ")
}

/// base64url JSON of the user's object id and tenant id at home, for clients that asked with `client_info=1`.
fn client_info(request: &Request<'_>, user: &User) -> Option<Value> {
    (request.field("client_info") == Some("1")).then(|| json!(encoded_client_info(user)))
}

/// The same for whoever has asked.
pub(super) fn encoded_client_info(user: &User) -> String {
    let info = json!({ "uid": user.home_oid(), "utid": user.home_tenant });
    URL_SAFE_NO_PAD.encode(info.to_string())
}
