//! Removals: with the target tenant's token alone, once, in order, and never called done without proof.

mod unanswered;

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use serde_json::json;

use crate::support::{Answer, App, Portal, data_connection, eventually, request};

/// A fault of the next DELETE of a data connection.
fn delete(effect: Effect) -> Fault {
    Fault::arm("/dataConnections/", effect).method("DELETE")
}

/// A connection that stands, by acc1@domain1.com with acc2@domain2.com's token.
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

#[track_caller]
fn is_removed(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.text("/state")),
        (200, "removed"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn the_targets_token_alone_removes_after_the_source_has_revoked_everything() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    app.emulator
        .edit(|world| world.revoke_consent("tenant-bridge", "domain2.com"))
        .expect("a consent");
    app.emulator
        .edit(|world| world.revoke_roles("acc2@domain2.com", how_to::NAMESPACE))
        .expect("roles");
    is_removed(&portal.without_auxiliary().remove(created.text("/id")).await);
    let deletes = app.calls("DELETE", "telemetry");
    assert_eq!(deletes.len(), 1);
    assert!(deletes[0].auxiliary.is_empty());
    assert_eq!(
        deletes[0].primary.as_ref().map(|token| token.tenant.as_str()),
        Some(how_to::DOMAIN1)
    );
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}

#[tokio::test]
async fn a_removal_may_be_repeated_and_is_sent_once() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    is_removed(&portal.remove(id).await);
    is_removed(&portal.remove(id).await);
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn two_removals_at_once_are_one() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    let (one, other) = tokio::join!(portal.remove(id), portal.remove(id));
    is_removed(&one);
    is_removed(&other);
    assert_eq!(one.body["lastOperation"]["id"], other.body["lastOperation"]["id"]);
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn what_was_deleted_by_hand_is_removed() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    app.emulator
        .edit(|world| world.remove_data_connection(&data_connection("telemetry")))
        .expect("it is there");
    is_removed(&portal.remove(created.text("/id")).await);
    // Nothing is there to be deleted, so nothing is sent.
    assert!(app.calls("DELETE", "telemetry").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_connection_whose_database_is_gone_is_missing_until_the_database_shows_that_it_is_removed() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    app.emulator
        .edit(|world| world.remove_data_connection(&data_connection("telemetry")))
        .expect("it is there");
    // As after a deletion of the database: it and everything in it answer 404.
    let gone = json!({ "error": { "code": "ResourceNotFound", "message": "The database is not found." } });
    app.emulator
        .inject(Fault::arm("/databases/telemetry", Effect::json(404, gone)).always());
    let missing = portal.remove(id).await;
    missing.is_problem(409, "parentMissing");
    assert_eq!(portal.connection(id).await.text("/state"), "missing");

    app.emulator.clear_faults();
    is_removed(&portal.remove(id).await);
    app.finish().await;
}

#[tokio::test]
async fn the_sources_token_is_attached_only_when_azure_asks_for_it() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let refusal = json!({ "error": { "code": "LinkedAuthorizationFailed", "message": "not authorized to access linked subscription" } });
    app.emulator.inject(delete(Effect::json(403, refusal)));
    is_removed(&portal.remove(created.text("/id")).await);
    let deletes = app.calls("DELETE", "telemetry");
    assert_eq!(deletes.len(), 2);
    assert!(deletes[0].auxiliary.is_empty());
    let tenants: Vec<&str> = deletes[1]
        .auxiliary
        .iter()
        .map(|token| token.tenant.as_str())
        .collect();
    assert_eq!(tenants, [how_to::DOMAIN2]);
    // Each of the two was committed before it left.
    let events = portal.event_kinds(created.text("/id")).await;
    let sent = ["remove.intended", "remove.repeated", "remove.accepted"];
    assert!(events.windows(3).any(|three| three == sent), "{events:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_azure_wants_the_sources_token_for_says_which_tenant_it_waits_for() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    let refusal = json!({ "error": { "code": "LinkedAuthorizationFailed", "message": "not authorized to access linked subscription" } });
    app.emulator.inject(delete(Effect::json(403, refusal)).times(2));
    let asked = portal.without_auxiliary().remove_waiting(id, 0).await;
    let path = format!("/v1/operations/{}", asked.text("/lastOperation/id"));
    let waiting = portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    assert_eq!(waiting.text("/awaiting/0/tenantId"), how_to::DOMAIN2);
    // A caller who resumed it by reading may read with their tokens, not delete.
    assert_eq!(app.calls("DELETE", "telemetry").len(), 1);
    is_removed(&portal.remove(id).await);
    let deletes = app.calls("DELETE", "telemetry");
    assert_eq!(deletes.last().map(|call| call.auxiliary.len()), Some(1));
    app.finish().await;
}

#[tokio::test]
async fn who_may_not_delete_is_refused_before_anything_is_sent() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    app.emulator
        .edit(|world| world.revoke_roles("acc1@domain1.com", how_to::CLUSTER))
        .expect("roles");
    let refused = portal.remove(id).await;
    refused.is_problem(403, "accessMissing");
    assert_eq!(refused.body["missing"][0]["kind"], "role");
    assert_eq!(refused.body["missing"][0]["tenant"], how_to::DOMAIN1);
    assert!(app.calls("DELETE", "telemetry").is_empty());
    let connection = portal.connection(id).await;
    assert_eq!(connection.text("/state"), "active");
    assert_eq!(connection.text("/lastOperation/kind"), "create");
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_azure_refuses_leaves_the_connection_as_it_was() {
    let app = App::hurried().await;
    let (portal, created) = active(&app).await;
    let id = created.text("/id");
    let denied =
        json!({ "error": { "code": "RequestDisallowedByPolicy", "message": "A policy forbids it." } });
    app.emulator.inject(delete(Effect::json(403, denied)));
    let refused = portal.remove(id).await;
    refused.is_problem(422, "removeFailed");
    assert_eq!(refused.text("/upstream/code"), "RequestDisallowedByPolicy");
    assert_eq!(portal.connection(id).await.text("/state"), "active");
    is_removed(&portal.remove(id).await);
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_azure_puts_off_is_sent_again() {
    let busy = json!({ "error": { "code": "ServiceIsInMaintenance", "message": "You may retry in a few minutes." } });
    for effect in [
        Effect::status(429, &[("retry-after", "1")]),
        Effect::json(409, busy),
    ] {
        let app = App::hurried().await;
        let (portal, created) = active(&app).await;
        app.emulator.inject(delete(effect));
        is_removed(&portal.remove(created.text("/id")).await);
        assert_eq!(app.calls("DELETE", "telemetry").len(), 2);
        app.finish().await;
    }
}

#[tokio::test]
async fn a_removal_during_a_create_waits_for_its_end() {
    let app = App::hurried().await;
    app.operations_take(Duration::from_secs(1));
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let id = created.text("/id");
    app.wait_for_calls("PUT", "telemetry", 1).await;
    let asked = portal.remove_waiting(id, 0).await;
    assert_eq!((asked.status, asked.text("/state")), (202, "removing"));
    assert_eq!(asked.text("/lastOperation/status"), "notStarted");
    assert_eq!(
        portal.follow(asked.operation()).await.text("/status"),
        "succeeded"
    );
    assert_eq!(portal.connection(id).await.text("/state"), "removed");
    assert_eq!(
        portal
            .get(&format!("/v1/operations/{}", created.text("/lastOperation/id")))
            .await
            .text("/status"),
        "succeeded"
    );
    let mut events = portal.event_kinds(id).await;
    // Whether ARM's answer or the removal comes first is left open.
    events.retain(|kind| kind != "create.accepted");
    assert_eq!(
        events,
        [
            "create.intended",
            "remove.queued",
            "create.succeeded",
            "remove.intended",
            "remove.accepted",
            "remove.succeeded"
        ]
    );
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}

#[tokio::test]
async fn a_removal_behind_a_create_that_came_to_nothing_sends_nothing() {
    let app = App::hurried().await;
    app.operations_take(Duration::from_secs(1));
    app.emulator
        .edit(|world| world.remove_table(how_to::DATABASE, "Events"))
        .expect("a table");
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    let removed = portal.remove(created.connection()).await;
    is_removed(&removed);
    let create = portal.follow(created.operation()).await;
    assert_eq!(create.text("/status"), "failed");
    assert!(app.calls("DELETE", "telemetry").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_removal_cancels_a_create_that_azure_puts_off() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::status(429, &[("retry-after", "1")])).method("PUT"));
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    is_removed(&portal.remove(created.text("/id")).await);
    let create = portal.follow(created.operation()).await;
    assert_eq!(create.text("/error/code"), "notSent");
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_removal_settles_the_create_before_it_by_reads_when_the_creators_tokens_are_rejected() {
    let app = App::hurried().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_until("select exists (select from operations where phase = 'accepted')")
        .await;
    let other = app.signed_in("acc3@domain1.com");
    let removal = other.remove_waiting(created.text("/id"), 0).await;
    assert_eq!(removal.text("/lastOperation/status"), "notStarted");
    app.emulator
        .edit(|world| world.revoke_sessions("acc1@domain1.com"))
        .expect("a user");
    let rejected = Effect::status(401, &[("www-authenticate", "Bearer")]);
    app.emulator.inject(Fault::arm("/operation", rejected).times(1));
    let reads = |entry: &azure_emulator::Entry| {
        let user = entry.primary.as_ref().and_then(|token| token.upn.as_deref());
        entry.path().contains("/operationResults/") && user == Some("acc3@domain1.com")
    };
    let read = app
        .emulator
        .journal()
        .wait_for(|entry| reads(entry), crate::support::PATIENCE);
    assert!(read.await.is_some(), "the remover's token reads");
    app.release_operations();
    let ended = other.follow(removal.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    let create = other.follow(created.operation()).await;
    assert_eq!(create.text("/status"), "succeeded", "{}", create.body);
    let users: Vec<_> = app
        .writes()
        .into_iter()
        .map(|call| (call.method, call.primary.and_then(|token| token.upn)))
        .collect();
    let by = |method: &str, user: &str| (method.to_owned(), Some(user.to_owned()));
    assert_eq!(
        users,
        [by("PUT", "acc1@domain1.com"), by("DELETE", "acc3@domain1.com")]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_removal_in_the_queue_is_helped_on_by_another_who_may_remove() {
    let mut app = App::hurried().await;
    app.hold_operations();
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    app.wait_until("select exists (select from operations where phase = 'accepted')")
        .await;
    let remover = app.signed_in("acc3@domain1.com");
    let removal = remover.remove_waiting(created.text("/id"), 0).await;
    assert_eq!(removal.text("/lastOperation/status"), "notStarted");
    // All tokens are gone, and neither the creator nor the remover returns.
    app.stop_service().await;
    app.start_service().await;
    app.release_operations();
    app.wait_until(
        "select exists (select from operations where kind = 'create' and awaiting_tenant_id is not null)",
    )
    .await;
    let other = app.signed_in("acc5@domain1.com");
    let removed = eventually(async || {
        let answer = other.remove(created.text("/id")).await;
        (answer.status == 200).then_some(answer)
    });
    assert!(removed.await.is_some(), "the removal stays in the queue");
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}
