//! The on-behalf-of grant: a user's token for this app becomes the same user's token for another API,
//! in the tenant of the endpoint's URL.

use serde_json::Value;

use super::{ARM_APP_ID, App, Directory, EntraError, Holder, Named, Request, Ticket, assertion, claims};
use super::{client_info, resource, scope_list, success};
use crate::directory::{Membership, Tenant, User};
use crate::entra::{client, scope};

/// Judges the request, in the order that gives the most telling refusal first.
pub(super) fn grant(
    request: &Request<'_>,
    directory: &Directory,
    named: &Named<'_>,
    segment: &str,
) -> Result<Value, EntraError> {
    let now = request.azure.clock.now();
    let app = client::authenticate(directory, segment, request.call, &request.form, now)?;
    if request.required("requested_token_use")? != "on_behalf_of" {
        let message = "The request is not properly formatted. The parameter 'requested_token_use' has an invalid value.";
        return Err(EntraError::new("invalid_request", 900144, message));
    }
    let token = request.required("assertion")?;
    let asked = scope::parse(request.required("scope")?)?;
    let user = assertion::verify(request.azure, directory, app, token, now)?.user;
    let tenant = match named {
        Named::Tenant(tenant) => tenant,
        // The known trap of /common: a guest gets the home tenant's token.
        Named::AnyTenant(_) => directory
            .tenant(&user.home_tenant)
            .ok_or_else(|| EntraError::tenant_not_found(&user.home_tenant))?,
    };
    let member = membership(user, tenant, app)?;
    let resource = resource(directory, &asked, &tenant.id)?;
    let scopes = consented(directory, app, resource, tenant, &asked.names)?;
    let list = scope_list(&asked, &scopes);
    let capabilities = request.capabilities();
    let ticket = Ticket {
        authority: request.azure.entra_url.as_str(),
        tenant_id: &tenant.id,
        client: app,
        resource,
        audience: &asked.resource,
        roles: directory.roles_of(&resource.client_id, &tenant.id, &member.oid),
        holder: Holder::User {
            user,
            oid: &member.oid,
            scopes,
        },
        capabilities: &capabilities,
        now,
        lifetime: claims::default_lifetime(),
    };
    let mut body = success(request.azure, &ticket, Some(list))?;
    if let Some(info) = client_info(request, user.home_oid(), &user.home_tenant) {
        body.insert("client_info".to_owned(), info);
    }
    Ok(Value::Object(body))
}

/// The user's object in the tenant of the endpoint: at home or as a guest, and not disabled.
fn membership<'a>(user: &'a User, tenant: &Tenant, app: &App) -> Result<&'a Membership, EntraError> {
    let Some(member) = user.in_tenant(&tenant.id) else {
        let code = if tenant.requires_mfa { 90072 } else { 50020 };
        let message = format!(
            "User account '{}' from identity provider '{}' does not exist in tenant '{}' and cannot access the \
             application '{}'({}) in that tenant. The account needs to be added as an external user in the tenant \
             first. Sign out and sign in again with a different Azure Active Directory user account.",
            user.upn,
            crate::directory::v1_issuer(&user.home_tenant),
            tenant.name,
            app.client_id,
            app.name,
        );
        return Err(EntraError::new("invalid_grant", code, message));
    };
    if !member.enabled {
        return Err(EntraError::new(
            "invalid_grant",
            50057,
            "The user account is disabled.",
        ));
    }
    Ok(member)
}

/// The scopes to grant: all that were consented to for `.default`, else exactly those asked for.
fn consented(
    directory: &Directory,
    app: &App,
    resource: &App,
    tenant: &Tenant,
    names: &[String],
) -> Result<Vec<String>, EntraError> {
    let mut given = directory.consented(&app.client_id, &resource.client_id, &tenant.id);
    given.sort_unstable();
    given.dedup();
    if given.is_empty() || names.iter().any(|name| !given.contains(&name.as_str())) {
        let message = format!(
            "The user or administrator has not consented to use the application with ID '{}' named '{}'. Send an \
             interactive authorization request for this user and resource.",
            app.client_id, app.name,
        );
        return Err(EntraError::new("invalid_grant", 65001, message).suberror("consent_required"));
    }
    // ARM has one scope; naming it or asking for .default comes to the same.
    let all = names.is_empty() || resource.client_id == ARM_APP_ID;
    Ok(if all {
        given.iter().map(|&s| s.to_owned()).collect()
    } else {
        names.to_vec()
    })
}
