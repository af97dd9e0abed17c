//! Removals with a key: the same operation for the same wish, also when it failed.

use azure_emulator::resources::Failure;
use azure_emulator::{Effect, Fault};
use futures_util::future::join_all;
use serde_json::json;

use super::{are_one, stands_as};
use crate::support::{App, request};

#[tokio::test]
async fn a_removal_is_repeated_with_its_key_while_it_runs_and_when_it_has_ended() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    app.hold_operations();
    let calls = ["gone", "gone", "found"].map(|key| portal.keyed(key));
    let first = portal.keyed("gone").remove_waiting(id, 0).await;
    let during = join_all(calls.iter().map(|portal| portal.remove_waiting(id, 0))).await;
    for running in [&first].into_iter().chain(&during) {
        stands_as(running, 202, "removing");
        are_one(&first, running);
    }
    app.release_operations();
    let mut repeats = join_all(calls.iter().map(|portal| portal.remove(id))).await;
    repeats.push(portal.keyed("gone").remove(id).await);
    repeats.push(portal.keyed("late").remove(id).await);
    for repeat in &repeats {
        stands_as(repeat, 200, "removed");
        are_one(&first, repeat);
    }
    // Keys are of one route: what removes is no key of a create.
    let anew = portal.keyed("gone").create(&request("telemetry")).await;
    stands_as(&anew, 201, "active");
    are_one(&first, &portal.keyed("found").remove(id).await);
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_key_is_the_same_however_the_path_is_written() {
    let app = App::hurried().await;
    let portal = app.how_to_portal().keyed("gone");
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    let first = portal.remove(id).await;
    stands_as(&first, 200, "removed");
    let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for written in [id.to_uppercase(), encoded] {
        let repeat = portal.remove(&written).await;
        stands_as(&repeat, 200, "removed");
        are_one(&first, &repeat);
    }
    // As replicas of the previous version store and find it.
    let routes: Vec<String> = app
        .scalar("select array_agg(route order by route) from idempotency_keys")
        .await;
    assert_eq!(
        routes,
        [
            format!("DELETE /v1/connections/{id}"),
            "POST /v1/connections".to_owned()
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn removals_with_one_key_at_once_over_two_replicas_are_one() {
    let app = App::hurried().await;
    let replica = app.replica().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let here = portal.keyed("gone");
    let there = here.at(replica.address());
    let id = created.text("/id");
    let (one, other) = tokio::join!(here.remove(id), there.remove(id));
    stands_as(&one, 200, "removed");
    stands_as(&other, 200, "removed");
    are_one(&one, &other);
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    replica.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn after_a_removal_that_failed_its_key_gives_that_one_and_a_new_key_begins_another() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    let denied =
        json!({ "error": { "code": "RequestDisallowedByPolicy", "message": "A policy forbids it." } });
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::json(403, denied)).method("DELETE"));
    let (old, new) = (portal.keyed("old"), portal.keyed("new"));
    let failed = old.remove(id).await;
    failed.is_problem(422, "removeFailed");
    let again = old.remove(id).await;
    again.is_problem(422, "removeFailed");
    are_one(&failed, &again);
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);

    let removed = new.remove(id).await;
    stands_as(&removed, 200, "removed");
    are_one(&failed, &old.remove(id).await);
    are_one(&removed, &new.remove(id).await);
    assert_eq!(app.calls("DELETE", "telemetry").len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn a_key_that_found_a_removal_under_way_begins_no_other_when_that_has_failed() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    app.hold_operations();
    let begun = portal.keyed("began").remove_waiting(id, 0).await;
    let found = portal.keyed("found").remove_waiting(id, 0).await;
    stands_as(&found, 202, "removing");
    are_one(&begun, &found);
    app.wait_until("select phase = 'accepted' from operations where kind = 'remove'")
        .await;
    let failure = Failure {
        code: "InternalServerError".to_owned(),
        message: "The data connection could not be deleted.".to_owned(),
    };
    app.emulator
        .edit(|world| world.fail_operations(&failure, |_| true));
    let failed = portal.follow(begun.text("/lastOperation/id")).await;
    assert_eq!(failed.text("/status"), "failed");
    for key in ["began", "found"] {
        let late = portal.keyed(key).remove(id).await;
        late.is_problem(422, "removeFailed");
        are_one(&begun, &late);
    }
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    app.finish().await;
}
