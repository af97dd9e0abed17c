//! Minting users' tokens over HTTP.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::refusal::{self, Refusal};
use crate::azure::Azure;
use crate::entra::{self, MintUserToken, TokenOverrides};
use crate::exchange::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenRequest {
    user: String,
    tenant: String,
    app: String,
    api: String,
    scopes: Vec<String>,
    lifetime_seconds: Option<u64>,
    /// What the app says that it takes (`xms_cc`), such as `cp1`.
    #[serde(default)]
    client_capabilities: Vec<String>,
    /// Authentication contexts that the sign-in satisfied (`acrs`), such as `p1`.
    #[serde(default)]
    contexts: Vec<String>,
}

pub(super) fn mint(azure: &Azure, body: &[u8]) -> Result<Answer, Refusal> {
    let fix = "{user, tenant, app, api, scopes, lifetimeSeconds?, clientCapabilities?, contexts?}";
    let request: TokenRequest = refusal::body(body, fix)?;
    let mut overrides = TokenOverrides {
        client_capabilities: request.client_capabilities,
        ..TokenOverrides::default()
    };
    if !request.contexts.is_empty() {
        let contexts = json!(request.contexts);
        overrides.extra_claims.insert("acrs".to_owned(), contexts);
    }
    let request = MintUserToken {
        overrides,
        user: request.user,
        tenant: request.tenant,
        client_app: request.app,
        api: request.api,
        scopes: request.scopes,
        lifetime: request.lifetime_seconds.map(Duration::from_secs),
    };
    let (token, lifetime) = entra::mint(azure, &request).map_err(|error| {
        Refusal::bad(
            "",
            error.to_string(),
            "GET /admin/state shows who and what there is",
        )
    })?;
    let body = json!({ "accessToken": token, "expiresIn": lifetime.as_secs() });
    Ok(Answer::json(StatusCode::OK, &body).with("cache-control", "no-store"))
}
