//! The world as the admin API shows it: everything that tests and people ask after, and no secret.

mod directory;
mod resources;
mod rules;
mod sources;

use serde_json::{Value, json};

use crate::azure::Azure;
use crate::world::World;

/// Everything.
pub(super) fn of(azure: &Azure) -> Value {
    let world = azure.world();
    json!({
        "entra": azure.entra_url.as_str(),
        "arm": azure.arm_url.as_str(),
        "now": world.now().to_rfc3339(),
        "tenants": directory::tenants(&world),
        "users": directory::users(&world),
        "apps": directory::apps(&world),
        "groups": rules::groups(&world),
        "policies": rules::policies(&world),
        "consents": directory::consents(&world),
        "appRoleAssignments": directory::app_roles(&world),
        "subscriptions": resources::subscriptions(&world),
        "clusters": resources::clusters(&world),
        "namespaces": resources::namespaces(&world),
        "storageAccounts": sources::accounts(&world),
        "systemTopics": sources::topics(&world),
        "eventSubscriptions": sources::subscriptions(&world),
        "uploads": sources::uploads(&world),
        "futureKinds": world.resources.future_kinds,
        "roleAssignments": resources::roles(&world),
        "customRoles": rules::custom_roles(&world),
        "dataConnections": resources::connections(&world),
        "operations": resources::operations(&world),
        "settings": rules::settings(azure, &world),
    })
}

/// A list of the things as they are shown.
fn list<T>(things: impl IntoIterator<Item = T>, shown: impl FnMut(T) -> Value) -> Value {
    things.into_iter().map(shown).collect()
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
