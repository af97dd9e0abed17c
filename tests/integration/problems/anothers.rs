//! The problems of removals that meet something else than what the record says.

use azure_emulator::{Effect, Fault, how_to};
use http::Method;
use serde_json::{Value, json};

use super::provoked::Provoked;
use crate::support::{App, data_connection, request};

const OPERATION: &str = "removeConnection";

/// A request under this name with a consumer group of its own.
fn named(name: &str, group: &str) -> Value {
    let mut body = request(name);
    body["source"]["eventHub"]["consumerGroup"] = group.into();
    body
}

/// Somebody makes a data connection of this name by hand.
fn make(app: &App, name: &str) {
    let theirs = json!({ "properties": {
        "eventHubResourceId": how_to::HUB2, "consumerGroup": "cg1", "tableName": "Alarms"
    } });
    app.emulator
        .edit(|world| world.add_data_connection(&data_connection(name), &theirs))
        .expect("it is made");
}

pub(super) async fn anothers(app: &App, provoked: &mut Provoked) {
    let portal = app.signed_in("acc3@domain1.com");
    for group in ["cg7", "cg8"] {
        app.emulator
            .edit(|world| world.add_consumer_group(how_to::HUB1, group))
            .expect("a group");
    }
    let created = portal.create(&named("third", "cg7")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let path = format!("/v1/connections/{}", created.text("/id"));
    let remove = |path: &str| portal.call(Method::DELETE, path);
    let record_only = format!("{path}?recordOnly=true");

    let locked = json!({ "error": { "code": "ScopeLocked", "message": "It is locked." } });
    let refused = Fault::arm("/dataConnections/third", Effect::json(409, locked));
    app.emulator.inject(refused.method("DELETE"));
    let answer = portal.send(remove(&path)).await;
    provoked.one(OPERATION, &answer, 422, "removeFailed");

    let answer = portal.send(remove(&record_only)).await;
    provoked.one(OPERATION, &answer, 409, "stillPresent");
    app.emulator
        .edit(|world| world.remove_data_connection(&data_connection("third")))
        .expect("it is there");
    let gone = json!({ "error": { "code": "ResourceNotFound", "message": "The database is not found." } });
    let database = Fault::arm(&format!("{}?", how_to::DATABASE), Effect::json(404, gone));
    app.emulator.inject(database.method("GET"));
    let answer = portal.send(remove(&record_only)).await;
    provoked.one(OPERATION, &answer, 409, "parentMissing");

    make(app, "third");
    let answer = portal.send(remove(&path).header("idempotency-key", "one")).await;
    provoked.one(OPERATION, &answer, 409, "drifted");
    let again = remove(&record_only).header("idempotency-key", "one");
    let answer = portal.send(again).await;
    provoked.one(OPERATION, &answer, 422, "idempotencyKeyReused");

    make(app, "fourth");
    let nothing = json!({ "error": { "code": "ResourceNotFound", "message": "not there yet" } });
    let absence = Fault::arm("/dataConnections/fourth?", Effect::json(404, nothing));
    app.emulator.inject(absence.method("GET"));
    let contested = portal.create(&named("fourth", "cg8")).await;
    provoked.one("createConnection", &contested, 422, "createFailed");
    let path = format!("/v1/connections/{}", contested.connection());
    let answer = portal.send(remove(&path)).await;
    provoked.one(OPERATION, &answer, 409, "contested");
    let answer = portal.create(&named("fourth", "cg8")).await;
    provoked.one("createConnection", &answer, 409, "contested");
}
