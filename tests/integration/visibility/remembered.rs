//! How long an answer holds, what is never asked, and what happens when nobody can tell.

use std::time::Duration;

use azure_emulator::{Effect, Fault, Host, how_to};
use serde_json::json;

use super::{justified, role};
use crate::support::{App, allowing};

/// How often ARM was asked for the data connection with this user's token.
fn asked(app: &App, user: &str) -> usize {
    let entries = app.emulator.journal().entries();
    let is_asked = |entry: &&azure_emulator::Entry| {
        let by = entry.primary.as_ref().and_then(|token| token.upn.as_deref());
        entry.method == "GET" && entry.path().contains("/dataConnections/telemetry") && by == Some(user)
    };
    entries.iter().filter(is_asked).count()
}

#[tokio::test]
async fn arms_answer_is_remembered_for_each_person_and_its_time() {
    let app = App::with(|config| config.visibility.denied_for = Duration::from_millis(1)).await;
    let created = justified(&app).await;
    let id = created.text("/id");
    let reader = app.signed_in("acc6@domain1.com");
    assert_eq!(reader.connection(id).await.status, 200);
    app.emulator
        .edit(|world| {
            let group = how_to::CLUSTER.split("/providers").next().unwrap_or_default();
            world.revoke_roles("acc6@domain1.com", group)
        })
        .expect("roles");
    // Remembered, whatever token they come with.
    assert_eq!(reader.connection(id).await.status, 200);
    assert_eq!(app.signed_in("acc6@domain1.com").connection(id).await.status, 200);
    assert_eq!(asked(&app, "acc6@domain1.com"), 1);
    // The answer was theirs alone.
    let stranger = app.signed_in("acc4@domain1.com");
    stranger.connection(id).await.is_problem(404, "notFound");
    role(&app, "acc4@domain1.com", "Reader", how_to::CLUSTER);
    let path = format!("/v1/connections/{id}");
    stranger.wait_for(&path, |body| body["id"] == id).await;

    // A service that remembers nothing for long asks again, and finds that the right is gone.
    let forgetful = app
        .start_another(|config| config.visibility.granted_for = Duration::from_millis(1))
        .await
        .expect("a replica");
    role(&app, "acc7@domain1.com", "Reader", how_to::CLUSTER);
    let there = app.signed_in("acc7@domain1.com").at(forgetful.address());
    assert_eq!(there.connection(id).await.status, 200);
    app.emulator
        .edit(|world| world.revoke_roles("acc7@domain1.com", how_to::CLUSTER))
        .expect("roles");
    there.wait_for(&path, |body| body["status"] == 404).await;
    forgetful.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn entra_is_not_asked_again_and_again_for_who_is_not_in_a_tenant() {
    let app = App::start().await;
    let created = justified(&app).await;
    // Neither a member of the cluster's tenant nor with any right in their own.
    let stranger = app
        .portal()
        .with_token(&app.token("acc8@domain2.com", how_to::DOMAIN2));
    for _ in 0..20 {
        assert_eq!(stranger.connection(created.text("/id")).await.status, 404);
    }
    let archive = format!("/v1/connections?database={}", how_to::ARCHIVE);
    assert_eq!(stranger.get(&archive).await.body, json!({ "value": [] }));
    let entries = app.emulator.journal().entries();
    let refused = |entry: &&azure_emulator::Entry| entry.host == Host::Entra && entry.status == 400;
    assert_eq!(entries.iter().filter(refused).count(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_look_that_nobody_can_answer_is_an_outage_and_not_a_no() {
    // What is refused for too many calls must not be felt at the next look; `resilience` has what it does.
    let app = App::with(|config| config.upstream_limits.longest_retry_after = Duration::ZERO).await;
    let created = justified(&app).await;
    let paths = [
        format!("/v1/connections/{}", created.text("/id")),
        format!("/v1/connections?database={}", how_to::DATABASE),
    ];
    let reader = app.signed_in("acc6@domain1.com");
    for path in &paths {
        for fault in [
            Fault::arm("/dataConnections", Effect::status(503, &[])),
            Fault::arm("/dataConnections", Effect::status(429, &[("retry-after", "9")])),
            Fault::arm("/dataConnections", Effect::ResetBeforeEffect),
            Fault::entra("/token", Effect::status(503, &[])),
        ] {
            // From the source's side nothing is seen either.
            let hub = Fault::arm(
                "/eventhubs/hub1",
                Effect::json(403, json!({ "error": { "code": "AuthorizationFailed" } })),
            );
            app.emulator.inject(hub.always());
            app.emulator.inject(fault.clone().always());
            let answer = app.signed_in("acc6@domain1.com").get(path).await;
            answer.is_problem(503, "upstreamUnavailable");
            app.emulator.clear_faults();
        }
        // None of it was remembered, and those whom the record names never needed to be asked about.
        assert_eq!(reader.get(path).await.status, 200);
    }
    app.finish().await;
}

#[tokio::test]
async fn no_token_leaves_for_a_tenant_that_is_allowed_no_longer() {
    let app = App::start().await;
    let created = justified(&app).await;
    let narrow = app
        .start_another(|config| {
            config.tenants = allowing(&[how_to::DOMAIN1], &[how_to::DOMAIN1]);
        })
        .await
        .expect("a replica");
    role(&app, "acc8@domain2.com", "Reader", how_to::HUB1);
    let there = app
        .portal()
        .with_token(&app.token("acc8@domain2.com", how_to::DOMAIN2))
        .at(narrow.address());
    let before = app.emulator.journal().entries().len();
    there
        .connection(created.text("/id"))
        .await
        .is_problem(404, "notFound");
    let exchanged = |entry: &azure_emulator::Entry| entry.path().contains(how_to::DOMAIN2);
    let entries = app.emulator.journal().entries();
    assert!(
        !entries[before..]
            .iter()
            .any(|entry| entry.method == "POST" && exchanged(entry))
    );
    narrow.stop().await;
    app.finish().await;
}
