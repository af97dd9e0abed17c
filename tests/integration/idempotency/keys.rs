//! What is a key, whose it is, and how long it is kept.

use std::time::Duration;

use azure_emulator::how_to;
use serde_json::json;
use tenant_bridge::db::schedules;

use super::{are_one, other_request, stands_as};
use crate::support::{Answer, App, Portal, connect, hurried, request};

/// A service that forgets keys only when it is restarted, and whose keys a test makes older.
async fn app_that_seldom_sweeps() -> App {
    let app = App::hurried().await;
    app.wait_until(
        "select due_at > now() + interval '30 minutes' from schedules where name = 'sweepIdempotencyKeys'",
    )
    .await;
    app
}

async fn a_week_passes(app: &App) {
    app.as_owner("update idempotency_keys set created_at = created_at - interval '8 days'")
        .await;
}

async fn is_made_anew(portal: &Portal, first: &Answer) {
    let anew = portal.create(&request("telemetry")).await;
    stands_as(&anew, 201, "active");
    assert_ne!(anew.body["id"], first.body["id"]);
    are_one(&anew, &portal.create(&request("telemetry")).await);
}

#[tokio::test]
async fn a_key_that_was_used_for_another_request_is_refused_and_nothing_changes() {
    let app = App::hurried().await;
    let portal = app.how_to_portal().keyed("one-wish");
    let first = portal.create(&request("telemetry")).await;
    let mut justified = request("telemetry");
    justified["justification"] = json!("said only the second time");
    for wanted in [other_request(), justified] {
        let refused = portal.create(&wanted).await;
        refused.is_problem(422, "idempotencyKeyReused");
        assert_eq!(refused.text("/errors/0/pointer"), "Idempotency-Key");
    }
    are_one(&first, &portal.create(&request("telemetry")).await);
    assert_eq!(app.writes().len(), 1);
    assert_eq!(app.scalar::<i64>("select count(*) from connections").await, 1);
    assert_eq!(app.refusals().await, 2);
    app.finish().await;
}

#[tokio::test]
async fn of_two_requests_with_one_key_at_the_same_moment_one_is_refused_and_never_sent() {
    let app = App::hurried().await;
    let portal = app.how_to_portal().keyed("one-wish");
    let (one, other) = (request("telemetry"), other_request());
    let (one, other) = tokio::join!(portal.create(&one), portal.create(&other));
    let (made, refused) = if one.status == 201 {
        (one, other)
    } else {
        (other, one)
    };
    stands_as(&made, 201, "active");
    refused.is_problem(422, "idempotencyKeyReused");
    assert_eq!(app.writes().len(), 1);
    assert_eq!(app.scalar::<i64>("select count(*) from connections").await, 1);
    app.finish().await;
}

#[tokio::test]
async fn the_same_key_of_another_person_or_another_app_is_another_key() {
    let app = App::with(|config| {
        hurried(config);
        let other = how_to::OTHER_PORTAL.parse().expect("an id");
        config.entra.calling_apps.push(other);
    })
    .await;
    let portal = app.how_to_portal().keyed("one-wish");
    let first = portal.create(&request("telemetry")).await;
    let person = app.signed_in("acc3@domain1.com").keyed("one-wish");
    stands_as(&person.create(&other_request()).await, 201, "active");

    let of_other_app = |user: &str, tenant: &str| {
        app.odd_token(user, tenant, |token| {
            token.client_app = how_to::OTHER_PORTAL.to_owned();
        })
    };
    let elsewhere = app
        .portal()
        .with_token(&of_other_app("acc1@domain1.com", how_to::DOMAIN1))
        .with_auxiliary(&of_other_app("acc2@domain2.com", how_to::DOMAIN2))
        .keyed("one-wish");
    let mut third = request("third");
    third["source"]["eventHub"]["consumerGroup"] = json!("cg2");
    let created = elsewhere.create(&third).await;
    stands_as(&created, 201, "active");
    are_one(&created, &elsewhere.create(&third).await);
    are_one(&first, &portal.create(&request("telemetry")).await);
    assert_eq!(app.writes().len(), 3);
    app.finish().await;
}

#[tokio::test]
async fn a_repeat_is_authorised_again() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let created = portal.keyed("one-wish").create(&request("telemetry")).await;
    let id = created.text("/id");
    let reads_only = |user: &str, tenant: &str| {
        app.odd_token(user, tenant, |token| {
            token.scopes = vec!["Connections.Read".to_owned()];
        })
    };
    let reader = app
        .portal()
        .with_token(&reads_only("acc1@domain1.com", how_to::DOMAIN1))
        .keyed("one-wish");
    let refused = reader.create(&request("telemetry")).await;
    refused.is_problem(403, "insufficientScope");

    app.hold_operations();
    let removing = portal.keyed("gone").remove_waiting(id, 0).await;
    stands_as(&removing, 202, "removing");
    reader
        .keyed("gone")
        .remove(id)
        .await
        .is_problem(403, "insufficientScope");
    // Anyone who brings tokens for a removal under way must still be allowed to remove.
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    app.emulator
        .edit(|world| {
            world.revoke_roles("acc1@domain1.com", how_to::CLUSTER)?;
            world.assign_role("acc1@domain1.com", "Reader", how_to::CLUSTER)
        })
        .expect("roles");
    let denied = portal.keyed("gone").remove(id).await;
    denied.is_problem(403, "accessMissing");
    app.release_operations();
    portal.follow(removing.text("/lastOperation/id")).await;
    are_one(&removing, &portal.keyed("gone").remove(id).await);
    app.finish().await;
}

#[tokio::test]
async fn what_is_no_key_is_told_with_all_else_that_is_wrong() {
    let app = App::hurried().await;
    let portal = app.how_to_portal();
    let long = "k".repeat(256);
    for key in ["", "two words", "\"open", "\"\"", &long] {
        let refused = portal.keyed(key).create(&request("telemetry")).await;
        refused.is_problem(400, "invalidRequest");
        assert_eq!(refused.text("/errors/0/pointer"), "Idempotency-Key");
    }
    let id = "01900000-0000-7000-8000-000000000001";
    let refused = portal.keyed("two words").remove(id).await;
    refused.is_problem(400, "invalidRequest");
    let mut nameless = request("telemetry");
    nameless["name"] = json!("a/b");
    let refused = portal.keyed("two words").create(&nameless).await;
    refused.is_problem(400, "invalidRequest");
    assert_eq!(refused.text("/errors/0/pointer"), "Idempotency-Key");
    assert_eq!(refused.text("/errors/1/pointer"), "/name");
    app.assert_untouched(6).await;
    app.finish().await;
}

#[tokio::test]
async fn a_request_that_was_refused_leaves_no_key() {
    let app = App::hurried().await;
    let portal = app.how_to_portal().keyed("one-wish");
    let mut wanted = request("telemetry");
    wanted["source"]["eventHub"]["consumerGroup"] = json!("cg9");
    portal.create(&wanted).await.is_problem(422, "referenceNotFound");
    assert_eq!(
        app.scalar::<i64>("select count(*) from idempotency_keys").await,
        0
    );
    // What was mended may be sent under the same key.
    stands_as(&portal.create(&request("telemetry")).await, 201, "active");
    app.finish().await;
}

#[tokio::test]
async fn a_key_is_free_again_after_its_time_although_nothing_has_swept_it() {
    let app = app_that_seldom_sweeps().await;
    let portal = app.how_to_portal().keyed("one-wish");
    let first = portal.create(&request("telemetry")).await;
    portal.remove(first.text("/id")).await;
    a_week_passes(&app).await;
    is_made_anew(&portal, &first).await;
    app.finish().await;
}

#[tokio::test]
async fn keys_are_swept_after_their_time_and_no_sooner() {
    let app = App::hurried_with(|config| config.idempotency.sweep_every = Duration::from_millis(100)).await;
    let replica = app.replica().await;
    let portal = app.how_to_portal().keyed("one-wish");
    let first = portal.create(&request("telemetry")).await;
    portal.remove(first.text("/id")).await;
    // More than one statement deletes.
    app.as_owner(
        "insert into idempotency_keys select person_id, app_id, route, int4send(n), body_hash, connection_id, operation_id,
            began, created_at from idempotency_keys, generate_series(1, 2500) n where route like 'POST%'",
    )
    .await;
    a_week_passes(&app).await;
    let young = portal.keyed("young").create(&request("telemetry")).await;
    app.wait_until("select count(*) = 1 from idempotency_keys").await;
    are_one(&young, &portal.keyed("young").create(&request("telemetry")).await);
    portal.keyed("gone").remove(young.text("/id")).await;
    is_made_anew(&portal, &first).await;
    replica.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn what_is_due_again_and_again_is_done_by_one_replica_at_a_time() {
    let app = App::hurried().await;
    // A job that no replica knows, so that the service does not run it too.
    app.as_owner("insert into schedules (name, due_at) values ('unknown', now())")
        .await;
    let (mut one, mut other) = (
        connect(&app.database.serving_url).await,
        connect(&app.database.serving_url).await,
    );
    let (schedule, every) = ("unknown", Duration::from_secs(3600));
    let claims = tokio::join!(
        schedules::claim(&mut one, schedule, every),
        schedules::claim(&mut other, schedule, every)
    );
    assert_ne!(claims.0.expect("an answer"), claims.1.expect("an answer"));
    let again = schedules::claim(&mut one, schedule, every).await;
    assert!(!again.expect("an answer"), "it is due in an hour");
    app.finish().await;
}
