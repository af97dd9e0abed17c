//! App registrations and what was given to them.

use chrono::{DateTime, Utc};

use super::credential::{Certificate, FederatedCredential};

/// Which token format a resource takes (`requestedAccessTokenVersion` of its registration).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenVersion {
    /// Issuer `https://sts.windows.net/{tid}/`, `appid`, `upn`; audience as it was asked for.
    V1,
    /// Issuer `{authority}/{tid}/v2.0`, `azp`, `preferred_username`; audience always the client id.
    V2,
}

/// An app registration with its service principals.
#[derive(Clone, Debug)]
pub struct App {
    /// The seed's name for it, also its display name.
    pub name: String,
    /// Application (client) id, lower case.
    pub client_id: String,
    /// Home tenant's GUID.
    pub home_tenant: String,
    /// App ID URIs.
    pub identifier_uris: Vec<String>,
    /// Format of the tokens made for it.
    pub token_version: TokenVersion,
    /// Client secrets. An app without any credential is a public client.
    pub secrets: Vec<Secret>,
    /// Certificates that client assertions may be signed with.
    pub certificates: Vec<Certificate>,
    /// Issuers and subjects whose tokens stand for the app.
    pub federated_credentials: Vec<FederatedCredential>,
    /// Delegated permissions it exposes, as they stand in `scp`.
    pub scopes: Vec<String>,
    /// App roles it defines, as they stand in `roles`.
    pub app_roles: Vec<String>,
    /// `optionalClaims.accessToken` of the registration; `xms_cc` and `groups` mean something here. `groups` stands for
    /// `groupMembershipClaims` too.
    pub optional_claims: Vec<String>,
    /// Where authorization codes may be sent.
    pub redirect_uris: Vec<String>,
    /// `requiredResourceAccess` of the registration: what an administrator's consent to `.default` gives.
    pub required_permissions: Vec<RequiredPermission>,
    /// Tenants that have a service principal of it, with that object's id.
    pub provisioned: Vec<(String, String)>,
}

/// A client secret.
#[derive(Clone)]
pub struct Secret {
    /// What the client sends.
    pub value: String,
    /// From when on it is refused.
    pub expires: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Scopes of one resource that an app's registration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredPermission {
    /// Client id of the app that is called.
    pub resource_id: String,
    /// Scope values.
    pub scopes: Vec<String>,
}

/// Scopes of `resource` given to `client` in the tenant (an `oauth2PermissionGrant`).
#[derive(Clone, Debug)]
pub struct Consent {
    /// The tenant's GUID.
    pub tenant_id: String,
    /// Client id of the app that may call.
    pub client_id: String,
    /// Client id of the app that is called.
    pub resource_id: String,
    /// Scope values.
    pub scopes: Vec<String>,
    /// Object id of the user who gave them for themselves; nothing when they are given for everyone.
    pub principal: Option<String>,
}

/// An app role given to a user or a service principal in a tenant.
#[derive(Clone, Debug)]
pub struct AppRoleGrant {
    /// The tenant's GUID.
    pub tenant_id: String,
    /// Client id of the app that defines the role.
    pub resource_id: String,
    /// Object id of the holder in that tenant.
    pub oid: String,
    /// The role's value.
    pub role: String,
}

impl App {
    /// Whether the name is this app's client id or seed name.
    pub fn is_called(&self, name: &str) -> bool {
        self.client_id.eq_ignore_ascii_case(name) || self.name == name
    }

    /// Object id of its service principal in the tenant.
    pub fn principal_in(&self, tenant_id: &str) -> Option<&str> {
        self.provisioned
            .iter()
            .find(|(tenant, _)| tenant == tenant_id)
            .map(|(_, oid)| oid.as_str())
    }

    /// Whether the app exposes this scope.
    pub fn exposes(&self, scope: &str) -> bool {
        self.scopes.iter().any(|s| s == scope)
    }

    /// Whether this audience means the app: its client id or an App ID URI, compared with case as Entra does.
    pub fn is_audience(&self, audience: &str) -> bool {
        self.client_id == audience || self.identifier_uris.iter().any(|uri| uri == audience)
    }

    /// Whether the app has nothing to prove itself with.
    pub fn is_public(&self) -> bool {
        self.secrets.is_empty() && self.certificates.is_empty() && self.federated_credentials.is_empty()
    }

    /// `azpacr`/`appidacr` of tokens that were got without the token endpoint: 0 for a public client,
    /// 1 for one with a secret, 2 for one with certificates or federated credentials alone.
    pub fn authentication_class(&self) -> &'static str {
        match (self.is_public(), self.secrets.is_empty()) {
            (true, _) => "0",
            (false, false) => "1",
            (false, true) => "2",
        }
    }
}
