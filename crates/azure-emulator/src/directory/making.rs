//! Directory objects and credentials that come and go while the cloud runs.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ARM_APP_ID, App, Directory, GRAPH_APP_ID, Membership, Secret, TOKEN_EXCHANGE_APP_ID, Tenant};
use super::{UnknownName, User};

impl Directory {
    /// Gives the app a secret, beside those it has.
    pub fn add_secret(
        &mut self,
        app: &str,
        value: &str,
        expires: Option<DateTime<Utc>>,
    ) -> Result<(), UnknownName> {
        let value = value.to_owned();
        self.app_mut(app)?.secrets.push(Secret { value, expires });
        Ok(())
    }

    /// Takes a secret from the app.
    pub fn remove_secret(&mut self, app: &str, value: &str) -> Result<(), UnknownName> {
        let secrets = &mut self.app_mut(app)?.secrets;
        // The refusal names the app: a secret stands in no message.
        shorter(secrets, |secret| secret.value == value, "such secret of app", app)
    }

    /// Takes a certificate from the app, by its SHA-1 in hex.
    pub fn remove_certificate(&mut self, app: &str, thumbprint: &str) -> Result<(), UnknownName> {
        let certificates = &mut self.app_mut(app)?.certificates;
        let is_it = |known: &super::Certificate| known.thumbprint().eq_ignore_ascii_case(thumbprint);
        shorter(certificates, is_it, "certificate of that app", thumbprint)
    }

    /// Takes the app's federated credentials for an issuer and a subject.
    pub fn remove_federated_credential(
        &mut self,
        app: &str,
        issuer: &str,
        subject: &str,
    ) -> Result<(), UnknownName> {
        let credentials = &mut self.app_mut(app)?.federated_credentials;
        let is_it = |known: &super::FederatedCredential| known.issuer == issuer && known.subject == subject;
        shorter(credentials, is_it, "federated credential of that app", subject)
    }

    /// Removes a group. Roles that it was given stay, and nobody holds them by it any more.
    pub fn remove_group(&mut self, tenant: &str, group: &str) -> Result<(), UnknownName> {
        let tenant_id = self.tenant_id(tenant)?;
        let id = self.group_id(group, &tenant_id)?;
        self.groups.retain(|known| known.id != id);
        Ok(())
    }

    /// Makes a tenant, in which Microsoft's own APIs are, as in every tenant. Gives false when its id or domain is taken.
    pub(crate) fn add_tenant(&mut self, id: Uuid, name: &str, domain: &str) -> bool {
        let id = id.to_string();
        if self.tenant(&id).is_some() || self.tenant(domain).is_some() {
            return false;
        }
        self.tenants.push(Tenant {
            id: id.clone(),
            name: name.to_owned(),
            domains: vec![domain.to_owned()],
            requires_mfa: false,
        });
        for app in [ARM_APP_ID, GRAPH_APP_ID, TOKEN_EXCHANGE_APP_ID] {
            let _ = self.provision(app, &id);
        }
        true
    }

    /// Makes a user at home in the tenant that owns the UPN's domain. Gives false when the UPN is taken.
    pub(crate) fn add_user(&mut self, upn: &str, name: &str, oid: Uuid) -> Result<bool, UnknownName> {
        let domain = upn.split_once('@').map_or("", |(_, domain)| domain);
        let home_tenant = self.tenant_id(domain)?;
        if self.user(upn).is_some() || self.user(&oid.to_string()).is_some() {
            return Ok(false);
        }
        self.users.push(User {
            upn: upn.to_owned(),
            name: name.to_owned(),
            memberships: vec![Membership {
                tenant_id: home_tenant.clone(),
                oid: oid.to_string(),
                enabled: true,
            }],
            home_tenant,
            mfa_enrolled: true,
            tokens_valid_from: None,
            password_changed: None,
        });
        Ok(true)
    }

    /// Registers an app. Gives false when its name or client id is taken.
    pub(crate) fn add_app(&mut self, app: App) -> bool {
        let is_taken = self.app(&app.name).is_some() || self.app(&app.client_id).is_some();
        if !is_taken {
            self.apps.push(app);
        }
        !is_taken
    }
}

/// Takes out what is meant, which must be there.
fn shorter<T>(
    list: &mut Vec<T>,
    is_meant: impl Fn(&T) -> bool,
    kind: &'static str,
    name: &str,
) -> Result<(), UnknownName> {
    let before = list.len();
    list.retain(|item| !is_meant(item));
    if list.len() == before {
        return Err(UnknownName::new(kind, name));
    }
    Ok(())
}
