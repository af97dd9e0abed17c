//! The admin-consent pages: an administrator gives an app what it asks for, for everyone in the tenant
//! (Microsoft Learn: "Admin consent on the Microsoft identity platform").
//!
//! A script posts `account` (UPN) and `decision` (`accept` or `cancel`) to the page's own URL.

use std::fmt::Write as _;

use http::StatusCode;

use super::consent::to_ask;
use super::discovery::{self, Named};
use super::error::EntraError;
use super::page::{self, escape, hidden};
use super::scope;
use super::sign_in::{Reply, administrator_needed, declined, destination, parameters, posted};
use crate::azure::Azure;
use crate::directory::{App, Directory, Tenant, User};
use crate::exchange::{Answer, Call, find};
use crate::world::World;

/// Which of the two pages; they differ in parameters and in what they answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// Scopes of one resource, in words for the redirect and in parts for the record.
struct Given {
    resource_id: String,
    resource: String,
    scopes: Vec<String>,
}

/// Answers `/{tenant}/v2.0/adminconsent` and `/{tenant}/adminconsent`.
pub(super) fn answer(azure: &Azure, segment: &str, version: Version, call: &Call) -> Answer {
    let parameters = parameters(call);
    let mut world = azure.world();
    match page(azure, segment, version, call, &parameters, &mut world) {
        Ok(answer) => answer,
        Err(error) => page::refusal(azure, call, &error),
    }
}

fn page(
    azure: &Azure,
    segment: &str,
    version: Version,
    call: &Call,
    parameters: &[(String, String)],
    world: &mut World,
) -> Result<Answer, EntraError> {
    let field = |name: &str| find(parameters, |key| key == name).filter(|value| !value.is_empty());
    let named = discovery::tenant(&world.directory, segment)?;
    if version == Version::V2 && segment.eq_ignore_ascii_case("common") {
        // Which number the real page shows is not known.
        let message = "The endpoint is not supported over /common. Please use /organizations or a tenant-specific endpoint.";
        return Err(EntraError::new("invalid_request", 9001023, message));
    }
    let tenant = match named {
        Named::Tenant(tenant) => Some(tenant.clone()),
        Named::AnyTenant(_) => None,
    };
    let (app, reply) = destination(&world.directory, segment, parameters)?;
    if version == Version::V2 && field("redirect_uri").is_none() {
        // Documented as required, unlike version 1's.
        return Err(EntraError::missing_parameter("redirect_uri"));
    }
    let given = match wanted(&world.directory, &app, version, field("scope")) {
        Ok(given) => given,
        Err(error) => return Ok(reply.refuse(azure, call, &error)),
    };
    let posted = posted(call);
    let answer = |name: &str| find(&posted, |key| key == name).filter(|value| !value.is_empty());
    if answer("decision") == Some("cancel") {
        return Ok(refused(azure, call, &reply, version));
    }
    let form = Form {
        call,
        parameters,
        tenant: tenant.as_ref(),
        app: &app,
        given: &given,
    };
    let Some(name) = answer("account").filter(|_| answer("decision") == Some("accept")) else {
        return Ok(form.draw(&world.directory, None));
    };
    match accept(world, &form, name) {
        Ok(tenant_id) => Ok(accepted(&reply, version, &tenant_id, &given)),
        Err(error) => {
            let text = format!("AADSTS{}: {}", error.code, error.message);
            Ok(form.draw(&world.directory, Some(&text)))
        }
    }
}

/// What is asked for: named scopes of one resource, or all that the registration lists.
fn wanted(
    directory: &Directory,
    app: &App,
    version: Version,
    sent: Option<&str>,
) -> Result<Vec<Given>, EntraError> {
    if version == Version::V2 {
        let sent = sent.ok_or_else(|| EntraError::missing_parameter("scope"))?;
        let asked = scope::parse_sign_in(sent)?;
        let resource = directory
            .resource(&asked.resource)
            .ok_or_else(|| EntraError::resource_not_found(&asked.resource, "this cloud"))?;
        let lists = app
            .required_permissions
            .iter()
            .any(|p| p.resource_id == resource.client_id);
        if !asked.names.is_empty() || !lists {
            return Ok(vec![Given {
                resource_id: resource.client_id.clone(),
                resource: asked.resource.clone(),
                scopes: to_ask(app, resource, &asked.names),
            }]);
        }
    }
    let named = |id: &str| {
        let app = directory.app(id)?;
        app.identifier_uris
            .first()
            .map(|uri| uri.trim_end_matches('/').to_owned())
    };
    let all = app.required_permissions.iter().map(|permission| Given {
        resource_id: permission.resource_id.clone(),
        resource: named(&permission.resource_id).unwrap_or_else(|| permission.resource_id.clone()),
        scopes: permission.scopes.clone(),
    });
    Ok(all.collect())
}

/// Records the consent; gives the tenant's GUID.
fn accept(world: &mut World, form: &Form<'_>, name: &str) -> Result<String, EntraError> {
    let directory = &mut world.directory;
    let user = directory.user(name).cloned();
    let user = user.ok_or_else(|| {
        EntraError::new(
            "invalid_grant",
            50034,
            format!("The user account '{name}' does not exist."),
        )
    })?;
    let tenant_id = form.tenant.map_or(&user.home_tenant, |tenant| &tenant.id).clone();
    let member = user.in_tenant(&tenant_id).filter(|member| member.enabled);
    if !member.is_some_and(|member| directory.is_administrator(&tenant_id, &member.oid)) {
        return Err(administrator_needed());
    }
    let unknown =
        |error: crate::directory::UnknownName| EntraError::new("invalid_client", 650053, error.to_string());
    // An API that asks for nothing itself is still brought into the tenant.
    directory
        .provision(&form.app.client_id, &tenant_id)
        .map_err(unknown)?;
    for given in form.given {
        let scopes: Vec<&str> = given.scopes.iter().map(String::as_str).collect();
        directory
            .grant_consent(&form.app.client_id, &tenant_id, &given.resource_id, &scopes)
            .map_err(unknown)?;
    }
    Ok(tenant_id)
}

fn accepted(reply: &Reply, version: Version, tenant_id: &str, given: &[Given]) -> Answer {
    let mut parameters = vec![
        ("admin_consent", "True".to_owned()),
        ("tenant", tenant_id.to_owned()),
    ];
    if version == Version::V2 {
        let scopes = given.iter().flat_map(|given| {
            given
                .scopes
                .iter()
                .map(|scope| format!("{}/{scope}", given.resource))
        });
        parameters.push(("scope", scopes.collect::<Vec<_>>().join(" ")));
    }
    reply.send(parameters)
}

fn refused(azure: &Azure, call: &Call, reply: &Reply, version: Version) -> Answer {
    let error = match version {
        Version::V1 => "permission_denied",
        Version::V2 => "consent_required",
    };
    let error = EntraError { error, ..declined() };
    let more = match version {
        Version::V1 => Vec::new(),
        Version::V2 => vec![("admin_consent", "True".to_owned())],
    };
    reply.refuse_with(azure, call, &error, more)
}

/// The page with its accounts.
struct Form<'a> {
    call: &'a Call,
    parameters: &'a [(String, String)],
    tenant: Option<&'a Tenant>,
    app: &'a App,
    given: &'a [Given],
}

impl Form<'_> {
    fn draw(&self, directory: &Directory, refusal: Option<&str>) -> Answer {
        let mut body = format!(
            "<p><b>{}</b> asks, for everyone in <b>{}</b>:</p>\n<ul>",
            escape(&self.app.name),
            escape(
                self.tenant
                    .map_or("the account’s organization", |tenant| tenant.name.as_str())
            ),
        );
        for given in self.given {
            for scope in &given.scopes {
                let _ = write!(
                    body,
                    "<li><code>{}/{}</code></li>",
                    escape(&given.resource),
                    escape(scope)
                );
            }
        }
        body.push_str("</ul>\n");
        if let Some(refusal) = refusal {
            let _ = writeln!(body, "<p class=\"refusal\">{}</p>", escape(refusal));
        }
        let theirs = self
            .parameters
            .iter()
            .filter(|(name, _)| !["account", "decision"].contains(&name.as_str()));
        let path = self.call.path_and_query.split('?').next().unwrap_or_default();
        let _ = write!(
            body,
            "<form method=\"post\" action=\"{}\">\n{}<p><select name=\"account\">",
            escape(path),
            hidden(theirs.map(|(name, value)| (name.as_str(), value.as_str()))),
        );
        for user in self.accounts(directory) {
            let _ = writeln!(body, "<option>{}</option>", escape(&user.upn));
        }
        body.push_str(
            "</select></p>\n<button name=\"decision\" value=\"accept\">Accept</button>\n\
             <button name=\"decision\" value=\"cancel\">Cancel</button></form>",
        );
        page::page(
            StatusCode::OK,
            "Permissions requested: review for your organization",
            &body,
        )
    }

    /// Who could say yes.
    fn accounts<'a>(&self, directory: &'a Directory) -> Vec<&'a User> {
        let may = |user: &&User| {
            let tenant_id = self.tenant.map_or(&user.home_tenant, |tenant| &tenant.id);
            let member = user.in_tenant(tenant_id);
            member.is_some_and(|member| directory.is_administrator(tenant_id, &member.oid))
        };
        directory.users.iter().filter(may).collect()
    }
}
