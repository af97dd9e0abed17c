//! Tenants, users, apps and what was given to them, as the admin API shows them.

use serde_json::{Value, json};

use super::{app_name, list, principal_name, tenant_name};
use crate::directory::{Certificate, TokenVersion};
use crate::world::World;

/// Where no administrators are named, everybody may consent for everyone.
pub(super) fn tenants(world: &World) -> Value {
    let administrators = |id: &str| {
        let known = world.directory.administrators.iter();
        let known = known.filter(|(tenant, _)| tenant == id);
        list(known, |(tenant, oid)| json!(principal_name(world, tenant, oid)))
    };
    list(&world.directory.tenants, |tenant| {
        json!({
            "id": tenant.id,
            "name": tenant.name,
            "domains": tenant.domains,
            "requiresMfa": tenant.requires_mfa,
            "administrators": administrators(&tenant.id),
        })
    })
}

/// Sign-ins before `sessionsRevoked` count no more; the same holds for the password.
pub(super) fn users(world: &World) -> Value {
    list(&world.directory.users, |user| {
        json!({
            "upn": user.upn,
            "name": user.name,
            "enabled": user.memberships.iter().all(|membership| membership.enabled),
            "memberships": list(&user.memberships, |membership| json!({
                "tenant": tenant_name(world, &membership.tenant_id),
                "oid": membership.oid,
                "guest": membership.tenant_id != user.home_tenant,
            })),
            "sessionsRevoked": user.tokens_valid_from.map(|at| at.to_rfc3339()),
            "passwordChanged": user.password_changed.map(|at| at.to_rfc3339()),
            "mfaEnrolled": user.mfa_enrolled,
        })
    })
}

/// Secrets are counted, certificates shown by their thumbprints.
pub(super) fn apps(world: &World) -> Value {
    list(&world.directory.apps, |app| {
        json!({
            "name": app.name,
            "clientId": app.client_id,
            "identifierUris": app.identifier_uris,
            "tokenVersion": match app.token_version {
                TokenVersion::V1 => 1,
                TokenVersion::V2 => 2,
            },
            "scopes": app.scopes,
            "appRoles": app.app_roles,
            "redirectUris": app.redirect_uris,
            "secrets": app.secrets.len(),
            "certificates": app.certificates.iter().map(Certificate::thumbprint).collect::<Vec<_>>(),
            "federatedCredentials": list(&app.federated_credentials, |known| json!({
                "issuer": known.issuer,
                "subject": known.subject,
                "audience": known.audience,
            })),
            "provisionedIn": list(&app.provisioned, |(id, _)| json!(tenant_name(world, id))),
        })
    })
}

/// A consent without a user is for everyone in the tenant.
pub(super) fn consents(world: &World) -> Value {
    list(&world.directory.consents, |consent| {
        let user = consent.principal.as_ref();
        json!({
            "app": app_name(world, &consent.client_id),
            "tenant": tenant_name(world, &consent.tenant_id),
            "resource": app_name(world, &consent.resource_id),
            "scopes": consent.scopes,
            "user": user.map(|oid| principal_name(world, &consent.tenant_id, oid)),
        })
    })
}

pub(super) fn app_roles(world: &World) -> Value {
    list(&world.directory.app_roles, |grant| {
        json!({
            "principal": principal_name(world, &grant.tenant_id, &grant.oid),
            "tenant": tenant_name(world, &grant.tenant_id),
            "app": app_name(world, &grant.resource_id),
            "role": grant.role,
        })
    })
}
