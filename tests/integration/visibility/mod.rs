//! Who sees what: a table of everybody who could look; how long an answer holds, and what happens when nobody can tell; and
//! lists that ARM is asked about.

mod filters;
mod lists;
mod remembered;
mod table;
mod unsettled;

use crate::support::{Answer, App, Portal, request};

/// The connection of the how-to, with a justification.
async fn justified(app: &App) -> Answer {
    let mut body = request("telemetry");
    body["justification"] = "for the forecast".into();
    let created = app.how_to_portal().create(&body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    created
}

fn role(app: &App, user: &str, role: &str, scope: &str) {
    let assigned = app.emulator.edit(|world| world.assign_role(user, role, scope));
    assigned.expect("a role");
}

/// A portal where this user is signed in to the tenant with these app roles and no others.
fn with_roles(app: &App, user: &str, tenant: &str, roles: &[&str]) -> Portal {
    app.portal()
        .with_token(&app.token_with_roles(user, tenant, roles))
}
