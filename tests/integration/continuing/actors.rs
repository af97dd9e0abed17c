//! In whose name the rest is done, and with whose tokens, when somebody else goes on while a replica still has what came before.

use super::{Waiting, continue_operation, lost_removal, naming};
use crate::support::{App, request};

#[tokio::test]
async fn a_create_that_a_removal_follows_ends_in_the_name_of_who_continues_it_meanwhile() {
    let mut app = App::hurried().await;
    app.hold_operations();
    let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
    let operation = created.text("/lastOperation/id").to_owned();
    app.wait_for_calls("PUT", "telemetry", 1).await;
    app.stop_service().await;
    app.start_service().await;
    let waiting = Waiting {
        app,
        connection: created.text("/id").to_owned(),
        operation,
        sent: 0,
    };
    let hash = waiting.hash().await;
    let app = &waiting.app;
    // A removal follows the create with its caller's tokens, for reads only, as long as Azure processes it.
    let removal = app
        .signed_in("acc3@domain1.com")
        .remove_waiting(&waiting.connection, 0)
        .await;
    assert_eq!(removal.status, 202, "{}", removal.body);
    app.wait_until("select lease_until is not null from operations where kind = 'create'")
        .await;

    let other = app.signed_in("acc5@domain1.com");
    let continued = continue_operation(&other, &waiting.operation, naming(&hash), 0).await;
    assert_eq!(continued.status, 202, "{}", continued.body);
    app.release_operations();
    let ended = other.follow(&waiting.operation).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    let continued = &waiting.events("operation.continued").await[0];
    let succeeded = &waiting.events("create.succeeded").await[0];
    assert_eq!(succeeded["actorId"], continued["actorId"]);
    assert_ne!(succeeded["actorId"], continued["details"]["actorBefore"]);
    app.all_have_ended().await;
    waiting.app.finish().await;
}

#[tokio::test]
async fn a_replica_that_still_has_the_tokens_of_who_asked_goes_on_with_those_of_who_continues() {
    let (app, connection, operation) = lost_removal().await;
    // Another replica took it over while this one was frozen, and lets it wait for a caller.
    app.as_owner(
        "update operations set lease_token = gen_random_uuid(), lease_until = now(), holder = null,
            due_at = now() + interval '1 hour', awaiting_tenant_id = c.target_tenant_id
         from connections c where c.id = connection_id and phase not in ('succeeded', 'failed')",
    )
    .await;
    app.emulator.clear_faults();
    let waiting = Waiting {
        sent: app.calls("DELETE", "telemetry").len(),
        app,
        connection,
        operation,
    };
    let hash = waiting.hash().await;
    let other = waiting.app.signed_in("acc5@domain1.com");
    let ended = waiting.continue_operation(&other, naming(&hash)).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    let deletes = waiting.app.calls("DELETE", "telemetry");
    let last = deletes.last().and_then(|call| call.primary.as_ref());
    let upn = last.and_then(|token| token.upn.as_deref());
    assert_eq!(upn, Some("acc5@domain1.com"));
    waiting.app.finish().await;
}

#[tokio::test]
async fn a_replica_that_still_has_the_tokens_of_a_former_actor_does_not_write_with_them() {
    let (app, connection, operation) = lost_removal().await;
    let mut wanted = request("other");
    wanted["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let other = app.signed_in("acc3@domain1.com");
    let known = other
        .with_auxiliary(&app.token("acc2@domain2.com", azure_emulator::how_to::DOMAIN2))
        .create(&wanted)
        .await;
    assert_eq!(known.status, 201, "{}", known.body);
    // Another replica, where another person continued it, died with their tokens; this one was frozen meanwhile.
    app.as_owner(&format!(
        "update operations set lease_token = gen_random_uuid(), lease_until = now(), holder = null, due_at = now(),
            continued_by = (select person_id from operations where id = '{}'), continued_app = app_id
         where id = '{operation}'",
        known.text("/lastOperation/id")
    ))
    .await;
    let mut waiting = Waiting {
        sent: 0,
        app,
        connection,
        operation,
    };
    waiting.waits().await;
    waiting.app.emulator.clear_faults();
    waiting.sent = waiting.app.calls("DELETE", "telemetry").len();
    let ended = waiting.continue_operation(&other, None).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    assert_eq!(waiting.sent_since(), 1);
    let deletes = waiting.app.calls("DELETE", "telemetry");
    let effective = deletes.last().and_then(|call| call.primary.as_ref());
    assert_eq!(
        effective.and_then(|token| token.upn.as_deref()),
        Some("acc3@domain1.com")
    );
    waiting.app.finish().await;
}
