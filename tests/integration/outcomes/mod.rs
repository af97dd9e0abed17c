//! How a create ends: by ARM's word when it gives one, else by what reads find, and never by a guess. These are whole stories;
//! what a single call may meet is in `fault_matrix`.

mod answered;
mod challenged;
mod deferred;
mod parents;
mod shown;
mod told;
mod unanswered;

use azure_emulator::{Effect, Fault, how_to};
use serde_json::{Value, json};

use crate::support::{Answer, App, Portal, data_connection};

/// A fault of the next PUT of a data connection.
fn put(effect: Effect) -> Fault {
    Fault::arm("/dataConnections/", effect).method("PUT")
}

/// A data connection of this name that nobody made with this service: the same table, another event hub.
fn make_theirs(app: &App) {
    let theirs = json!({ "properties": {
        "eventHubResourceId": how_to::HUB2, "consumerGroup": "cg1", "tableName": "Alarms"
    } });
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection("telemetry"), &theirs))
        .expect("it is made");
}

/// The end of a create that failed: the connection `failed`, nothing at ARM, the operation with its error.
async fn failed(app: &App, portal: &Portal, created: &Answer) -> Value {
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/status"), "failed", "{}", operation.body);
    let connection = portal.connection(created.connection()).await;
    assert_eq!(connection.text("/state"), "failed", "{}", connection.body);
    assert!(app.at_arm("telemetry").is_none());
    operation.body["error"].clone()
}

/// The end of a create that succeeded with a single PUT.
async fn settles_to_active(app: App, portal: &Portal, created: &Answer) {
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/status"), "succeeded", "{}", operation.body);
    let connection = portal.connection(created.connection()).await;
    assert_eq!(connection.text("/state"), "active");
    assert!(app.at_arm("telemetry").is_some());
    assert_eq!(app.writes().len(), 1, "exactly one PUT");
    app.finish().await;
}
