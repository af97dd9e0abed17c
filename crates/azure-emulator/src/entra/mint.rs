//! User tokens made without a sign-in, for tests: right ones, and ones that are wrong in a chosen way.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::claims::{self, Holder, Ticket};
use super::{KeyError, jwt};
use crate::azure::Azure;
use crate::directory::{App, Directory, Membership, Tenant, TokenVersion, UnknownName, User};

/// Which token to mint. Consent of the user to the calling app is taken for granted.
#[derive(Clone, Debug, Default)]
pub struct MintUserToken {
    /// UPN or object id.
    pub user: String,
    /// The tenant to sign in to: GUID or domain. The user is a member or a guest there.
    pub tenant: String,
    /// Calling app: client id or seed name.
    pub client_app: String,
    /// The API: client id, App ID URI or seed name.
    pub api: String,
    /// Scope names, such as `Connections.Read`.
    pub scopes: Vec<String>,
    /// Life from now on; 60 to 90 minutes when left out.
    pub lifetime: Option<Duration>,
    /// What to make wrong.
    pub overrides: TokenOverrides,
}

/// Ways to make a token wrong. The default changes nothing.
#[derive(Clone, Debug, Default)]
pub struct TokenOverrides {
    /// Another audience.
    pub audience: Option<String>,
    /// Another issuer.
    pub issuer: Option<String>,
    /// Claims to set, last of all.
    pub extra_claims: Map<String, Value>,
    /// Claims to leave out.
    pub removed_claims: Vec<String>,
    /// What the calling app declares as its capabilities, such as `cp1`; shown as `xms_cc` if the API lists that
    /// among its optional claims.
    pub client_capabilities: Vec<String>,
    /// `alg` none and an empty signature.
    pub algorithm_none: bool,
    /// Signed with a key that nobody publishes, under that key's own `kid` unless `kid` says otherwise.
    pub unpublished_key: bool,
    /// Signed with the published key of the consumer authority, which may not sign for a tenant.
    pub consumer_key: bool,
    /// Another `kid` in the header.
    pub kid: Option<String>,
    /// `nbf`, counted from now.
    pub not_before_offset: Option<TimeDelta>,
    /// `exp`, counted from now.
    pub expiry_offset: Option<TimeDelta>,
    /// An app's token instead of a user's: no `scp`, no user; `roles` only if set as extra claims.
    pub app_only: bool,
    /// An ID token instead of an access token: audience is the API's client id, no `scp`, a nonce.
    pub id_token: bool,
}

/// Why no token was minted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MintError {
    /// Something named does not exist, or not in that tenant.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// The user is disabled.
    #[error("the user \"{0}\" is disabled")]
    Disabled(String),
    /// No key could sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Mints a token.
pub(crate) fn mint(azure: &Azure, request: &MintUserToken) -> Result<(String, Duration), MintError> {
    let lifetime = request.lifetime.unwrap_or_else(claims::default_lifetime);
    let (mut claims, version) = {
        let world = azure.world();
        ticket_claims(azure, &world.directory, request, lifetime)?
    };
    change(&mut claims, request, azure.clock.now().timestamp());
    let wrong = &request.overrides;
    let token = if wrong.algorithm_none {
        jwt::unsigned(&claims)
    } else {
        let key = match (wrong.unpublished_key, wrong.consumer_key) {
            (true, _) => Arc::clone(&azure.keys.foreign),
            (false, true) => Arc::clone(&azure.keys.consumer),
            (false, false) => azure.keys.active(),
        };
        jwt::sign(&claims, &key, wrong.kid.as_deref(), version == TokenVersion::V1)?
    };
    azure.remember(&token);
    Ok((token, lifetime))
}

fn ticket_claims(
    azure: &Azure,
    directory: &Directory,
    request: &MintUserToken,
    lifetime: Duration,
) -> Result<(Map<String, Value>, TokenVersion), MintError> {
    let (tenant, client, api) = parties(directory, request)?;
    let (user, member) = holder(directory, request, tenant)?;
    let app_only = request.overrides.app_only;
    let app_oid = client.principal_in(&tenant.id).unwrap_or(&client.client_id);
    let scopes = if request.overrides.id_token {
        Vec::new()
    } else {
        request.scopes.clone()
    };
    let audience = api.identifier_uris.first().unwrap_or(&api.client_id);
    let ticket = Ticket {
        authority: azure.entra_url.as_str(),
        tenant_id: &tenant.id,
        client,
        resource: api,
        audience: if request.overrides.id_token {
            &api.client_id
        } else {
            audience
        },
        roles: if app_only {
            Vec::new()
        } else {
            directory.roles_of(&api.client_id, &tenant.id, &member.oid)
        },
        holder: if app_only {
            Holder::App { oid: app_oid }
        } else {
            Holder::User {
                user,
                oid: &member.oid,
                scopes,
                sign_in: None,
                contexts: Vec::new(),
                groups: directory.groups_of(&tenant.id, &member.oid).collect(),
            }
        },
        class: client.authentication_class(),
        capabilities: &request.overrides.client_capabilities,
        now: azure.clock.now(),
        lifetime,
    };
    Ok((ticket.claims(), api.token_version))
}

/// The tenant, the calling app and the API.
fn parties<'a>(
    directory: &'a Directory,
    request: &MintUserToken,
) -> Result<(&'a Tenant, &'a App, &'a App), MintError> {
    let unknown = UnknownName::new;
    let tenant = directory
        .tenant(&request.tenant)
        .ok_or_else(|| unknown("tenant", &request.tenant))?;
    let client = directory
        .app(&request.client_app)
        .ok_or_else(|| unknown("app", &request.client_app))?;
    let api = directory
        .app(&request.api)
        .or_else(|| directory.resource(&request.api));
    let api = api.ok_or_else(|| unknown("app", &request.api))?;
    if api.principal_in(&tenant.id).is_none() {
        return Err(unknown("service principal of that API in the tenant", &request.api).into());
    }
    if let Some(scope) = request.scopes.iter().find(|scope| !api.exposes(scope)) {
        return Err(unknown("scope", scope).into());
    }
    Ok((tenant, client, api))
}

/// The user, and its object in the tenant.
fn holder<'a>(
    directory: &'a Directory,
    request: &MintUserToken,
    tenant: &Tenant,
) -> Result<(&'a User, &'a Membership), MintError> {
    let unknown = UnknownName::new;
    let user = directory
        .user(&request.user)
        .ok_or_else(|| unknown("user", &request.user))?;
    let member = user
        .in_tenant(&tenant.id)
        .ok_or_else(|| unknown("user in that tenant", &request.user))?;
    if !member.enabled {
        return Err(MintError::Disabled(user.upn.clone()));
    }
    Ok((user, member))
}

fn change(claims: &mut Map<String, Value>, request: &MintUserToken, now: i64) {
    let wrong = &request.overrides;
    let mut set = |name: &str, value: Option<Value>| value.map(|value| claims.insert(name.to_owned(), value));
    set("aud", wrong.audience.as_ref().map(|a| json!(a)));
    set("iss", wrong.issuer.as_ref().map(|i| json!(i)));
    set(
        "nbf",
        wrong.not_before_offset.map(|by| json!(now + by.num_seconds())),
    );
    set("exp", wrong.expiry_offset.map(|by| json!(now + by.num_seconds())));
    if wrong.id_token {
        set("nonce", Some(json!(claims::opaque::<16>())));
        // ID tokens name no client besides their audience.
        for name in ["azp", "azpacr", "appid", "appidacr"] {
            claims.remove(name);
        }
    }
    for name in &wrong.removed_claims {
        claims.remove(name);
    }
    claims.extend(wrong.extra_claims.clone());
}
