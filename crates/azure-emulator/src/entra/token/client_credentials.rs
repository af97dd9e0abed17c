//! The client-credentials grant: an app's own token, in one tenant.

use serde_json::Value;

use super::{Directory, EntraError, Named, Request, sign, success};
use crate::entra::claims::{self, Holder, Ticket};
use crate::entra::consent;

/// How this grant refuses a request without any credential.
const NO_CREDENTIAL: (u32, &str) = (
    7000216,
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
);

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
                "The grant type is not supported over the /common or /consumers endpoints. Please use a tenant-specific endpoint. The endpoint was /{word}."
            );
            return Err(EntraError::new("invalid_request", 9001023, message));
        }
    };
    let client = request.client(directory, named, false, NO_CREDENTIAL)?;
    let app = client.app;
    let (asked, _) = request.asked()?;
    if !asked.names.is_empty() {
        let message = format!(
            "The provided value for scope {} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
            asked.names.join(" ")
        );
        return Err(EntraError::new("invalid_scope", 1002012, message));
    }
    let resource = consent::resource(directory, &asked, &tenant.id)?;
    let oid = app.principal_in(&tenant.id).unwrap_or_default();
    let capabilities = claims::capabilities(request.claims()?.as_ref());
    let ticket = Ticket {
        authority: request.azure.entra_url.as_str(),
        tenant_id: &tenant.id,
        client: app,
        resource,
        audience: &asked.resource,
        roles: directory.roles_of(&resource.client_id, &tenant.id, oid),
        holder: Holder::App { oid },
        class: client.class,
        capabilities: &capabilities,
        now,
        lifetime: claims::default_lifetime(),
    };
    let token = sign(request.azure, &ticket)?;
    Ok(Value::Object(success(request, &ticket, &token, None)))
}
