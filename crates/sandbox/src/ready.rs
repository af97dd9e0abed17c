//! What `cargo sandbox --json` prints: where everything is, and what is in the emulated Azure. README.md says the same in
//! a table; members are only ever added.

use std::path::PathBuf;

use azure_emulator::World;
use azure_emulator::directory::{App, Tenant, User};
use azure_emulator::resources::{Cluster, Namespace, Subscription, Table};
use serde::Serialize;
use url::Url;

use crate::stack::Stack;

/// The line, once all is ready. Addresses have no slash at their end.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// Tenant Bridge (plain HTTP).
    service: String,
    /// The emulated login host.
    entra: String,
    /// The emulated Azure Resource Manager.
    arm: String,
    /// The emulator's admin API.
    admin: String,
    /// `POST {user, tenant, app, api, scopes}` here gives `{accessToken, expiresIn}` (seconds): a user's token for an API.
    user_token: String,
    /// The CA that signed the certificates of `entra`, `arm` and `admin`; gone with the sandbox.
    ca_file: PathBuf,
    /// The database, as the role that serves.
    database_url: Url,
    tenants: Vec<TenantView>,
    apps: Vec<AppView>,
    users: Vec<UserView>,
    subscriptions: Vec<SubscriptionView>,
    resources: ResourcesView,
}

#[derive(Debug, Serialize)]
struct TenantView {
    id: String,
    name: String,
    domains: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AppView {
    name: String,
    client_id: String,
    /// The home tenant's id.
    tenant: String,
    identifier_uris: Vec<String>,
    scopes: Vec<String>,
    secrets: Vec<String>,
}

#[derive(Debug, Serialize)]
struct UserView {
    upn: String,
    name: String,
    memberships: Vec<MembershipView>,
}

#[derive(Debug, Serialize)]
struct MembershipView {
    /// The tenant's id.
    tenant: String,
    /// The user's object id there.
    oid: String,
    enabled: bool,
}

#[derive(Debug, Serialize)]
struct SubscriptionView {
    id: String,
    name: String,
    /// The tenant's id.
    tenant: String,
}

#[derive(Debug, Serialize)]
struct ResourcesView {
    clusters: Vec<ClusterView>,
    namespaces: Vec<NamespaceView>,
}

#[derive(Debug, Serialize)]
struct ClusterView {
    id: String,
    location: String,
    databases: Vec<DatabaseView>,
}

#[derive(Debug, Serialize)]
struct DatabaseView {
    id: String,
    tables: Vec<TableView>,
}

#[derive(Debug, Serialize)]
struct TableView {
    name: String,
    mappings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NamespaceView {
    id: String,
    location: String,
    event_hubs: Vec<EventHubView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EventHubView {
    id: String,
    consumer_groups: Vec<String>,
}

impl Ready {
    /// Describes a stack that runs.
    ///
    /// # Errors
    /// Never, for a service that listens.
    pub fn of(stack: &Stack) -> anyhow::Result<Self> {
        let plain = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let admin = plain(stack.emulator.admin_url());
        let service = plain(&stack.url()?);
        Ok(stack.emulator.read(|world| Self {
            service,
            entra: plain(stack.emulator.entra_url()),
            arm: plain(stack.emulator.arm_url()),
            user_token: format!("{admin}/admin/token"),
            admin,
            ca_file: stack.ca_file().to_path_buf(),
            database_url: stack.database_url().clone(),
            tenants: tenants(world),
            apps: world.directory.apps.iter().map(AppView::from).collect(),
            users: users(world),
            subscriptions: subscriptions(world),
            resources: ResourcesView {
                clusters: world.resources.clusters.iter().map(ClusterView::from).collect(),
                namespaces: world
                    .resources
                    .namespaces
                    .iter()
                    .map(NamespaceView::from)
                    .collect(),
            },
        }))
    }
}

fn tenants(world: &World) -> Vec<TenantView> {
    let view = |tenant: &Tenant| TenantView {
        id: tenant.id.clone(),
        name: tenant.name.clone(),
        domains: tenant.domains.clone(),
    };
    world.directory.tenants.iter().map(view).collect()
}

fn users(world: &World) -> Vec<UserView> {
    let view = |user: &User| UserView {
        upn: user.upn.clone(),
        name: user.name.clone(),
        memberships: user
            .memberships
            .iter()
            .map(|membership| MembershipView {
                tenant: membership.tenant_id.clone(),
                oid: membership.oid.clone(),
                enabled: membership.enabled,
            })
            .collect(),
    };
    world.directory.users.iter().map(view).collect()
}

fn subscriptions(world: &World) -> Vec<SubscriptionView> {
    let view = |subscription: &Subscription| SubscriptionView {
        id: subscription.id.clone(),
        name: subscription.name.clone(),
        tenant: subscription.tenant_id.clone(),
    };
    world.resources.subscriptions.iter().map(view).collect()
}

impl From<&App> for AppView {
    fn from(app: &App) -> Self {
        Self {
            name: app.name.clone(),
            client_id: app.client_id.clone(),
            tenant: app.home_tenant.clone(),
            identifier_uris: app.identifier_uris.clone(),
            scopes: app.scopes.clone(),
            secrets: app.secrets.iter().map(|secret| secret.value.clone()).collect(),
        }
    }
}

impl From<&Cluster> for ClusterView {
    fn from(cluster: &Cluster) -> Self {
        let table = |table: &Table| TableView {
            name: table.name.clone(),
            mappings: table.mappings.clone(),
        };
        let databases = cluster.databases.iter().map(|database| DatabaseView {
            id: format!("{}/databases/{}", cluster.id, database.name),
            tables: database.tables.iter().map(table).collect(),
        });
        Self {
            id: cluster.id.to_string(),
            location: cluster.location.clone(),
            databases: databases.collect(),
        }
    }
}

impl From<&Namespace> for NamespaceView {
    fn from(namespace: &Namespace) -> Self {
        let hubs = namespace.event_hubs.iter().map(|hub| EventHubView {
            id: format!("{}/eventhubs/{}", namespace.id, hub.name),
            // Every event hub has this one, named or not.
            consumer_groups: std::iter::once("$Default".to_owned())
                .chain(hub.consumer_groups.iter().cloned())
                .collect(),
        });
        Self {
            id: namespace.id.to_string(),
            location: namespace.location.clone(),
            event_hubs: hubs.collect(),
        }
    }
}
