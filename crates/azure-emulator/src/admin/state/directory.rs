//! Tenants, users, apps and what was given to them, as the admin API shows them.

use serde::Serialize;

use super::{app_name, principal_name, tenant_name};
use crate::directory::{Certificate, TokenVersion};
use crate::world::World;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Tenant {
    pub(in crate::admin) id: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) domains: Vec<String>,
    pub(in crate::admin) requires_mfa: bool,
    /// Who may consent for everyone; where nobody is named, everybody there may.
    pub(in crate::admin) administrators: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct User {
    pub(in crate::admin) upn: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) enabled: bool,
    pub(in crate::admin) memberships: Vec<Membership>,
    /// Sign-ins before count no more.
    pub(in crate::admin) sessions_revoked: Option<String>,
    /// The same for the password.
    pub(in crate::admin) password_changed: Option<String>,
    pub(in crate::admin) mfa_enrolled: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Membership {
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) oid: String,
    pub(in crate::admin) guest: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct App {
    pub(in crate::admin) name: String,
    pub(in crate::admin) client_id: String,
    pub(in crate::admin) identifier_uris: Vec<String>,
    pub(in crate::admin) token_version: u8,
    pub(in crate::admin) scopes: Vec<String>,
    pub(in crate::admin) app_roles: Vec<String>,
    pub(in crate::admin) redirect_uris: Vec<String>,
    /// How many.
    pub(in crate::admin) secrets: usize,
    /// Thumbprints.
    pub(in crate::admin) certificates: Vec<String>,
    pub(in crate::admin) federated_credentials: Vec<Federated>,
    pub(in crate::admin) provisioned_in: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Federated {
    pub(in crate::admin) issuer: String,
    pub(in crate::admin) subject: String,
    pub(in crate::admin) audience: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct Consent {
    pub(in crate::admin) app: String,
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) resource: String,
    pub(in crate::admin) scopes: Vec<String>,
    /// Nothing when it is for everyone in the tenant.
    pub(in crate::admin) user: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::admin) struct AppRole {
    pub(in crate::admin) principal: String,
    pub(in crate::admin) tenant: String,
    pub(in crate::admin) app: String,
    pub(in crate::admin) role: String,
}

pub(super) fn tenants(world: &World) -> Vec<Tenant> {
    let administrators = |id: &str| {
        let known = world.directory.administrators.iter();
        known
            .filter(|(tenant, _)| tenant == id)
            .map(|(tenant, oid)| principal_name(world, tenant, oid))
            .collect()
    };
    let tenants = world.directory.tenants.iter();
    tenants
        .map(|tenant| Tenant {
            id: tenant.id.clone(),
            name: tenant.name.clone(),
            domains: tenant.domains.clone(),
            requires_mfa: tenant.requires_mfa,
            administrators: administrators(&tenant.id),
        })
        .collect()
}

pub(super) fn users(world: &World) -> Vec<User> {
    let users = world.directory.users.iter();
    users
        .map(|user| {
            let memberships = user.memberships.iter().map(|membership| Membership {
                tenant: tenant_name(world, &membership.tenant_id),
                oid: membership.oid.clone(),
                guest: membership.tenant_id != user.home_tenant,
            });
            User {
                upn: user.upn.clone(),
                name: user.name.clone(),
                enabled: user.memberships.iter().all(|membership| membership.enabled),
                memberships: memberships.collect(),
                sessions_revoked: user.tokens_valid_from.map(|at| at.to_rfc3339()),
                password_changed: user.password_changed.map(|at| at.to_rfc3339()),
                mfa_enrolled: user.mfa_enrolled,
            }
        })
        .collect()
}

pub(super) fn apps(world: &World) -> Vec<App> {
    let apps = world.directory.apps.iter();
    apps.map(|app| App {
        name: app.name.clone(),
        client_id: app.client_id.clone(),
        identifier_uris: app.identifier_uris.clone(),
        token_version: match app.token_version {
            TokenVersion::V1 => 1,
            TokenVersion::V2 => 2,
        },
        scopes: app.scopes.clone(),
        app_roles: app.app_roles.clone(),
        redirect_uris: app.redirect_uris.clone(),
        secrets: app.secrets.len(),
        certificates: app.certificates.iter().map(Certificate::thumbprint).collect(),
        federated_credentials: (app.federated_credentials.iter())
            .map(|known| Federated {
                issuer: known.issuer.clone(),
                subject: known.subject.clone(),
                audience: known.audience.clone(),
            })
            .collect(),
        provisioned_in: app
            .provisioned
            .iter()
            .map(|(id, _)| tenant_name(world, id))
            .collect(),
    })
    .collect()
}

pub(super) fn consents(world: &World) -> Vec<Consent> {
    let consents = world.directory.consents.iter();
    consents
        .map(|consent| Consent {
            app: app_name(world, &consent.client_id),
            tenant: tenant_name(world, &consent.tenant_id),
            resource: app_name(world, &consent.resource_id),
            scopes: consent.scopes.clone(),
            user: (consent.principal.as_ref()).map(|oid| principal_name(world, &consent.tenant_id, oid)),
        })
        .collect()
}

pub(super) fn app_roles(world: &World) -> Vec<AppRole> {
    let grants = world.directory.app_roles.iter();
    grants
        .map(|grant| AppRole {
            principal: principal_name(world, &grant.tenant_id, &grant.oid),
            tenant: tenant_name(world, &grant.tenant_id),
            app: app_name(world, &grant.resource_id),
            role: grant.role.clone(),
        })
        .collect()
}
