//! Creates that ARM carried out over somebody else's.

use std::time::Duration;

use azure_emulator::{Effect, Fault};
use serde_json::{Map, json};

use super::{is_removed, make, not_found, ours_but, over_theirs, reads, remove_matching, tag, theirs};
use crate::support::{App, data_connection, request};

#[tokio::test]
async fn a_create_that_azure_took_as_a_change_of_somebody_elses_is_never_called_active() {
    let app = App::hurried().await;
    let (portal, created) = over_theirs(&app).await;
    assert_eq!(app.calls("PUT", "telemetry")[0].status, 200);
    created.is_problem(422, "createFailed");
    assert_eq!(created.text("/cause"), "contested");
    let id = created.connection();
    let connection = portal.connection(id).await;
    assert!(
        connection.body["found"]["resource"].is_object(),
        "{}",
        connection.body
    );
    assert_eq!(
        portal.event_kinds(id).await,
        ["create.intended", "create.accepted", "create.failed"]
    );
    app.wait_for_log("another person", id).await;
    // A repeat of the create, and another person's, say so as well.
    portal
        .create(&request("telemetry"))
        .await
        .is_problem(409, "contested");
    app.signed_in("acc3@domain1.com")
        .create(&request("telemetry"))
        .await
        .is_problem(409, "contested");
    // Nobody deletes it without having named it.
    portal.remove(id).await.is_problem(409, "contested");
    remove_matching(&portal, id, "*")
        .await
        .is_problem(409, "contested");
    assert!(app.calls("DELETE", "telemetry").is_empty());
    assert_eq!(portal.connection(id).await.text("/state"), "unsettled");

    is_removed(&remove_matching(&portal, id, &tag(&connection)).await);
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_contested_connection_that_was_changed_since_is_not_deleted_by_its_former_tag() {
    let app = App::hurried().await;
    let (portal, created) = over_theirs(&app).await;
    let id = created.connection();
    let seen = portal.connection(id).await;
    make(
        &app,
        &ours_but(|properties| properties["tableName"] = "Alarms".into()),
    );
    let refused = remove_matching(&portal, id, &tag(&seen)).await;
    refused.is_problem(409, "contested");
    assert!(app.calls("DELETE", "telemetry").is_empty());
    is_removed(&remove_matching(&portal, id, &tag(&refused)).await);
    app.finish().await;
}

#[tokio::test]
async fn what_is_older_than_its_create_is_somebody_elses_though_it_equals_what_was_sent() {
    for lost in [false, true] {
        let app = App::hurried().await;
        app.hold_operations();
        let portal = app.how_to_portal();
        if lost {
            app.emulator
                .inject(Fault::arm("/dataConnections/", Effect::ResetAfterEffect).method("PUT"));
        }
        let created = portal.create_waiting(&request("telemetry"), 0).await;
        app.wait_for_calls("PUT", "telemetry", 1).await;
        let old = Map::from_iter([("retrievalStartDate".to_owned(), json!("2020-01-01T00:00:00Z"))]);
        app.emulator
            .edit(|world| world.set_data_connection_members(&data_connection("telemetry"), &old))
            .expect("members");
        app.release_operations();
        let operation = portal.follow(created.operation()).await;
        assert_eq!(
            (operation.text("/status"), operation.text("/error/code")),
            ("failed", "contested"),
            "{lost} {}",
            operation.body
        );
        let connection = portal.connection(created.connection()).await;
        assert_eq!(connection.text("/state"), "unsettled");
        assert!(connection.body["found"].is_object());
        portal
            .remove(created.connection())
            .await
            .is_problem(409, "contested");
        assert!(app.calls("DELETE", "telemetry").is_empty());
        app.finish().await;
    }
}

#[tokio::test]
async fn what_was_changed_while_azure_made_it_is_not_called_the_services_own() {
    for (change, comparison) in [
        (("consumerGroup", "cg1"), "replaced"),
        // A mapping or a routing that nobody sent is a difference.
        (("databaseRouting", "Multi"), "differs"),
    ] {
        let app = App::hurried().await;
        app.hold_operations();
        let portal = app.how_to_portal();
        let created = portal.create_waiting(&request("telemetry"), 0).await;
        app.wait_for_calls("PUT", "telemetry", 1).await;
        let change = Map::from_iter([(change.0.to_owned(), json!(change.1))]);
        app.emulator
            .edit(|world| world.set_data_connection_members(&data_connection("telemetry"), &change))
            .expect("members");
        app.release_operations();
        let operation = portal.follow(created.operation()).await;
        assert_eq!(
            (operation.text("/error/code"), operation.text("/error/comparison")),
            ("drifted", comparison),
            "{}",
            operation.body
        );
        let connection = portal.connection(created.connection()).await;
        assert_eq!(connection.text("/state"), "unsettled");
        app.finish().await;
    }
}

/// Reads lag: what had the name before is not shown for a moment after the PUT either.
#[tokio::test]
async fn a_contested_create_that_lagging_reads_do_not_show_is_not_closed() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    make(&app, &theirs());
    app.operations_take(Duration::from_millis(500));
    app.emulator.inject(reads(not_found()).times(8));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let operation = portal.follow(created.operation()).await;
    assert_eq!(app.calls("PUT", "telemetry")[0].status, 200);
    assert!(app.at_arm("telemetry").is_some());
    let closed: bool = app.scalar("select closed_at is not null from connections").await;
    assert!(!closed, "closed although Azure took the PUT: {}", operation.body);
    assert_eq!(
        portal.connection(created.connection()).await.text("/state"),
        "unsettled"
    );
    app.finish().await;
}

#[tokio::test]
async fn what_was_found_of_a_contested_connection_is_shown_with_its_differences() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    make(&app, &theirs());
    app.hold_operations();
    app.emulator.inject(reads(not_found()));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    // They put theirs back.
    let change = Map::from_iter([("consumerGroup".to_owned(), json!("cg1"))]);
    app.emulator
        .edit(|world| world.set_data_connection_members(&data_connection("telemetry"), &change))
        .expect("members");
    app.release_operations();
    let operation = portal.follow(created.operation()).await;
    assert_eq!(operation.text("/error/code"), "contested", "{}", operation.body);
    let connection = portal.connection(created.connection()).await;
    assert_eq!(connection.text("/found/resource/properties/consumerGroup"), "cg1");
    assert_eq!(
        connection.body["found"]["differences"],
        json!(["/properties/consumerGroup"])
    );
    app.finish().await;
}
