//! One change of a cluster at a time: who waits, in which order, and what keeps nobody waiting.

mod absent;
mod turns;

use std::time::Duration;

use azure_emulator::{ParallelWrites, how_to};
use serde_json::Value;

use crate::support::{Answer, App, Portal, request};

/// A service that hurries, where two people may create.
async fn two_callers() -> (App, Portal, Portal) {
    two_callers_at(App::hurried().await)
}

/// Two people who may create, with a consumer group for each of their connections.
fn two_callers_at(app: App) -> (App, Portal, Portal) {
    app.operations_take(Duration::from_millis(60));
    let granted = app.emulator.edit(|world| {
        world.set_parallel_writes(ParallelWrites::Refused);
        for group in ["g0", "g1", "g2", "g3", "g4", "g5"] {
            world.add_consumer_group(how_to::HUB1, group).expect("a hub");
        }
        world.assign_role("acc4@domain1.com", "Contributor", how_to::CLUSTER)
    });
    granted.expect("a role");
    let one = app.how_to_portal();
    let other = app
        .signed_in("acc4@domain1.com")
        .with_auxiliary(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    (app, one, other)
}

fn wanted(name: &str, group: &str) -> Value {
    let mut wanted = request(name);
    wanted["source"]["eventHub"]["consumerGroup"] = group.into();
    wanted
}

async fn begin(portal: &Portal, name: &str, group: &str) -> Answer {
    let created = portal.create_waiting(&wanted(name, group), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    created
}

fn operation(created: &Answer) -> &str {
    created.text("/lastOperation/id")
}

/// The names of the data connections that were PUT, in order.
fn put(app: &App) -> Vec<String> {
    let writes = app.writes().into_iter().filter(|call| call.method == "PUT");
    writes
        .map(|call| call.path().rsplit('/').next().unwrap_or_default().to_owned())
        .collect()
}
