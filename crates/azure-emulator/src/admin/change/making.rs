//! Tenants, people, apps, subscriptions, clusters, namespaces and roles, made and removed.

use serde::Deserialize;
use uuid::Uuid;

use super::{Draft, Subject, Wrong};
use crate::directory::{App, Secret, TokenVersion};
use crate::world::World;

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Making {
    AddTenant {
        domain: String,
        name: Option<String>,
        id: Option<Uuid>,
    },
    AddUser {
        upn: String,
        name: Option<String>,
        oid: Option<Uuid>,
    },
    AddApp(NewApp),
    AddSubscription {
        id: Uuid,
        tenant: String,
        name: Option<String>,
        #[serde(default)]
        resource_groups: Vec<Group>,
    },
    AddCluster {
        id: String,
        location: String,
    },
    RemoveCluster {
        id: String,
    },
    AddNamespace {
        id: String,
        location: String,
    },
    RemoveNamespace {
        id: String,
    },
    RemoveRole {
        name: String,
        scope: String,
    },
    RemoveGroup {
        tenant: String,
        group: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Group {
    name: String,
    location: String,
}

/// An app as a seed has it, as far as tests make some of their own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewApp {
    name: String,
    tenant: String,
    client_id: Option<Uuid>,
    secret: Option<String>,
    token_version: Option<u8>,
    #[serde(default)]
    identifier_uris: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    app_roles: Vec<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
}

impl Subject for Making {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Making::AddTenant { domain, name, id } => {
                world.add_tenant(name.as_deref().unwrap_or(&domain), &domain, id)?;
            }
            Making::AddUser { upn, name, oid } => {
                world.add_user(&upn, name.as_deref().unwrap_or(&upn), oid)?;
            }
            Making::AddApp(app) => app.add(world)?,
            Making::AddSubscription {
                id,
                tenant,
                name,
                resource_groups,
            } => {
                let groups = resource_groups
                    .into_iter()
                    .map(|group| (group.name, group.location));
                let groups: Vec<(String, String)> = groups.collect();
                let name = name.unwrap_or_else(|| id.to_string());
                world.add_subscription(id, &name, &tenant, &groups)?;
            }
            Making::AddCluster { id, location } => world.add_cluster(&id, &location)?,
            Making::RemoveCluster { id } => world.remove_cluster(&id)?,
            Making::AddNamespace { id, location } => world.add_namespace(&id, &location)?,
            Making::RemoveNamespace { id } => world.remove_namespace(&id)?,
            Making::RemoveRole { name, scope } => world.remove_role(&name, &scope)?,
            Making::RemoveGroup { tenant, group } => world.remove_group(&tenant, &group)?,
        }
        Ok(())
    }
}

impl NewApp {
    fn add(self, world: &mut World) -> Result<(), Wrong> {
        let token_version = match self.token_version {
            Some(1) => TokenVersion::V1,
            None | Some(2) => TokenVersion::V2,
            Some(_) => return Err(Wrong::Member("tokenVersion", "there are two versions", "1 or 2")),
        };
        let home_tenant = world.directory.tenant_id(&self.tenant)?;
        let secret = self.secret.map(|value| Secret { value, expires: None });
        let app = App {
            name: self.name,
            client_id: self.client_id.unwrap_or_else(Uuid::new_v4).to_string(),
            identifier_uris: self.identifier_uris,
            token_version,
            secrets: secret.into_iter().collect(),
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            scopes: self.scopes,
            app_roles: self.app_roles,
            optional_claims: Vec::new(),
            redirect_uris: self.redirect_uris,
            required_permissions: Vec::new(),
            provisioned: vec![(home_tenant.clone(), Uuid::new_v4().to_string())],
            home_tenant,
        };
        Ok(world.add_app(app)?)
    }
}
