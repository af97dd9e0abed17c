//! The directory: tenants, the people in them, app registrations, and what each tenant has consented to.
//! Here live the facts and their changes. What they mean for a token request is decided in `entra`,
//! and what a principal may do at ARM in `resources`.

mod app;
mod change;
mod credential;
mod group;
mod guest;
mod making;
mod policy;
mod principal;
mod standing;
mod tenant;
mod user;
mod x509;

pub use app::{App, AppRoleGrant, Consent, RequiredPermission, Secret, TokenVersion};
pub use change::UnknownName;
pub(crate) use credential::Algorithm;
pub use credential::{Certificate, CredentialError, FederatedCredential, TrustedIssuer};
pub use group::Group;
pub use policy::{Policy, PolicySpec, Requirement};
pub use tenant::Tenant;
pub(crate) use tenant::v1_issuer;
pub use user::{Membership, User};

/// Client id of ARM's own app, which every tenant has ("Windows Azure Service Management API").
pub const ARM_APP_ID: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";
/// The name under which seeds and tests speak of ARM's app.
pub const ARM_APP_NAME: &str = "azure-resource-manager";
/// Client id of Microsoft Graph's app: the resource of `openid`, `profile` and other scopes that name none.
pub const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";
/// The resource that tokens are for which serve as federated credentials ("Azure AD Token Exchange Endpoint").
pub const TOKEN_EXCHANGE_APP_ID: &str = "fb60f99c-7a34-4190-8149-302f77469936";

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
    /// Issuers outside of this cloud that federated credentials may name.
    pub issuers: Vec<TrustedIssuer>,
    /// Who may consent for a whole tenant: the tenant's GUID and the user's object id there.
    pub administrators: Vec<(String, String)>,
    /// Security groups of all tenants.
    pub groups: Vec<Group>,
    /// Conditional Access policies of all tenants.
    pub policies: Vec<Policy>,
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

    /// Scopes of `resource` that `client` was given in the tenant: for everyone there, and for this user alone.
    pub fn consented(&self, client_id: &str, resource_id: &str, tenant_id: &str, oid: &str) -> Vec<&str> {
        self.consents
            .iter()
            .filter(|c| c.client_id == client_id && c.resource_id == resource_id && c.tenant_id == tenant_id)
            .filter(|c| c.principal.as_deref().is_none_or(|principal| principal == oid))
            .flat_map(|c| c.scopes.iter().map(String::as_str))
            .collect()
    }

    /// Whether the user with this object id may consent for the tenant. Where a seed names no administrator,
    /// every member of the tenant is one.
    pub fn is_administrator(&self, tenant_id: &str, oid: &str) -> bool {
        let mut of_tenant = self
            .administrators
            .iter()
            .filter(|(tenant, _)| tenant == tenant_id)
            .peekable();
        of_tenant.peek().is_none() || of_tenant.any(|(_, administrator)| administrator == oid)
    }

    /// App roles of `resource` that the principal holds in the tenant, itself or by a group, each once.
    pub fn roles_of(&self, resource_id: &str, tenant_id: &str, oid: &str) -> Vec<&str> {
        let groups: Vec<&str> = self.groups_of(tenant_id, oid).collect();
        let holds = |holder: &str| holder == oid || groups.contains(&holder);
        let mut roles: Vec<&str> = Vec::new();
        let given = self
            .app_roles
            .iter()
            .filter(|r| r.resource_id == resource_id && r.tenant_id == tenant_id && holds(&r.oid));
        for role in given {
            if !roles.contains(&role.role.as_str()) {
                roles.push(&role.role);
            }
        }
        roles
    }
}
