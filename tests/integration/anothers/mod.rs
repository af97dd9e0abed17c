//! Other people's data connections: what has a connection's name at ARM is deleted, replaced or called this service's own only
//! where it is what the record says, or where a caller named exactly what was found.

mod contested;
mod late;
mod preconditions;
mod record_only;
mod refused_removals;
mod removal;

use azure_emulator::{Effect, Fault, how_to};
use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, Portal, data_connection, request};

/// A connection that stands, with the portal that made it.
async fn active(app: &App) -> (Portal, Answer) {
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(
        (created.status, created.text("/state")),
        (201, "active"),
        "{}",
        created.body
    );
    (portal, created)
}

/// A data connection of that name which somebody else made, for another hub.
fn theirs() -> Value {
    json!({ "location": "West Europe", "kind": "EventHub", "properties": {
        "eventHubResourceId": how_to::HUB2, "consumerGroup": "cg1", "tableName": "Alarms"
    } })
}

/// The same as this service sent it, with something else in its properties.
fn ours_but(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = json!({ "location": "West Europe", "kind": "EventHub", "properties": {
        "eventHubResourceId": how_to::HUB1, "consumerGroup": "$Default", "tableName": "Events",
        "mappingRuleName": "EventsMapping", "dataFormat": "JSON"
    } });
    change(&mut body["properties"]);
    body
}

/// Somebody makes a data connection of the name, whatever has it.
fn make(app: &App, body: &Value) {
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection("telemetry"), body))
        .expect("it is made");
}

/// A connection whose name somebody else's data connection took, with the answers to its create and to a removal, which is refused.
async fn drifted(app: &App) -> (Portal, Answer, Answer) {
    let (portal, created) = active(app).await;
    make(app, &theirs());
    let refused = portal.remove(created.connection()).await;
    refused.is_problem(409, "drifted");
    (portal, created, refused)
}

/// ARM's answer for a resource that does not exist.
fn not_found() -> Effect {
    let error = json!({ "code": "ResourceNotFound", "message": "not there yet" });
    Effect::json(404, json!({ "error": error }))
}

/// A fault of reads of the data connection.
fn reads(effect: Effect) -> Fault {
    Fault::arm("/dataConnections/telemetry?", effect).method("GET")
}

/// A create whose read beforehand found nothing although another's data connection had the name: its PUT changed that one.
async fn over_theirs(app: &App) -> (Portal, Answer) {
    let portal = app.how_to_portal();
    make(app, &theirs());
    app.emulator.inject(reads(not_found()));
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(
        (created.status, created.text("/cause")),
        (422, "contested"),
        "{}",
        created.body
    );
    (portal, created)
}

fn delete_by_hand(app: &App) {
    app.emulator
        .edit(|world| world.remove_data_connection(&data_connection("telemetry")))
        .expect("it is there");
}

/// A removal with this tag in `If-Match`.
async fn remove_matching(portal: &Portal, id: &str, tag: &str) -> Answer {
    let call = portal.call(Method::DELETE, &format!("/v1/connections/{id}"));
    portal.send(call.header("if-match", tag)).await
}

fn tag(answer: &Answer) -> String {
    answer.header("etag").expect("an entity tag").to_owned()
}

#[track_caller]
fn is_removed(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.text("/state")),
        (200, "removed"),
        "{}",
        answer.body
    );
}
