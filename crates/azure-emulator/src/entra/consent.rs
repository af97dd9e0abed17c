//! What a client was given of a resource, and what a page would have to ask for.

use super::error::EntraError;
use super::scope::{Asked, is_oidc};
use crate::directory::{ARM_APP_ID, App, Directory, GRAPH_APP_ID, Membership, Tenant, User};

/// The user's object in the tenant: at home or as a guest.
pub(super) fn membership<'a>(
    directory: &Directory,
    user: &'a User,
    tenant: &Tenant,
    app: &App,
) -> Result<&'a Membership, EntraError> {
    user.in_tenant(&tenant.id).ok_or_else(|| {
        // 90072 is what a stranger gets of whom the tenant would ask a second factor.
        let code = if directory.demands_mfa_of_strangers(&tenant.id) {
            90072
        } else {
            50020
        };
        let provider = crate::directory::v1_issuer(&user.home_tenant);
        stranger(code, &user.upn, &provider, tenant, app)
    })
}

/// Refuses an account of another identity provider that is not in the tenant.
pub(super) fn stranger(code: u32, name: &str, provider: &str, tenant: &Tenant, app: &App) -> EntraError {
    let message = format!(
        "User account '{name}' from identity provider '{provider}' does not exist in tenant '{}' and cannot access the \
         application '{}'({}) in that tenant. The account needs to be added as an external user in the tenant first. \
         Sign out and sign in again with a different Azure Active Directory user account.",
        tenant.name, app.client_id, app.name,
    );
    EntraError::new("invalid_grant", code, message)
}

/// Refuses an account that no tenant has.
pub(super) fn no_account(name: &str, tenant: &str) -> EntraError {
    let message = format!(
        "The user account {name} does not exist in the {tenant} directory. To sign into this application, the account \
         must be added to the directory."
    );
    EntraError::new("invalid_grant", 50034, message)
}

/// The resource that is asked for, if the tenant has it.
pub(super) fn resource<'a>(
    directory: &'a Directory,
    asked: &Asked,
    tenant_id: &str,
) -> Result<&'a App, EntraError> {
    directory
        .resource(&asked.resource)
        .filter(|app| app.principal_in(tenant_id).is_some())
        .ok_or_else(|| EntraError::resource_not_found(&asked.resource, tenant_id))
}

/// The scopes to grant: all that were consented to for `.default`, else exactly those asked for.
pub(super) fn granted(
    directory: &Directory,
    app: &App,
    resource: &App,
    (tenant_id, oid): (&str, &str),
    names: &[String],
) -> Result<Vec<String>, EntraError> {
    let mut given = directory.consented(&app.client_id, &resource.client_id, tenant_id, oid);
    // Who someone is, is given with the sign-in itself.
    if resource.client_id == GRAPH_APP_ID {
        given.extend(names.iter().map(String::as_str).filter(|name| is_oidc(name)));
    }
    given.sort_unstable();
    given.dedup();
    if given.is_empty() || names.iter().any(|name| !given.contains(&name.as_str())) {
        return Err(missing(app));
    }
    // ARM has one scope; naming it or asking for .default comes to the same.
    let all = names.is_empty() || resource.client_id == ARM_APP_ID;
    Ok(if all {
        given.into_iter().map(str::to_owned).collect()
    } else {
        names.to_vec()
    })
}

/// What a consent page asks for: the names that were sent, or for `.default` what the registration lists of that
/// resource. An app whose registration lists nothing of it is taken to want everything.
pub(super) fn to_ask(app: &App, resource: &App, names: &[String]) -> Vec<String> {
    if !names.is_empty() {
        return names.to_vec();
    }
    let required = app
        .required_permissions
        .iter()
        .find(|required| required.resource_id == resource.client_id);
    required.map_or_else(|| resource.scopes.clone(), |required| required.scopes.clone())
}

fn missing(app: &App) -> EntraError {
    let message = format!(
        "The user or administrator has not consented to use the application with ID '{}' named '{}'. Send an \
         interactive authorization request for this user and resource.",
        app.client_id, app.name,
    );
    EntraError::new("invalid_grant", 65001, message).suberror("consent_required")
}
