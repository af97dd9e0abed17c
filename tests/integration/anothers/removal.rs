//! Removals where something else has the name, or where nothing can be told.

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use http::Method;
use serde_json::{Value, json};

use super::{
    active, delete_by_hand, drifted, is_removed, make, ours_but, reads, remove_matching, tag, theirs,
};
use crate::support::{App, data_connection, request};

#[tokio::test]
async fn what_somebody_else_made_anew_under_the_name_is_not_deleted() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.connection();
    delete_by_hand(&app);
    make(&app, &theirs());
    let before = app.at_arm("telemetry");

    let refused = portal.remove(id).await;
    refused.is_problem(409, "drifted");
    assert_eq!(refused.text("/comparison"), "replaced");
    assert_eq!(refused.text("/connectionId"), id);
    let operation = portal
        .get(&format!("/v1/operations/{}", refused.text("/operationId")))
        .await;
    assert_eq!(
        (operation.text("/status"), operation.text("/error/code")),
        ("failed", "drifted")
    );
    assert_eq!(operation.text("/error/comparison"), "replaced");
    let connection = portal.connection(id).await;
    assert_eq!(connection.text("/state"), "missing");
    assert_eq!(
        connection.body["found"]["differences"],
        json!([
            "/properties/eventHubResourceId",
            "/properties/consumerGroup",
            "/properties/tableName",
            "/properties/mappingRuleName",
            "/properties/dataFormat"
        ])
    );
    let found = connection.text("/found/resource/properties/eventHubResourceId");
    assert_eq!(found.to_lowercase(), how_to::HUB2.to_lowercase());
    assert_ne!(tag(&connection), tag(&created));
    // The answer itself says what to name.
    assert_eq!(tag(&connection), tag(&refused));
    assert!(app.calls("DELETE", "telemetry").is_empty());
    assert_eq!(app.at_arm("telemetry"), before);
    let events = portal.event_kinds(id).await;
    assert_eq!(&events[events.len() - 2..], ["remove.intended", "remove.failed"]);
    app.finish().await;
}

#[tokio::test]
async fn who_names_what_was_found_removes_exactly_that() {
    let app = App::hurried().await;
    let (portal, created, refused) = drifted(&app).await;
    let id = created.connection();
    // Without the tag it stays as it is, however often it is asked for; the same find changes no version.
    let again = portal.remove(id).await;
    again.is_problem(409, "drifted");
    assert_eq!(version(&tag(&again)), version(&tag(&refused)));

    is_removed(&remove_matching(&portal, id, &tag(&refused)).await);
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}

fn version(tag: &str) -> &str {
    tag.split('-').next().expect("a first part")
}

#[tokio::test]
async fn what_came_after_the_find_that_was_named_is_not_deleted() {
    let app = App::hurried().await;
    let (portal, created, refused) = drifted(&app).await;
    let id = created.connection();
    // Another again, directly before the send: the third one's.
    let mut third = theirs();
    third["properties"]["consumerGroup"] = "cg2".into();
    make(&app, &third);
    let stale = remove_matching(&portal, id, &tag(&refused)).await;
    stale.is_problem(409, "drifted");
    assert!(app.calls("DELETE", "telemetry").is_empty());
    assert_ne!(version(&tag(&stale)), version(&tag(&refused)));
    // The tag of before is no good any more.
    remove_matching(&portal, id, &tag(&refused))
        .await
        .is_problem(412, "preconditionFailed");
    is_removed(&remove_matching(&portal, id, &tag(&stale)).await);
    app.finish().await;
}

#[tokio::test]
async fn any_version_is_no_name_for_what_was_found() {
    let app = App::hurried().await;
    let (portal, created, _) = drifted(&app).await;
    remove_matching(&portal, created.connection(), "*")
        .await
        .is_problem(409, "drifted");
    assert!(app.calls("DELETE", "telemetry").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_key_that_stands_for_a_removal_stands_for_none_that_names_a_find() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let path = format!("/v1/connections/{}", created.connection());
    make(&app, &theirs());
    let with_key = |tag: Option<String>| {
        let call = portal
            .call(Method::DELETE, &path)
            .header("idempotency-key", "one");
        let call = match tag {
            Some(tag) => call.header("if-match", tag),
            None => call,
        };
        portal.send(call)
    };
    let refused = with_key(None).await;
    refused.is_problem(409, "drifted");
    // A replay says the same, of the same operation.
    let replayed = with_key(None).await;
    replayed.is_problem(409, "drifted");
    assert_eq!(replayed.text("/operationId"), refused.text("/operationId"));
    with_key(Some(tag(&refused)))
        .await
        .is_problem(422, "idempotencyKeyReused");
    assert!(app.calls("DELETE", "telemetry").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_removal_goes_on_where_only_settings_were_changed_and_tells_which() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.connection();
    make(
        &app,
        &ours_but(|properties| properties["tableName"] = "Other".into()),
    );
    let removed = portal.remove(id).await;
    is_removed(&removed);
    assert_eq!(
        removed.body["found"]["differences"],
        json!(["/properties/tableName"])
    );
    let events = portal.get(&format!("/v1/connections/{id}/events")).await;
    let told = events.body["value"].as_array().expect("events").iter();
    let told: Vec<&Value> = told
        .filter_map(|event| event["details"].get("differences"))
        .collect();
    assert_eq!(told, [&json!(["/properties/tableName"])]);
    app.finish().await;
}

#[tokio::test]
async fn nothing_is_deleted_while_what_is_there_cannot_be_read() {
    let stopped = json!({ "error": { "code": "BadRequest",
        "message": "Cannot fetch data connections while resource is in state 'Stopped'." } });
    for effect in [
        Effect::json(400, stopped),
        Effect::status(503, &[]),
        Effect::ResetBeforeEffect,
        Effect::json(200, json!({ "name": "adx1/telemetry/telemetry" })),
        Effect::json(200, json!({ "kind": "EventHub", "properties": "none" })),
    ] {
        let app = App::hurried().await;
        let (portal, created) = active(&app).await;
        app.emulator.inject(reads(effect.clone()).always());
        let before = app.calls("GET", "telemetry").len();
        let asked = portal.remove_waiting(created.connection(), 0).await;
        assert_eq!(asked.status, 202, "{effect:?} {}", asked.body);
        app.wait_for_calls("GET", "telemetry", before + 4).await;
        assert!(app.calls("DELETE", "telemetry").is_empty(), "{effect:?}");
        assert_eq!(
            portal.connection(created.connection()).await.text("/state"),
            "removing"
        );
        app.emulator.clear_faults();
        let ended = portal.follow(asked.operation()).await;
        assert_eq!(ended.text("/status"), "succeeded", "{effect:?} {}", ended.body);
        assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
        app.finish().await;
    }
}

#[tokio::test]
async fn a_removal_waits_for_somebody_who_may_read_what_it_is_for() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let denied = json!({ "error": { "code": "AuthorizationFailed", "message": "no" } });
    app.emulator.inject(reads(Effect::json(403, denied)).always());
    let asked = portal.remove_waiting(created.connection(), 0).await;
    let path = format!("/v1/operations/{}", asked.text("/lastOperation/id"));
    portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    assert!(app.calls("DELETE", "telemetry").is_empty());
    app.emulator.clear_faults();
    is_removed(&portal.remove(created.connection()).await);
    app.finish().await;
}

#[tokio::test]
async fn a_change_of_somebody_elses_that_is_under_way_is_waited_for_and_then_compared() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let mut changing = ours_but(|_| ());
    changing["properties"]["provisioningState"] = "Updating".into();
    app.emulator.inject(reads(Effect::json(200, changing)).times(3));
    make(&app, &theirs());
    portal
        .remove(created.connection())
        .await
        .is_problem(409, "drifted");
    assert!(app.calls("DELETE", "telemetry").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_create_that_had_no_effect_leaves_what_somebody_else_made_to_them() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::ResetBeforeEffect).method("PUT"));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    make(&app, &theirs());
    let operation = portal.follow(created.operation()).await;
    assert_eq!(
        (operation.text("/status"), operation.text("/error/code")),
        ("failed", "drifted")
    );
    let id = created.connection();
    assert_eq!(portal.connection(id).await.text("/state"), "unsettled");
    let refused = portal.remove(id).await;
    refused.is_problem(409, "drifted");
    let connection = portal.connection(id).await;
    assert_eq!(connection.text("/state"), "unsettled");
    assert!(app.at_arm("telemetry").is_some());
    assert!(app.calls("DELETE", "telemetry").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn what_has_the_name_after_azure_carried_a_removal_out_is_left_alone() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    app.operations_take(Duration::from_millis(400));
    let asked = portal.remove_waiting(created.connection(), 0).await;
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    let operation = |kind: &str| Fault::arm(kind, Effect::Delay(Duration::from_millis(100)));
    app.emulator.inject(operation("/operationResults/"));
    app.emulator.edit(|world| world.finish_operations(|_| true));
    make(&app, &theirs());
    let ended = portal.follow(asked.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    assert_eq!(
        portal.connection(created.connection()).await.text("/state"),
        "removed"
    );
    assert!(app.at_arm("telemetry").is_some());
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn the_sources_side_is_not_shown_what_has_the_name_now() {
    let app = App::hurried().await;
    let (_, created, _) = drifted(&app).await;
    let source = app
        .portal()
        .with_token(&app.token("acc2@domain2.com", how_to::DOMAIN2));
    let seen = source.connection(created.connection()).await;
    assert_eq!(seen.text("/state"), "missing");
    assert!(seen.body["found"]["resource"].is_null(), "{}", seen.body);
    assert!(seen.body["found"]["differences"].is_array());
    app.finish().await;
}

#[tokio::test]
async fn an_answer_about_another_resource_is_ignored() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.connection();
    let mut others = theirs();
    others["id"] = data_connection("another").into();
    others["name"] = "adx1/telemetry/another".into();
    app.emulator.inject(reads(Effect::json(200, others)).times(2));
    let answer = portal.remove(id).await;
    assert_eq!(
        (answer.status, answer.text("/state")),
        (200, "removed"),
        "{}",
        answer.body
    );
    app.finish().await;
}
