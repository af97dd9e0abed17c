//! Metadata documents. URLs are the emulator's own and carry the tenant's GUID, also when asked for by domain.

use serde_json::{Value, json};

use super::error::EntraError;
use crate::azure::Azure;
use crate::directory::{Directory, Tenant};

/// Which tenant a path names.
pub(crate) enum Named<'a> {
    Tenant(&'a Tenant),
    /// `common` or `organizations`: whichever tenant the user turns out to be at home in.
    AnyTenant(&'a str),
}

/// Resolves the first path segment of a request to the login host.
pub(crate) fn tenant<'a>(directory: &'a Directory, segment: &'a str) -> Result<Named<'a>, EntraError> {
    if ["common", "organizations"]
        .iter()
        .any(|any| any.eq_ignore_ascii_case(segment))
    {
        return Ok(Named::AnyTenant(segment));
    }
    if let Some(tenant) = directory.tenant(segment) {
        return Ok(Named::Tenant(tenant));
    }
    // Personal accounts are not here; clients of their endpoint are told what Entra tells where a grant does not go.
    if segment.eq_ignore_ascii_case("consumers") {
        let message = "The grant type is not supported over the /common or /consumers endpoints. Please use the \
                       /organizations or tenant-specific endpoint.";
        return Err(EntraError::new("invalid_request", 9001023, message));
    }
    let is_domain = segment.contains('.')
        && segment
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    if is_domain || uuid::Uuid::parse_str(segment).is_ok() {
        Err(EntraError::tenant_not_found(segment))
    } else {
        Err(EntraError::tenant_malformed(segment))
    }
}

/// The v2 document. For `common` the issuer is a template with `{tenantid}` in it.
pub(crate) fn v2(azure: &Azure, named: &Named<'_>) -> Value {
    let (path, issuer) = names(named);
    let base = format!("{}{path}", azure.entra_url);
    json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{}{issuer}/v2.0", azure.entra_url),
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
        "claims_supported": CLAIMS,
        "kerberos_endpoint": format!("{base}/kerberos"),
        "tenant_region_scope": region(named),
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })
}

/// The v1 document. Its issuer keeps Microsoft's host, as v1 tokens do.
pub(crate) fn v1(azure: &Azure, named: &Named<'_>) -> Value {
    let (path, issuer) = names(named);
    let base = format!("{}{path}", azure.entra_url);
    json!({
        "token_endpoint": format!("{base}/oauth2/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{}common/discovery/keys", azure.entra_url),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
        "scopes_supported": ["openid"],
        "issuer": format!("https://sts.windows.net/{issuer}/"),
        "authorization_endpoint": format!("{base}/oauth2/authorize"),
        "claims_supported": CLAIMS,
        "microsoft_multi_refresh_token": true,
        "tenant_region_scope": region(named),
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })
}

/// Instance discovery: the emulator knows one authority, itself.
pub(crate) fn instance(azure: &Azure, authorization_endpoint: &str) -> Result<Value, EntraError> {
    let host = |url: &url::Url| {
        url.host_str()
            .map(|host| format!("{host}:{}", url.port_or_known_default().unwrap_or(443)))
    };
    let asked = url::Url::parse(authorization_endpoint).ok();
    if azure
        .below_entra(asked.as_ref().map_or("", url::Url::as_str))
        .is_none()
    {
        return Err(EntraError::new(
            "invalid_instance",
            50049,
            "Unknown or invalid instance.",
        ));
    }
    let path = asked
        .as_ref()
        .and_then(|url| url.path_segments()?.next())
        .filter(|p| !p.is_empty())
        .unwrap_or("common");
    let name = host(&azure.entra_url).unwrap_or_default();
    let by_number = name.replacen("localhost", "127.0.0.1", 1);
    Ok(json!({
        "tenant_discovery_endpoint": format!("{}{path}/v2.0/.well-known/openid-configuration", azure.entra_url),
        "api-version": "1.1",
        "metadata": [{ "preferred_network": name, "preferred_cache": name, "aliases": [name, by_number] }],
    }))
}

const CLAIMS: &[&str] = &[
    "sub",
    "iss",
    "cloud_instance_name",
    "cloud_instance_host_name",
    "cloud_graph_host_name",
    "msgraph_host",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "acr",
    "nonce",
    "preferred_username",
    "name",
    "tid",
    "ver",
    "at_hash",
    "c_hash",
    "email",
];

/// The path segment for URLs and the one for the issuer.
fn names<'a>(named: &Named<'a>) -> (&'a str, &'a str) {
    match named {
        Named::Tenant(tenant) => (&tenant.id, &tenant.id),
        Named::AnyTenant(word) => (word, "{tenantid}"),
    }
}

fn region(named: &Named<'_>) -> Option<&'static str> {
    matches!(named, Named::Tenant(_)).then_some("EU")
}
