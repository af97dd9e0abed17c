//! Changes to the directory, by the names that seeds and tests use.

use super::{
    App, AppRoleGrant, Certificate, Consent, CredentialError, Directory, FederatedCredential, TrustedIssuer,
};

/// A name that the emulated cloud does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {kind} \"{name}\"")]
pub struct UnknownName {
    /// What was looked for.
    pub kind: &'static str,
    /// The name that was not found.
    pub name: String,
}

impl UnknownName {
    pub(crate) fn new(kind: &'static str, name: &str) -> UnknownName {
        UnknownName {
            kind,
            name: name.to_owned(),
        }
    }
}

impl Directory {
    /// The tenant's GUID.
    pub(crate) fn tenant_id(&self, name: &str) -> Result<String, UnknownName> {
        self.tenant(name)
            .map(|t| t.id.clone())
            .ok_or_else(|| UnknownName::new("tenant", name))
    }

    /// The app's client id; App ID URIs are understood too.
    pub(crate) fn client_id(&self, name: &str) -> Result<String, UnknownName> {
        let app = self.app(name).or_else(|| self.resource(name));
        app.map(|a| a.client_id.clone())
            .ok_or_else(|| UnknownName::new("app", name))
    }

    /// Gives `client` the scopes of `resource` for everyone in the tenant, on top of what it has,
    /// and provisions the client there, as an administrator's consent does.
    pub fn grant_consent(
        &mut self,
        client: &str,
        tenant: &str,
        resource: &str,
        scopes: &[&str],
    ) -> Result<(), UnknownName> {
        self.consent(client, tenant, resource, scopes, None)
    }

    /// The same for one user alone (object id in the tenant), or for everyone when there is none.
    pub fn consent(
        &mut self,
        client: &str,
        tenant: &str,
        resource: &str,
        scopes: &[&str],
        principal: Option<&str>,
    ) -> Result<(), UnknownName> {
        let (tenant_id, client_id) = (self.tenant_id(tenant)?, self.client_id(client)?);
        let resource_id = self.client_id(resource)?;
        let known = self.app(&resource_id);
        if let Some(scope) = scopes
            .iter()
            .find(|scope| !known.is_some_and(|app| app.exposes(scope)))
        {
            return Err(UnknownName::new("scope", scope));
        }
        self.provision(&client_id, &tenant_id)?;
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.consents.push(Consent {
            tenant_id,
            client_id,
            resource_id,
            scopes,
            principal: principal.map(str::to_owned),
        });
        Ok(())
    }

    /// Takes back everything the app was given in the tenant. It stays provisioned.
    pub fn revoke_consent(&mut self, app: &str, tenant: &str) -> Result<(), UnknownName> {
        let (tenant_id, client_id) = (self.tenant_id(tenant)?, self.client_id(app)?);
        self.consents
            .retain(|c| !(c.client_id == client_id && c.tenant_id == tenant_id));
        Ok(())
    }

    /// Gives the app a service principal in the tenant, if it has none.
    pub fn provision(&mut self, app: &str, tenant: &str) -> Result<(), UnknownName> {
        let tenant_id = self.tenant_id(tenant)?;
        let app = self.app_mut(app)?;
        if app.principal_in(&tenant_id).is_none() {
            app.provisioned
                .push((tenant_id, uuid::Uuid::new_v4().to_string()));
        }
        Ok(())
    }

    /// Removes the app's service principal from the tenant, and with it what it was given there.
    pub fn deprovision(&mut self, app: &str, tenant: &str) -> Result<(), UnknownName> {
        let tenant_id = self.tenant_id(tenant)?;
        self.revoke_consent(app, &tenant_id)?;
        self.app_mut(app)?.provisioned.retain(|(id, _)| *id != tenant_id);
        Ok(())
    }

    /// Registers a certificate (PEM) on the app.
    pub fn add_certificate(&mut self, app: &str, pem: &str) -> Result<(), CredentialError> {
        let certificate = Certificate::from_pem(pem)?;
        self.app_mut(app)?.certificates.push(certificate);
        Ok(())
    }

    /// Gives the app a federated credential.
    pub fn add_federated_credential(
        &mut self,
        app: &str,
        credential: FederatedCredential,
    ) -> Result<(), UnknownName> {
        self.app_mut(app)?.federated_credentials.push(credential);
        Ok(())
    }

    /// Makes an issuer outside of this cloud known, with the keys of a JWKS document, in place of older ones.
    pub fn trust_issuer(&mut self, issuer: &str, jwks: &serde_json::Value) -> Result<(), CredentialError> {
        let trusted = TrustedIssuer::new(issuer, jwks)?;
        self.issuers.retain(|known| known.issuer != issuer);
        self.issuers.push(trusted);
        Ok(())
    }

    /// Gives the user, service principal or group an app role in the tenant.
    pub fn assign_app_role(
        &mut self,
        user: &str,
        tenant: &str,
        app: &str,
        role: &str,
    ) -> Result<(), UnknownName> {
        let (tenant_id, resource_id) = (self.tenant_id(tenant)?, self.client_id(app)?);
        if !self
            .app(&resource_id)
            .is_some_and(|app| app.app_roles.iter().any(|r| r == role))
        {
            return Err(UnknownName::new("app role", role));
        }
        let oid = self.oid(user, &tenant_id)?;
        self.app_roles.push(AppRoleGrant {
            tenant_id,
            resource_id,
            oid,
            role: role.to_owned(),
        });
        Ok(())
    }

    /// Takes all app roles of the app from the user in the tenant.
    pub fn revoke_app_roles(&mut self, user: &str, tenant: &str, app: &str) -> Result<(), UnknownName> {
        let (tenant_id, resource_id) = (self.tenant_id(tenant)?, self.client_id(app)?);
        let oid = self.oid(user, &tenant_id)?;
        self.app_roles
            .retain(|r| !(r.tenant_id == tenant_id && r.resource_id == resource_id && r.oid == oid));
        Ok(())
    }

    /// Whether the tenant asks everyone for a second factor.
    pub fn require_mfa(&mut self, tenant: &str, required: bool) -> Result<(), UnknownName> {
        let found = self.tenants.iter_mut().find(|known| known.is_called(tenant));
        found
            .ok_or_else(|| UnknownName::new("tenant", tenant))?
            .requires_mfa = required;
        Ok(())
    }

    /// Disables the user in every tenant.
    pub fn disable_user(&mut self, user: &str) -> Result<(), UnknownName> {
        self.set_enabled(user, false)
    }

    /// Enables the user again.
    pub fn enable_user(&mut self, user: &str) -> Result<(), UnknownName> {
        self.set_enabled(user, true)
    }

    /// Ends the user's membership as a guest.
    pub fn remove_guest(&mut self, user: &str, tenant: &str) -> Result<(), UnknownName> {
        let tenant_id = self.tenant_id(tenant)?;
        let user = self.user_mut(user)?;
        if !user.is_guest_in(&tenant_id) {
            return Err(UnknownName::new("guest", &user.upn));
        }
        user.memberships.retain(|m| m.tenant_id != tenant_id);
        Ok(())
    }

    /// Object id of a user, an app or a group in the tenant.
    pub(crate) fn oid(&self, principal: &str, tenant_id: &str) -> Result<String, UnknownName> {
        let user = self
            .user(principal)
            .and_then(|user| user.in_tenant(tenant_id))
            .map(|m| m.oid.as_str());
        let app = || self.app(principal).and_then(|app| app.principal_in(tenant_id));
        let group = || self.group(principal, tenant_id).map(|group| group.id.as_str());
        user.or_else(app)
            .or_else(group)
            .map(str::to_owned)
            .ok_or_else(|| UnknownName::new("principal in that tenant", principal))
    }

    /// Adds an App ID URI to an app; unknown apps are left alone.
    pub(crate) fn also_known_as(&mut self, app: &str, uri: &str) {
        if let Ok(app) = self.app_mut(app) {
            app.identifier_uris.push(uri.to_owned());
        }
    }

    fn set_enabled(&mut self, user: &str, enabled: bool) -> Result<(), UnknownName> {
        for membership in &mut self.user_mut(user)?.memberships {
            membership.enabled = enabled;
        }
        Ok(())
    }

    pub(super) fn app_mut(&mut self, name: &str) -> Result<&mut App, UnknownName> {
        self.apps
            .iter_mut()
            .find(|app| app.is_called(name))
            .ok_or_else(|| UnknownName::new("app", name))
    }

    pub(super) fn user_mut(&mut self, name: &str) -> Result<&mut super::User, UnknownName> {
        self.users
            .iter_mut()
            .find(|user| user.is_called(name))
            .ok_or_else(|| UnknownName::new("user", name))
    }
}
