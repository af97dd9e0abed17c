//! A user's tokens for one client: what on-behalf-of, codes and refresh tokens have in common once it is known who
//! the user is and how they signed in.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{Request, client_info, scope_list, sign, sign_id, success};
use crate::directory::{Directory, Membership, Tenant, User};
use crate::entra::claims::{self, Holder, Ticket};
use crate::entra::client::Client;
use crate::entra::consent;
use crate::entra::discovery::Named;
use crate::entra::error::EntraError;
use crate::entra::id_token::IdTicket;
use crate::entra::judge::{Attempt, judge};
use crate::entra::scope::Asked;
use crate::sign_ins::{RefreshToken, SignIn, SignIns};

/// What a grant has found out.
pub(super) struct UserGrant<'a> {
    pub(super) client: Client<'a>,
    pub(super) user: &'a User,
    pub(super) tenant: &'a Tenant,
    pub(super) sign_in: SignIn,
    pub(super) asked: Asked,
    /// As it was sent, for the refresh token to remember.
    pub(super) scope: String,
    pub(super) claims: Option<Value>,
    pub(super) nonce: Option<String>,
}

impl UserGrant<'_> {
    /// Judges the user, looks for consent, and makes the tokens.
    pub(super) fn tokens(
        self,
        request: &Request<'_>,
        directory: &Directory,
        sign_ins: &mut SignIns,
    ) -> Result<Value, EntraError> {
        let now = request.azure.clock.now();
        let (app, tenant, user) = (self.client.app, self.tenant, self.user);
        let member = consent::membership(directory, user, tenant, app)?;
        let resource = consent::resource(directory, &self.asked, &tenant.id)?;
        let verdict = judge(&Attempt {
            directory,
            user,
            member,
            tenant,
            client: app,
            resource,
            sign_in: &self.sign_in,
            claims: self.claims.as_ref(),
            now,
        })?;
        let place = (tenant.id.as_str(), member.oid.as_str());
        let scopes = consent::granted(directory, app, resource, place, &self.asked.names)?;
        let list = scope_list(&self.asked, resource, &scopes);
        let capabilities = claims::capabilities(self.claims.as_ref());
        let ticket = Ticket {
            authority: request.azure.entra_url.as_str(),
            tenant_id: &tenant.id,
            client: app,
            resource,
            audience: &self.asked.resource,
            holder: Holder::User {
                user,
                oid: &member.oid,
                scopes,
                sign_in: Some(&self.sign_in),
                contexts: verdict.contexts,
                groups: directory.groups_of(&tenant.id, &member.oid).collect(),
            },
            roles: directory.roles_of(&resource.client_id, &tenant.id, &member.oid),
            class: self.client.class,
            capabilities: &capabilities,
            now,
            lifetime: (sign_ins.token_lifetime).unwrap_or_else(|| claims::lifetime(resource, &capabilities)),
        };
        let mut body = success(request, &ticket, &sign(request.azure, &ticket)?, Some(list));
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        if self.asked.openid {
            let id = self.id_ticket(&ticket, member);
            set("id_token", json!(sign_id(request.azure, &id)?));
        }
        if let Some(info) = client_info(request, user) {
            set("client_info", info);
        }
        if self.asked.offline_access {
            let token = sign_ins.issue_refresh_token(self.refresh_token(now));
            request.azure.remember(&token);
            set("refresh_token", json!(token));
        }
        Ok(Value::Object(body))
    }

    fn id_ticket<'t>(&'t self, ticket: &Ticket<'t>, member: &'t Membership) -> IdTicket<'t> {
        IdTicket {
            authority: ticket.authority,
            client: self.client.app,
            user: self.user,
            member,
            sign_in: &self.sign_in,
            nonce: self.nonce.as_deref(),
            profile: self.asked.profile,
            email: self.asked.email,
            now: ticket.now,
        }
    }

    fn refresh_token(self, issued: DateTime<Utc>) -> RefreshToken {
        RefreshToken {
            client_id: self.client.app.client_id.clone(),
            tenant_id: self.tenant.id.clone(),
            sign_in: self.sign_in,
            scope: self.scope,
            issued,
        }
    }
}

/// The tenant that the tokens will be of: the endpoint's, or where it names none, `otherwise`.
pub(super) fn tenant<'a>(
    directory: &'a Directory,
    named: &Named<'a>,
    otherwise: &str,
) -> Result<&'a Tenant, EntraError> {
    match named {
        Named::Tenant(tenant) => Ok(tenant),
        Named::AnyTenant(_) => directory
            .tenant(otherwise)
            .ok_or_else(|| EntraError::tenant_not_found(otherwise)),
    }
}

/// Both requests' `claims` in one: members of the later one win, capabilities of either count.
pub(super) fn merged(earlier: Option<Value>, later: Option<Value>) -> Option<Value> {
    match (earlier, later) {
        (Some(Value::Object(earlier)), Some(Value::Object(later))) => {
            Some(Value::Object(merge(earlier, later)))
        }
        (earlier, later) => later.or(earlier),
    }
}

fn merge(mut earlier: Map<String, Value>, later: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in later {
        let value = merged(earlier.remove(&name), Some(value)).unwrap_or_default();
        earlier.insert(name, value);
    }
    earlier
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_two_requests_become_one() {
        let earlier =
            json!({ "access_token": { "acrs": { "values": ["c1"] }, "xms_cc": { "values": ["cp1"] } } });
        let later = json!({ "access_token": { "acrs": { "values": ["c2"] } } });
        assert_eq!(
            merged(Some(earlier.clone()), Some(later)).unwrap(),
            json!({ "access_token": { "acrs": { "values": ["c2"] }, "xms_cc": { "values": ["cp1"] } } })
        );
        assert_eq!(merged(Some(earlier.clone()), None), Some(earlier));
        assert_eq!(merged(None, None), None);
    }
}
