//! A removal that goes on with the tokens of somebody else than who asked for it: it is theirs from then on, and what they may not
//! do takes nothing from the wish.

use azure_emulator::how_to;
use serde_json::Value;

use crate::support::{Answer, App, Portal, hurried, request};

/// A removal of acc1's that was queued when its replica was stopped, and waits for a caller.
async fn waiting_removal(app: &mut App) -> (String, String) {
    app.operations_take(std::time::Duration::from_secs(3));
    let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    let id = created.text("/id").to_owned();
    let removal = app.how_to_portal().remove_waiting(&id, 0).await;
    assert_eq!(removal.status, 202, "{}", removal.body);
    app.stop_service().await;
    app.emulator.edit(|world| world.finish_operations(|_| true));
    app.operations_take(std::time::Duration::from_millis(60));
    app.start_service().await;
    // The create settles with its actor's tokens; the removal waits for a caller.
    let portal = app.how_to_portal();
    portal.continue_to_end(created.text("/lastOperation/id")).await;
    let operation = removal.text("/lastOperation/id").to_owned();
    let path = format!("/v1/operations/{operation}");
    portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    (id, operation)
}

/// Who the ledger says began what, newest last.
async fn actors(portal: &Portal, id: &str) -> Vec<(String, String)> {
    let answer = portal.get(&format!("/v1/connections/{id}/events")).await;
    let events = answer.body["value"].as_array().expect("events").clone();
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    events
        .iter()
        .map(|event| (text(event, "kind"), text(event, "actorId")))
        .collect()
}

fn of_kind(events: &[(String, String)], kind: &str) -> Vec<String> {
    let found = events.iter().filter(|event| event.0 == kind);
    found.map(|event| event.1.clone()).collect()
}

#[tokio::test]
async fn the_ledger_names_whose_token_a_removal_went_on_with() {
    let mut app = App::hurried().await;
    let (id, operation) = waiting_removal(&mut app).await;
    // Nobody the service has recorded before.
    let helper = app.signed_in("acc3@domain1.com");
    let removed: Answer = helper.remove(&id).await;
    assert_eq!((removed.status, removed.text("/state")), (200, "removed"));
    assert_eq!(removed.text("/lastOperation/id"), operation);
    let deletes = app.calls("DELETE", "telemetry");
    let upn = deletes[0].primary.as_ref().and_then(|token| token.upn.as_deref());
    assert_eq!((deletes.len(), upn), (1, Some("acc3@domain1.com")));

    let events = actors(&app.how_to_portal(), &id).await;
    let asked = of_kind(&events, "create.intended");
    for kind in ["remove.intended", "remove.accepted", "remove.succeeded"] {
        let by = of_kind(&events, kind);
        assert_eq!(by.len(), 1, "{kind}: {events:?}");
        assert_ne!(by, asked, "{kind} is not its first asker's doing");
    }
    assert_eq!(of_kind(&events, "remove.queued"), asked);
    let object: uuid::Uuid = app
        .scalar(
            "select p.object_id from people p join ledger_events e on e.person_id = p.id where e.kind = 'remove.succeeded'",
        )
        .await;
    assert_eq!(object.to_string(), "0acc0003-0000-4000-8000-000000000001");
    app.finish().await;
}

#[tokio::test]
async fn who_may_not_remove_does_not_end_a_removal_that_somebody_else_asked_for() {
    let mut app = App::hurried().await;
    let (id, operation) = waiting_removal(&mut app).await;
    // ARM doesn't tell them beforehand what they may do, so their token is tried.
    let untold = azure_emulator::Effect::json(
        403,
        serde_json::json!({ "error": { "code": "AuthorizationFailed" } }),
    );
    app.emulator
        .inject(azure_emulator::Fault::arm("/permissions", untold).always());
    let reader = app.signed_in("acc6@domain1.com");
    let answer = reader.remove_waiting(&id, 0).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    app.emulator.clear_faults();
    let portal = app.how_to_portal();
    let path = format!("/v1/operations/{operation}");
    let waiting = portal
        .wait_for(&path, |body| body["status"] == "awaitingCaller")
        .await;
    assert_eq!(waiting.text("/awaiting/0/tenantId"), how_to::DOMAIN1);
    assert_eq!(portal.connection(&id).await.text("/state"), "removing");
    let held = of_kind(&actors(&portal, &id).await, "remove.held");
    assert_eq!(held.len(), 1);

    let removed = portal.remove(&id).await;
    assert_eq!((removed.status, removed.text("/state")), (200, "removed"));
    assert_eq!(app.calls("DELETE", "telemetry").len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn a_repeated_create_that_provides_its_tokens_waits_for_a_slow_entra_and_is_no_outage() {
    let mut app = App::with(|config| {
        hurried(config);
        // Entra takes longer than the database may.
        config.database.pool.acquire_timeout = std::time::Duration::from_secs(2);
    })
    .await;
    app.operations_take(std::time::Duration::from_secs(3));
    let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
    app.wait_for_calls("PUT", "telemetry", 1).await;
    app.stop_service().await;
    app.start_service().await;
    app.wait_until("select awaiting_tenant_id is not null from operations")
        .await;
    let slow = azure_emulator::Effect::Delay(std::time::Duration::from_secs(5));
    app.emulator.inject(azure_emulator::Fault::entra("/token", slow));
    let portal = app.how_to_portal();
    let repeated = portal.create_waiting(&request("telemetry"), 0).await;
    assert!([200, 202].contains(&repeated.status), "{}", repeated.body);
    assert_eq!(repeated.body["id"], created.body["id"]);
    app.emulator.edit(|world| world.finish_operations(|_| true));
    let ended = portal.follow(created.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded");
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}
