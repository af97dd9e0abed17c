//! The directory: tenants, the people in them, app registrations, and what each tenant has consented to.
//! Here live the facts and their changes. What they mean for a token request is decided in `entra`,
//! and what a principal may do at ARM in `resources`.

mod app;
mod change;
mod tenant;
mod user;

pub use app::{App, AppRoleGrant, Consent, Secret, TokenVersion};
pub use change::UnknownName;
pub use tenant::Tenant;
pub(crate) use tenant::v1_issuer;
pub use user::{Membership, User};

/// Client id of ARM's own app, which every tenant has ("Windows Azure Service Management API").
pub const ARM_APP_ID: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";
/// The name under which seeds and tests speak of ARM's app.
pub const ARM_APP_NAME: &str = "azure-resource-manager";

/// All tenants of the emulated cloud.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Every tenant.
    pub tenants: Vec<Tenant>,
    /// Every person, once, with one membership a tenant.
    pub users: Vec<User>,
    /// App registrations, with the tenants each is provisioned in.
    pub apps: Vec<App>,
    /// Delegated permission grants.
    pub consents: Vec<Consent>,
    /// App roles handed out.
    pub app_roles: Vec<AppRoleGrant>,
}

impl Directory {
    /// A tenant by GUID or verified domain, case ignored.
    pub fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.is_called(name))
    }

    /// A user by UPN, or by object id in any tenant; case ignored.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.is_called(name))
    }

    /// The user with this object id in this tenant.
    pub fn member(&self, tenant_id: &str, oid: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.in_tenant(tenant_id).is_some_and(|m| m.oid == oid))
    }

    /// An app by client id or seed name.
    pub fn app(&self, name: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.is_called(name))
    }

    /// The app that answers to this resource identifier: client id, or App ID URI. URIs are compared with case,
    /// as Entra does, and with or without a trailing slash, as ARM's many spellings need.
    pub fn resource(&self, identifier: &str) -> Option<&App> {
        let plain = identifier.trim_end_matches('/');
        self.apps.iter().find(|app| {
            app.client_id.eq_ignore_ascii_case(identifier)
                || app
                    .identifier_uris
                    .iter()
                    .any(|uri| uri.trim_end_matches('/') == plain)
        })
    }

    /// Scopes of `resource` that `client` was given in the tenant, for everyone there.
    pub fn consented(&self, client_id: &str, resource_id: &str, tenant_id: &str) -> Vec<&str> {
        self.consents
            .iter()
            .filter(|c| c.client_id == client_id && c.resource_id == resource_id && c.tenant_id == tenant_id)
            .flat_map(|c| c.scopes.iter().map(String::as_str))
            .collect()
    }

    /// App roles of `resource` that the principal holds in the tenant.
    pub fn roles_of(&self, resource_id: &str, tenant_id: &str, oid: &str) -> Vec<&str> {
        self.app_roles
            .iter()
            .filter(|r| r.resource_id == resource_id && r.tenant_id == tenant_id && r.oid == oid)
            .map(|r| r.role.as_str())
            .collect()
    }
}
