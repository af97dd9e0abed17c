//! The client-credentials grant: an app's own token, in one tenant.

use serde_json::Value;

use super::{Directory, EntraError, Holder, Named, Request, Ticket, claims, resource, success};
use crate::entra::{client, scope};

/// Judges the request. Only `{resource}/.default` can be asked for.
pub(super) fn grant(
    request: &Request<'_>,
    directory: &Directory,
    named: &Named<'_>,
) -> Result<Value, EntraError> {
    let now = request.azure.clock.now();
    let tenant = match named {
        Named::Tenant(tenant) => tenant,
        Named::AnyTenant(word) => {
            let message = format!(
                "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint. The endpoint was /{word}."
            );
            return Err(EntraError::new("invalid_request", 9001023, message));
        }
    };
    let app = client::authenticate(directory, &tenant.id, request.call, &request.form, now)?;
    let asked = scope::parse(request.required("scope")?)?;
    if !asked.names.is_empty() {
        let message = format!(
            "The provided value for scope {} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
            asked.names.join(" ")
        );
        return Err(EntraError::new("invalid_scope", 1002012, message));
    }
    let resource = resource(directory, &asked, &tenant.id)?;
    let oid = app.principal_in(&tenant.id).unwrap_or_default();
    let ticket = Ticket {
        authority: request.azure.entra_url.as_str(),
        tenant_id: &tenant.id,
        client: app,
        resource,
        audience: &asked.resource,
        roles: directory.roles_of(&resource.client_id, &tenant.id, oid),
        holder: Holder::App { oid },
        capabilities: &request.capabilities(),
        now,
        lifetime: claims::default_lifetime(),
    };
    Ok(Value::Object(success(request.azure, &ticket, None)?))
}
