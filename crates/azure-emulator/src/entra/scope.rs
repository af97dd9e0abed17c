//! The `scope` parameter: one resource, and either `.default` or names.

use super::error::EntraError;

/// What a token request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The resource as it was spelt; the token's audience for v1 resources.
    pub(crate) resource: String,
    /// Scope names; empty when `.default` was asked for.
    pub(crate) names: Vec<String>,
    pub(crate) openid: bool,
    pub(crate) offline_access: bool,
    pub(crate) profile: bool,
    pub(crate) email: bool,
}

/// The resource of scopes that name none.
const GRAPH: &str = "https://graph.microsoft.com";

/// Whether the scope is one of OpenID Connect's, which need no resource.
pub(crate) fn is_oidc(name: &str) -> bool {
    matches!(name, "openid" | "profile" | "email" | "offline_access")
}

/// The same as `parse` for requests of a signed-in user, where scopes without a resource are Microsoft Graph's, and
/// a sign-in alone is one too.
pub(crate) fn parse_sign_in(scope: &str) -> Result<Asked, EntraError> {
    let named = scope
        .split_whitespace()
        .any(|item| !is_oidc(item) && item.contains('/'));
    if named || scope.trim().is_empty() {
        return parse(scope);
    }
    // `offline_access` gives a refresh token, not a right to anything.
    let full = scope
        .split_whitespace()
        .map(|item| match item {
            "offline_access" => item.to_owned(),
            oidc if is_oidc(oidc) => format!("{oidc} {GRAPH}/{oidc}"),
            name => format!("{GRAPH}/{name}"),
        })
        .collect::<Vec<_>>()
        .join(" ");
    parse(&full)
}

/// The `resource` of the v1 endpoint, with what `scope` adds there: it is `{resource}/.default`.
pub(crate) fn parse_v1(resource: &str, scope: &str) -> Asked {
    let has = |name: &str| scope.split_whitespace().any(|item| item == name);
    Asked {
        resource: resource.to_owned(),
        names: Vec::new(),
        openid: has("openid"),
        offline_access: true,
        profile: true,
        email: has("email"),
    }
}

/// Takes a scope list apart. The resource is everything before a scope's last slash, so that a resource which ends
/// in a slash needs two of them (Microsoft Learn: "Scopes and permissions in the Microsoft identity platform").
pub(crate) fn parse(scope: &str) -> Result<Asked, EntraError> {
    let mut asked = Asked {
        resource: String::new(),
        names: Vec::new(),
        openid: false,
        offline_access: false,
        profile: false,
        email: false,
    };
    let mut default = false;
    for item in scope.split_whitespace() {
        match item {
            "openid" => asked.openid = true,
            "offline_access" => asked.offline_access = true,
            "profile" => asked.profile = true,
            "email" => asked.email = true,
            _ => {
                let (resource, name) = item.rsplit_once('/').ok_or_else(|| invalid(scope))?;
                if resource.is_empty() || name.is_empty() {
                    return Err(invalid(scope));
                }
                if !asked.resource.is_empty() && asked.resource != resource {
                    return Err(more_than_one(scope));
                }
                resource.clone_into(&mut asked.resource);
                match name {
                    ".default" => default = true,
                    _ => asked.names.push(name.to_owned()),
                }
            }
        }
    }
    if asked.resource.is_empty() || (default && !asked.names.is_empty()) {
        return Err(invalid(scope));
    }
    Ok(asked)
}

fn invalid(scope: &str) -> EntraError {
    let message = format!(
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
    );
    EntraError::new("invalid_scope", 70011, message)
}

fn more_than_one(scope: &str) -> EntraError {
    let message = format!(
        "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {scope} is not valid."
    );
    EntraError::new("invalid_scope", 28000, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_keeps_its_own_trailing_slash() {
        assert_eq!(
            parse("https://management.azure.com//.default").unwrap().resource,
            "https://management.azure.com/"
        );
        assert_eq!(
            parse("https://management.azure.com/.default").unwrap().resource,
            "https://management.azure.com"
        );
        assert_eq!(
            parse("api://x/Read api://x/Write openid").unwrap().names,
            ["Read", "Write"]
        );
    }

    #[test]
    fn two_resources_and_default_beside_names_are_refused() {
        assert_eq!(parse("api://x/Read api://y/Read").unwrap_err().code, 28000);
        for scope in [
            "api://x/.default api://x/Read",
            "Read",
            "openid",
            "",
            "/Read",
            "api://x/",
        ] {
            assert_eq!(parse(scope).unwrap_err().code, 70011, "{scope}");
        }
    }
}
