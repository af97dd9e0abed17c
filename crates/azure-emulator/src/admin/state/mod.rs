//! The world as the admin API and the page show it: everything that tests and people ask after, and no secret.

mod directory;
mod resources;
mod rules;

use serde::Serialize;

use crate::azure::Azure;
use crate::world::World;

pub(super) use directory::{App, AppRole, Consent, Tenant, User};
pub(super) use resources::{Cluster, Connection, Namespace, Operation, Role, Subscription};
pub(super) use rules::{CustomRole, Group, Policy, Settings};

/// Everything.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    pub(super) entra: String,
    pub(super) arm: String,
    pub(super) now: String,
    pub(super) tenants: Vec<Tenant>,
    pub(super) users: Vec<User>,
    pub(super) apps: Vec<App>,
    pub(super) groups: Vec<Group>,
    pub(super) policies: Vec<Policy>,
    pub(super) consents: Vec<Consent>,
    pub(super) app_role_assignments: Vec<AppRole>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) clusters: Vec<Cluster>,
    pub(super) namespaces: Vec<Namespace>,
    pub(super) role_assignments: Vec<Role>,
    pub(super) custom_roles: Vec<CustomRole>,
    pub(super) data_connections: Vec<Connection>,
    pub(super) operations: Vec<Operation>,
    pub(super) settings: Settings,
}

impl State {
    pub(super) fn of(azure: &Azure) -> State {
        let world = azure.world();
        State {
            entra: azure.entra_url.to_string(),
            arm: azure.arm_url.to_string(),
            now: world.now().to_rfc3339(),
            tenants: directory::tenants(&world),
            users: directory::users(&world),
            apps: directory::apps(&world),
            groups: rules::groups(&world),
            policies: rules::policies(&world),
            consents: directory::consents(&world),
            app_role_assignments: directory::app_roles(&world),
            subscriptions: resources::subscriptions(&world),
            clusters: resources::clusters(&world),
            namespaces: resources::namespaces(&world),
            role_assignments: resources::roles(&world),
            custom_roles: rules::custom_roles(&world),
            data_connections: resources::connections(&world),
            operations: resources::operations(&world),
            settings: rules::settings(azure, &world),
        }
    }
}

/// Data connections alone.
pub(super) fn connections(azure: &Azure) -> Vec<Connection> {
    resources::connections(&azure.world())
}

/// A tenant by its first domain, as people call it.
fn tenant_name(world: &World, id: &str) -> String {
    let domain = world
        .directory
        .tenant(id)
        .and_then(|tenant| tenant.domains.first());
    domain.cloned().unwrap_or_else(|| id.to_owned())
}

fn app_name(world: &World, id: &str) -> String {
    world
        .directory
        .app(id)
        .map_or_else(|| id.to_owned(), |app| app.name.clone())
}

/// A user's UPN, an app's or a group's name by the object id in the tenant; the id itself when nobody has it.
fn principal_name(world: &World, tenant_id: &str, oid: &str) -> String {
    let directory = &world.directory;
    let user = directory.member(tenant_id, oid).map(|user| user.upn.clone());
    let mut apps = directory.apps.iter();
    let app = || {
        apps.find(|app| app.principal_in(tenant_id) == Some(oid))
            .map(|app| app.name.clone())
    };
    let group = || directory.group(oid, tenant_id).map(|group| group.name.clone());
    user.or_else(app).or_else(group).unwrap_or_else(|| oid.to_owned())
}
