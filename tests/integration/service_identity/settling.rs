//! What the service settles by itself after a restart.

use azure_emulator::{Effect, how_to};
use serde_json::Value;

use super::{Granted, asked_for, begin, by_itself, delete, grant, waits_for_a_caller};
use crate::support::{Portal, request};

/// The connection's events: kind, who caused them, and by what.
async fn events(portal: &Portal, id: &str) -> Vec<(String, bool, Value)> {
    let answer = portal.get(&format!("/v1/connections/{id}/events")).await;
    let events = answer.body["value"].as_array().expect("events");
    let one = |event: &Value| {
        let kind = event["kind"].as_str().expect("a kind").to_owned();
        (kind, event["actorId"].is_string(), event["details"]["by"].clone())
    };
    events.iter().map(one).collect()
}

#[tokio::test]
async fn a_create_that_a_restart_left_under_way_is_settled_where_the_targets_tenant_granted_reads() {
    for granted in [Granted::Nowhere, Granted::AtTheTarget, Granted::AtBoth] {
        let mut app = granted.app().await;
        let created = begin(&app).await;
        app.stop_service().await;
        assert_eq!(asked_for(&app), 0, "the caller's own tokens were there");
        app.release_operations();
        app.start_service().await;
        let portal = app.how_to_portal();
        if granted == Granted::Nowhere {
            let waiting = waits_for_a_caller(&portal, &created).await;
            assert_eq!(waiting["awaiting"][0]["tenantId"], how_to::DOMAIN1);
            assert_eq!(asked_for(&app), 0);
            let ended = portal.continue_to_end(created.text("/lastOperation/id")).await;
            assert_eq!(ended.text("/status"), "succeeded");
        } else {
            // Nobody looks at it.
            app.all_have_ended().await;
            let connection = portal.connection(created.text("/id")).await;
            assert_eq!(connection.text("/state"), "active");
            assert_eq!(asked_for(&app), 1, "one token serves");
            let ended = events(&portal, created.text("/id")).await;
            let person = |kind: &str| (kind.to_owned(), true, Value::Null);
            let service = |kind: &str| (kind.to_owned(), false, Value::from("service"));
            let expected = [
                person("create.intended"),
                person("create.accepted"),
                service("create.succeeded"),
            ];
            assert_eq!(ended, expected);
        }
        assert_eq!(app.writes().len(), 1);
        app.finish().await;
    }
}

#[tokio::test]
async fn a_put_of_unknown_outcome_is_settled_by_the_services_own_reads() {
    for (effect, state) in [
        (Effect::ResetBeforeEffect, "failed"),
        (Effect::ResetAfterEffect, "active"),
    ] {
        let mut app = Granted::AtTheTarget.app().await;
        app.emulator
            .inject(azure_emulator::Fault::arm("/dataConnections/", effect).method("PUT"));
        // No read tells anything before the restart.
        app.emulator.inject(
            azure_emulator::Fault::arm("/dataConnections/telemetry", Effect::status(503, &[]))
                .method("GET")
                .after(1)
                .always(),
        );
        let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
        app.wait_until("select exists (select from operations where phase = 'settling')")
            .await;
        app.stop_service().await;
        app.emulator.clear_faults();
        app.start_service().await;
        app.all_have_ended().await;
        let connection = app.how_to_portal().connection(created.text("/id")).await;
        assert_eq!(connection.text("/state"), state, "{}", connection.body);
        assert!(!by_itself(&app).is_empty());
        app.finish().await;
    }
}

#[tokio::test]
async fn a_removal_that_was_carried_out_is_settled_and_one_that_was_not_waits_for_somebody_who_may() {
    for (effect, gone) in [
        (Effect::ResetAfterEffect, true),
        (Effect::ResetBeforeEffect, false),
    ] {
        let mut app = Granted::AtTheTarget.app().await;
        // It could, by its role. It doesn't.
        grant(&app, "Contributor", how_to::CLUSTER);
        let created = app.how_to_portal().create(&request("telemetry")).await;
        let id = created.text("/id");
        app.hold_operations();
        app.emulator.inject(delete(effect).always());
        app.how_to_portal().remove_waiting(id, 0).await;
        app.wait_for_calls("DELETE", "telemetry", 1).await;
        app.stop_service().await;
        let sent = app.calls("DELETE", "telemetry").len();
        app.emulator.clear_faults();
        app.release_operations();
        app.start_service().await;
        let portal = app.how_to_portal();
        if gone {
            app.all_have_ended().await;
        } else {
            let waiting = waits_for_a_caller(&portal, &created).await;
            assert_eq!(waiting["awaiting"][0]["tenantId"], how_to::DOMAIN1);
            assert_eq!(app.calls("DELETE", "telemetry").len(), sent);
            assert_eq!(portal.remove(id).await.status, 200);
        }
        assert_eq!(portal.connection(id).await.text("/state"), "removed");
        assert!(by_itself(&app).iter().all(|call| call.method == "GET"));
        app.finish().await;
    }
}

#[tokio::test]
async fn the_service_goes_on_by_itself_when_the_callers_token_is_taken_no_longer() {
    let app = Granted::AtTheTarget.app().await;
    let created = begin(&app).await;
    app.emulator
        .edit(|world| world.revoke_sessions("acc1@domain1.com"))
        .expect("a user");
    app.release_operations();
    app.all_have_ended().await;
    let portal = app.signed_in("acc1@domain1.com");
    let connection = portal.connection(created.text("/id")).await;
    assert_eq!(connection.text("/state"), "active", "{}", connection.body);
    let ended = events(&portal, created.text("/id")).await;
    let last = ended.last().expect("events");
    assert_eq!((last.1, &last.2), (false, &Value::from("service")), "{ended:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_caller_who_is_here_is_who_reads() {
    let app = Granted::AtBoth.app().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(portal.remove(created.text("/id")).await.status, 200);
    assert_eq!((asked_for(&app), by_itself(&app).len()), (0, 0));
    app.finish().await;
}
