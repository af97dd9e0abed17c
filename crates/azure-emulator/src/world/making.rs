//! Changes that make and remove what seeds begin with: tenants, people, apps and what they prove themselves with,
//! subscriptions, clusters, namespaces, roles.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::World;
use crate::directory::{App, UnknownName};
use crate::resources::ChangeError;

impl World {
    /// Gives the app a secret, beside those it has; refused with AADSTS7000222 from `expires` on.
    pub fn add_secret(
        &mut self,
        app: &str,
        value: &str,
        expires: Option<DateTime<Utc>>,
    ) -> Result<(), UnknownName> {
        self.directory.add_secret(app, value, expires)
    }

    /// Takes a secret from the app: refused with AADSTS7000215 from now on.
    pub fn remove_secret(&mut self, app: &str, value: &str) -> Result<(), UnknownName> {
        self.directory.remove_secret(app, value)
    }

    /// Takes a certificate from the app, by its SHA-1 in hex.
    pub fn remove_certificate(&mut self, app: &str, thumbprint: &str) -> Result<(), UnknownName> {
        self.directory.remove_certificate(app, thumbprint)
    }

    /// Takes the app's federated credentials for an issuer and a subject.
    pub fn remove_federated_credential(
        &mut self,
        app: &str,
        issuer: &str,
        subject: &str,
    ) -> Result<(), UnknownName> {
        self.directory.remove_federated_credential(app, issuer, subject)
    }

    /// Removes a security group.
    pub fn remove_group(&mut self, tenant: &str, group: &str) -> Result<(), UnknownName> {
        self.directory.remove_group(tenant, group)
    }

    /// Makes a tenant; with the given id, or a new one. Gives the id.
    pub fn add_tenant(&mut self, name: &str, domain: &str, id: Option<Uuid>) -> Result<Uuid, ChangeError> {
        let id = id.unwrap_or_else(Uuid::new_v4);
        if self.directory.add_tenant(id, name, domain) {
            Ok(id)
        } else {
            Err(ChangeError::Exists("tenant", domain.to_owned()))
        }
    }

    /// Makes a user at home in the tenant that owns the UPN's domain; with the given object id, or a new one.
    pub fn add_user(&mut self, upn: &str, name: &str, oid: Option<Uuid>) -> Result<(), ChangeError> {
        let oid = oid.unwrap_or_else(Uuid::new_v4);
        if self.directory.add_user(upn, name, oid)? {
            Ok(())
        } else {
            Err(ChangeError::Exists("user", upn.to_owned()))
        }
    }

    /// Registers an app, by a name and a client id that no other app has.
    pub fn add_app(&mut self, app: App) -> Result<(), ChangeError> {
        let name = app.name.clone();
        if self.directory.add_app(app) {
            Ok(())
        } else {
            Err(ChangeError::Exists("app", name))
        }
    }

    /// Makes a subscription of the tenant with resource groups: name and location of each.
    pub fn add_subscription(
        &mut self,
        id: Uuid,
        name: &str,
        tenant: &str,
        groups: &[(String, String)],
    ) -> Result<(), ChangeError> {
        let tenant_id = self.directory.tenant_id(tenant)?;
        self.resources.add_subscription(id, name, &tenant_id, groups)
    }

    /// Makes an empty cluster in an existing resource group.
    pub fn add_cluster(&mut self, id: &str, location: &str) -> Result<(), ChangeError> {
        self.resources.add_cluster(id, location)
    }

    /// Removes a cluster with its databases and their data connections.
    pub fn remove_cluster(&mut self, id: &str) -> Result<(), ChangeError> {
        self.resources.remove_cluster(id)
    }

    /// Makes a namespace without event hubs in an existing resource group.
    pub fn add_namespace(&mut self, id: &str, location: &str) -> Result<(), ChangeError> {
        self.resources.add_namespace(id, location)
    }

    /// Removes a namespace with its event hubs.
    pub fn remove_namespace(&mut self, id: &str) -> Result<(), ChangeError> {
        self.resources.remove_namespace(id)
    }

    /// Removes a custom role, with what was given of it.
    pub fn remove_role(&mut self, name: &str, scope: &str) -> Result<(), ChangeError> {
        self.resources.remove_role(name, scope)
    }
}
