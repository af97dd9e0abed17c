//! The token endpoint: which grant is asked for, and what its answer looks like.
//! `on_behalf_of` and `client_credentials` decide; `assertion` verifies a user's token.

mod assertion;
mod client_credentials;
mod on_behalf_of;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::claims::{Holder, Ticket};
use super::discovery::{self, Named};
use super::error::EntraError;
use super::scope::Asked;
use super::{claims, jwt};
use crate::azure::Azure;
use crate::directory::{ARM_APP_ID, App, Directory, TokenVersion};
use crate::exchange::{Answer, Call, find};

/// A token request, read but not judged.
pub(super) struct Request<'a> {
    pub(super) azure: &'a Azure,
    pub(super) call: &'a Call,
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

    /// Capabilities that the client declares in `claims`: `{"access_token":{"xms_cc":{"values":["cp1"]}}}`.
    fn capabilities(&self) -> Vec<String> {
        let claims = self
            .field("claims")
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        let values = claims
            .as_ref()
            .and_then(|claims| claims.pointer("/access_token/xms_cc/values"));
        let words = values.and_then(Value::as_array).into_iter().flatten();
        words.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// Answers `POST /{tenant}/oauth2/v2.0/token`.
pub(super) fn answer(azure: &Azure, segment: &str, call: &Call) -> Result<Answer, EntraError> {
    let request = Request {
        azure,
        call,
        form: call.form(),
    };
    let world = azure.world();
    let directory = &world.directory;
    let named = discovery::tenant(directory, segment)?;
    let grant = request.required("grant_type")?;
    let body = match grant {
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            on_behalf_of::grant(&request, directory, &named, segment)?
        }
        "client_credentials" => client_credentials::grant(&request, directory, &named)?,
        other => {
            let message = format!("The app requested an unsupported grant type '{other}'.");
            return Err(EntraError::new("unsupported_grant_type", 70003, message));
        }
    };
    Ok(Answer::json(StatusCode::OK, &body))
}

/// The resource that is asked for, if the tenant has it.
fn resource<'a>(directory: &'a Directory, asked: &Asked, tenant_id: &str) -> Result<&'a App, EntraError> {
    directory
        .resource(&asked.resource)
        .filter(|app| app.principal_in(tenant_id).is_some())
        .ok_or_else(|| EntraError::resource_not_found(&asked.resource, tenant_id))
}

/// Signs the ticket and writes the success body. Lifetimes are whole seconds.
fn success(
    azure: &Azure,
    ticket: &Ticket<'_>,
    scope: Option<String>,
) -> Result<Map<String, Value>, EntraError> {
    let token = sign(azure, ticket)?;
    let mut body = Map::new();
    body.insert("token_type".to_owned(), json!("Bearer"));
    if let Some(scope) = scope {
        body.insert("scope".to_owned(), json!(scope));
    }
    body.insert("expires_in".to_owned(), json!(ticket.lifetime.as_secs()));
    body.insert("ext_expires_in".to_owned(), json!(ticket.lifetime.as_secs()));
    body.insert("access_token".to_owned(), json!(token));
    Ok(body)
}

fn sign(azure: &Azure, ticket: &Ticket<'_>) -> Result<String, EntraError> {
    let with_x5t = ticket.resource.token_version == TokenVersion::V1;
    let token = jwt::sign(&ticket.claims(), &azure.keys.active, None, with_x5t)
        .map_err(|error| EntraError::new("server_error", 90033, error.to_string()))?;
    azure.remember(&token);
    Ok(token)
}

/// Granted scopes in the resource's spelling, as the response lists them.
fn scope_list(asked: &Asked, granted: &[String]) -> String {
    let mut list: Vec<String> = granted
        .iter()
        .map(|name| format!("{}/{name}", asked.resource))
        .collect();
    if asked.names.is_empty() {
        list.push(format!("{}/.default", asked.resource));
    }
    list.join(" ")
}

/// base64url JSON of the user's object id and tenant id, for clients that asked with `client_info=1`.
fn client_info(request: &Request<'_>, uid: &str, utid: &str) -> Option<Value> {
    let asked = request.field("client_info") == Some("1");
    asked.then(|| json!(URL_SAFE_NO_PAD.encode(json!({ "uid": uid, "utid": utid }).to_string())))
}
