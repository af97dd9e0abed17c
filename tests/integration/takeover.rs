//! Takeover: what a process leaves behind when it stops or dies, and who goes on with it, by whose tokens.

use std::time::Duration;

use azure_emulator::{Effect, Fault, how_to};
use serde_json::{Value, json};
use tenant_bridge::config::Config;

use crate::support::{Answer, App, Portal, continue_operation, hurried, request};

/// How long ARM takes over an operation that a service must find running after its restart.
const STILL_RUNNING: Duration = Duration::from_millis(1500);

/// Leases short enough to wait for their end.
fn short_leases(config: &mut Config) {
    hurried(config);
    config.worker.lease = Duration::from_secs(1);
}

/// A create that is under way at ARM when this returns.
async fn begin(app: &App, portal: &Portal) -> Answer {
    app.operations_take(STILL_RUNNING);
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    app.wait_for_calls("PUT", "telemetry", 1).await;
    created
}

/// Waits until the connection's newest operation waits for a caller.
async fn waits_for_a_caller(portal: &Portal, created: &Answer) -> Value {
    let path = format!("/v1/connections/{}", created.text("/id"));
    let connection = portal
        .wait_for(&path, |body| body["lastOperation"]["status"] == "awaitingCaller")
        .await;
    connection.body["lastOperation"].clone()
}

#[tokio::test]
async fn after_a_restart_an_operation_waits_for_its_actor_who_continues_it() {
    let mut app = App::hurried().await;
    let created = begin(&app, &app.how_to_portal()).await;
    app.stop_service().await;
    app.start_service().await;
    let portal = app.how_to_portal();
    let waiting = waits_for_a_caller(&portal, &created).await;
    assert_eq!(waiting["awaiting"][0]["tenantId"], how_to::DOMAIN1);
    let attempts = "select attempts from operations";
    assert_eq!(app.scalar::<i32>(attempts).await, 1);

    let operation = format!("/v1/operations/{}", created.text("/lastOperation/id"));
    let stranger = app.signed_in("acc4@domain1.com").get(&operation).await;
    stranger.is_problem(404, "notFound");
    // Neither the stranger nor the worker has touched it since.
    assert_eq!(app.scalar::<i32>(attempts).await, 1);

    let ended = portal.continue_to_end(created.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "succeeded");
    assert_eq!(
        portal.connection(created.text("/id")).await.text("/state"),
        "active"
    );
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_participant_continues_an_operation_only_with_a_token_that_grants_access_to_the_targets_tenant() {
    let mut app = App::hurried().await;
    // Of the second tenant, and a guest in the first one: one participant who can't read at the target, and one who can.
    let participants = [("acc2@domain2.com", false), ("acc3@domain1.com", true)];
    for (number, (participant, opens)) in participants.into_iter().enumerate() {
        let name = format!("telemetry{number}");
        let mut wanted = request(&name);
        wanted["source"]["eventHub"]["consumerGroup"] = ["cg1", "cg2"][number].into();
        app.operations_take(STILL_RUNNING);
        let created = app
            .signed_in("acc1@domain1.com")
            .with_auxiliary(&app.token(participant, how_to::DOMAIN2))
            .create_waiting(&wanted, 0)
            .await;
        assert_eq!(created.status, 202, "{}", created.body);
        app.wait_for_calls("PUT", &name, 1).await;
        app.stop_service().await;
        app.start_service().await;
        let theirs = app.portal().with_token(&app.token(participant, how_to::DOMAIN2));
        let waiting = waits_for_a_caller(&theirs, &created).await;
        let operation = created.text("/lastOperation/id");
        if opens {
            assert_eq!(
                theirs.continue_to_end(operation).await.text("/status"),
                "succeeded"
            );
        } else {
            let attempts = "select sum(attempts) from operations";
            let before: i64 = app.scalar(attempts).await;
            let hash = json!({ "requestHash": waiting["requestHash"] });
            let refused = continue_operation(&theirs, operation, Some(hash), 0).await;
            refused.is_problem(403, "accessMissing");
            assert_eq!(app.scalar::<i64>(attempts).await, before);
            let waiting = waits_for_a_caller(&theirs, &created).await;
            assert_eq!(waiting["awaiting"][0]["tenantId"], how_to::DOMAIN1);
            let actor = app.signed_in("acc1@domain1.com");
            assert_eq!(
                actor.continue_to_end(operation).await.text("/status"),
                "succeeded"
            );
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_waited_for_a_create_goes_on_after_a_restart_when_it_is_repeated() {
    let mut app = App::hurried().await;
    let created = begin(&app, &app.how_to_portal()).await;
    let id = created.text("/id");
    let queued = app.how_to_portal().remove_waiting(id, 0).await;
    assert_eq!(queued.text("/lastOperation/status"), "notStarted");
    app.stop_service().await;
    app.start_service().await;
    let portal = app.how_to_portal();
    waits_for_a_caller(&portal, &created).await;
    let create = format!("/v1/operations/{}", created.text("/lastOperation/id"));

    // The removal's tokens also let the create before it settle: nobody else may ever come back for it.
    let removed = portal.remove(id).await;
    assert_eq!(
        (removed.status, removed.text("/state")),
        (200, "removed"),
        "{}",
        removed.body
    );
    assert_eq!(
        removed.body["lastOperation"]["id"],
        queued.body["lastOperation"]["id"]
    );
    assert_eq!(portal.get(&create).await.text("/status"), "succeeded");
    let methods: Vec<String> = app.writes().into_iter().map(|call| call.method).collect();
    assert_eq!(methods, ["PUT", "DELETE"]);
    app.finish().await;
}

#[tokio::test]
async fn a_continued_create_ends_also_when_a_removal_was_requested_after_it() {
    let mut app = App::hurried().await;
    let created = begin(&app, &app.how_to_portal()).await;
    let id = created.text("/id");
    app.how_to_portal().remove_waiting(id, 0).await;
    app.stop_service().await;
    app.start_service().await;
    let portal = app.how_to_portal();
    waits_for_a_caller(&portal, &created).await;
    let create = portal.continue_to_end(created.text("/lastOperation/id")).await;
    assert_eq!(create.text("/status"), "succeeded");
    // Continuing the create does not delete.
    assert!(app.calls("DELETE", "telemetry").is_empty());
    assert_eq!(portal.remove(id).await.text("/state"), "removed");
    app.finish().await;
}

#[tokio::test]
async fn a_removal_under_way_is_sent_again_after_a_restart_only_for_a_caller_who_may_remove() {
    let mut app = App::hurried().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    app.emulator.inject(
        Fault::arm("/dataConnections/", Effect::ResetBeforeEffect)
            .method("DELETE")
            .always(),
    );
    portal.remove_waiting(id, 0).await;
    app.wait_for_calls("DELETE", "telemetry", 2).await;
    app.stop_service().await;
    let sent = app.calls("DELETE", "telemetry").len();
    app.emulator.clear_faults();
    app.start_service().await;
    let portal = app.how_to_portal();
    let waiting = waits_for_a_caller(&portal, &created).await;
    assert_eq!(waiting["kind"], "remove");
    let reader = app.signed_in("acc6@domain1.com");
    reader.remove(id).await.is_problem(403, "accessMissing");
    assert_eq!(app.calls("DELETE", "telemetry").len(), sent);

    assert_eq!(portal.remove(id).await.text("/state"), "removed");
    assert_eq!(app.calls("DELETE", "telemetry").len(), sent + 1);
    // Each request that left has its event before it.
    let events = portal.event_kinds(id).await;
    let leaves = |kind: &&String| matches!(kind.as_str(), "remove.intended" | "remove.repeated");
    assert_eq!(events.iter().filter(leaves).count(), sent + 1);
    assert_eq!(
        events[events.len() - 3..],
        ["remove.repeated", "remove.accepted", "remove.succeeded"]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_stop_releases_the_lease_at_once_and_keeps_what_an_operation_waits_for() {
    let mut app = App::hurried().await;
    let created = begin(&app, &app.how_to_portal()).await;
    app.stop_service().await;
    let free = "select lease_until is null and due_at <= now() from operations";
    assert!(app.scalar::<bool>(free).await);
    app.start_service().await;
    waits_for_a_caller(&app.how_to_portal(), &created).await;
    app.stop_service().await;
    let waits = "select lease_until is null and awaiting_tenant_id is not null from operations";
    assert!(app.scalar::<bool>(waits).await);
    app.start_service().await;
    app.how_to_portal()
        .continue_to_end(created.text("/lastOperation/id"))
        .await;
    app.finish().await;
}

#[tokio::test]
async fn whoever_lost_the_lease_writes_nothing_any_more() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let created = begin(&app, &portal).await;
    let path = format!("/v1/connections/{}", created.text("/id"));
    let accepted = "select exists (select from operations where phase = 'accepted')";
    portal
        .wait_for(&format!("{path}/events"), |body| {
            body["value"].as_array().is_some_and(|events| events.len() == 2)
        })
        .await;
    assert!(app.scalar::<bool>(accepted).await);
    app.as_owner(
        "update operations set lease_token = gen_random_uuid(), lease_until = now() + interval '1 hour'",
    )
    .await;
    app.wait_for_log(
        created.text("/lastOperation/id"),
        "another replica took the operation over",
    )
    .await;
    assert!(app.scalar::<bool>(accepted).await);
    assert_eq!(portal.get(&path).await.text("/state"), "creating");

    // The other replica dies; this one still has the tokens.
    app.as_owner("update operations set lease_until = now()").await;
    portal.wait_for(&path, |body| body["state"] == "active").await;
    assert_eq!(
        portal.event_kinds(created.text("/id")).await,
        ["create.intended", "create.accepted", "create.succeeded"]
    );
    app.finish().await;
}

#[tokio::test]
async fn another_replica_takes_over_when_one_is_killed() {
    let app = App::with(short_leases).await;
    let mortal = app.mortal().await;
    let portal = app.how_to_portal();
    let created = begin(&app, &portal.at(mortal.address())).await;
    mortal.kill();
    waits_for_a_caller(&portal, &created).await;
    let ended = portal.continue_to_end(created.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "succeeded");
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_put_that_was_leaving_when_its_replica_was_killed_is_settled_by_reads() {
    let app = App::with(short_leases).await;
    let mortal = app.mortal().await;
    let portal = app.how_to_portal();
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::Delay(Duration::from_secs(60))).method("PUT"));
    let created = portal
        .at(mortal.address())
        .create_waiting(&request("telemetry"), 0)
        .await;
    // Nothing is recorded but the intent, and that is enough.
    mortal.kill();
    let waiting = waits_for_a_caller(&portal, &created).await;
    assert_eq!(waiting["awaiting"][0]["tenantId"], how_to::DOMAIN1);
    assert_eq!(
        portal.connection(created.text("/id")).await.text("/state"),
        "unsettled"
    );
    let ended = portal.continue_to_end(created.text("/lastOperation/id")).await;
    assert_eq!(ended.text("/status"), "failed");
    assert_eq!(
        portal.event_kinds(created.text("/id")).await,
        [
            "create.intended",
            "outcome.unknown",
            "operation.continued",
            "create.failed"
        ]
    );
    assert!(app.at_arm("telemetry").is_none());
    app.finish().await;
}

#[tokio::test]
async fn the_replica_that_received_the_tokens_resumes_the_operation_and_no_other_does() {
    let mut app = App::hurried().await;
    let created = begin(&app, &app.how_to_portal()).await;
    app.stop_service().await;
    app.start_service().await;
    let replica = app.replica().await;
    let portal = app.how_to_portal();
    waits_for_a_caller(&portal, &created).await;
    let there = portal.at(replica.address());
    let continued = continue_operation(&there, created.text("/lastOperation/id"), None, 0).await;
    assert_eq!(continued.status, 202, "{}", continued.body);
    let path = format!("/v1/connections/{}", created.text("/id"));
    portal.wait_for(&path, |body| body["state"] == "active").await;
    assert_eq!(app.scalar::<i32>("select attempts from operations").await, 2);
    replica.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn a_wait_that_azure_asks_for_may_outlast_the_lease_and_nobody_steps_in() {
    let app = App::with(|config| {
        hurried(config);
        config.worker.lease = Duration::from_millis(600);
    })
    .await;
    let replica = app.replica().await;
    app.emulator
        .inject(Fault::arm("/dataConnections/", Effect::status(429, &[("retry-after", "2")])).method("PUT"));
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!((created.status, created.text("/state")), (201, "active"));
    // Taken up once, by the one that had put it off: the other has no tokens, and would have waited for a caller.
    assert_eq!(app.scalar::<i32>("select attempts from operations").await, 1);
    assert_eq!(app.writes().len(), 2);
    replica.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn an_operation_that_this_version_does_not_understand_keeps_no_other_from_going_on() {
    let mut app = App::with(short_leases).await;
    let odd = begin(&app, &app.how_to_portal()).await;
    let mut wanted = request("other");
    wanted["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let other = app.how_to_portal().create_waiting(&wanted, 0).await;
    assert_eq!(other.status, 202, "{}", other.body);
    app.wait_for_calls("PUT", "other", 1).await;
    app.stop_service().await;
    let id = odd.text("/lastOperation/id");
    app.as_owner(&format!(
        "update operations set error = '{{\"odd\": true}}' where id = '{id}'"
    ))
    .await;
    app.start_service().await;
    let portal = app.how_to_portal();
    waits_for_a_caller(&portal, &other).await;
    assert_eq!(
        portal
            .continue_to_end(other.text("/lastOperation/id"))
            .await
            .text("/status"),
        "succeeded"
    );
    // What can't be understood is no reason to show anything of it.
    portal
        .connection(odd.text("/id"))
        .await
        .is_problem(500, "internal");

    app.as_owner("update operations set error = null where error ? 'odd'")
        .await;
    assert_eq!(portal.continue_to_end(id).await.text("/status"), "succeeded");
    app.finish().await;
}
