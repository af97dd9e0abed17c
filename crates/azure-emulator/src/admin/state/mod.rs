//! The world as the admin API and the page show it: everything that tests and people ask after, and no secret.

mod directory;
mod resources;

use serde::Serialize;

use crate::azure::Azure;
use crate::emulator::ParallelWrites;
use crate::world::World;

pub(super) use directory::{App, AppRole, Consent, Tenant, User};
pub(super) use resources::{Cluster, Connection, Namespace, Operation, Role, Subscription};

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
    pub(super) consents: Vec<Consent>,
    pub(super) app_role_assignments: Vec<AppRole>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) clusters: Vec<Cluster>,
    pub(super) namespaces: Vec<Namespace>,
    pub(super) role_assignments: Vec<Role>,
    pub(super) data_connections: Vec<Connection>,
    pub(super) operations: Vec<Operation>,
    pub(super) settings: Settings,
}

/// How the cloud runs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    pub(super) operation_milliseconds: u128,
    pub(super) read_lag_milliseconds: u128,
    pub(super) list_page_size: Option<usize>,
    pub(super) parallel_writes: &'static str,
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
            consents: directory::consents(&world),
            app_role_assignments: directory::app_roles(&world),
            subscriptions: resources::subscriptions(&world),
            clusters: resources::clusters(&world),
            namespaces: resources::namespaces(&world),
            role_assignments: resources::roles(&world),
            data_connections: resources::connections(&world),
            operations: resources::operations(&world),
            settings: Settings {
                operation_milliseconds: world.operation_duration.as_millis(),
                read_lag_milliseconds: world.resources.read_lag.as_millis(),
                list_page_size: world.list_page_size,
                parallel_writes: match world.parallel_writes {
                    ParallelWrites::Allowed => "allowed",
                    ParallelWrites::Refused => "refused",
                    ParallelWrites::Failed => "failed",
                },
            },
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
    user.or_else(app).unwrap_or_else(|| oid.to_owned())
}
