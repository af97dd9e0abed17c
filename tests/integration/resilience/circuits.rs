//! One tenant's Entra, or one tenant's side of ARM, hangs or fails: it is left alone for a while, and no other tenant notices.

use std::time::{Duration, Instant};

use azure_emulator::{Effect, Fault, how_to};
use http::Method;
use tenant_bridge::config::Config;

use super::within_the_first_tenant;
use crate::support::{App, PATIENCE, allowing, hurried, request};

/// As the service is by itself, but for the length of the pause.
fn quick_to_open(config: &mut Config) {
    hurried(config);
    config.upstream_limits.opens_after = 5;
    config.upstream_limits.open_for = Duration::from_secs(2);
    config.tenants = allowing(&[how_to::DOMAIN1], &[how_to::DOMAIN1, how_to::DOMAIN2]);
}

fn token_endpoint(tenant: &str) -> String {
    format!("/{tenant}/oauth2/v2.0/token")
}

#[tokio::test]
async fn a_tenant_whose_entra_hangs_slows_no_other() {
    let app = App::with(|config| {
        quick_to_open(config);
        config.upstream_limits.read_timeout = Duration::from_secs(8);
        config.upstream_limits.at_once = 8;
    })
    .await;
    app.operations_take(Duration::from_millis(60));
    let endpoint = token_endpoint(how_to::DOMAIN2);
    let drip = Effect::Drip {
        bytes: 1,
        pause: Duration::from_secs(1),
    };
    let hang = Effect::Delay(Duration::from_secs(20));
    app.emulator.inject(Fault::entra(&endpoint, drip).times(4));
    app.emulator.inject(Fault::entra(&endpoint, hang).always());
    // Each with tokens of its own, so that none shares another's exchange.
    let mut hanging = tokio::task::JoinSet::new();
    for number in 0..40 {
        let portal = app.how_to_portal();
        hanging.spawn(async move { portal.create(&request(&format!("far-{number}"))).await });
    }
    // Both tenants are asked side by side; what hangs is in the journal only when it ends.
    let asked = app
        .emulator
        .journal()
        .wait_for(|_| app.exchanges_at(how_to::DOMAIN1) >= 40, PATIENCE);
    assert!(asked.await.is_some(), "nothing hangs");
    // Meanwhile somebody works within the first tenant.
    for number in 0..3 {
        let asked_at = Instant::now();
        let portal = app.signed_in("acc1@domain1.com");
        let created = portal
            .create(&within_the_first_tenant(&format!("near-{number}")))
            .await;
        assert_eq!(created.status, 201, "{}", created.body);
        assert!(
            asked_at.elapsed() < Duration::from_secs(5),
            "{:?}",
            asked_at.elapsed()
        );
        let removed = portal.remove(created.text("/id")).await;
        assert_eq!(removed.status, 200, "{}", removed.body);
    }
    while let Some(answer) = hanging.join_next().await {
        let answer = answer.expect("an answer");
        answer.is_problem(503, "upstreamUnavailable");
        assert!(answer.header("retry-after").is_some());
    }
    app.finish().await;
}

#[tokio::test]
async fn an_entra_that_fails_is_left_alone_then_tried_once_and_used_again() {
    let app = App::with(quick_to_open).await;
    let endpoint = token_endpoint(how_to::DOMAIN2);
    app.emulator
        .inject(Fault::entra(&endpoint, Effect::status(500, &[])).always());
    for _ in 0..10 {
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        answer.is_problem(503, "upstreamUnavailable");
        assert_eq!(answer.text("/upstream/service"), "entra");
    }
    // Some more after each pause: a slow machine takes longer than one over ten requests.
    let asked = app.exchanges_at(how_to::DOMAIN2);
    assert!((5..10).contains(&asked), "{asked} exchanges");
    app.wait_for_log("circuit breaker opened", how_to::DOMAIN2).await;
    app.emulator.clear_faults();
    let created = app
        .how_to_portal()
        .create_at_last(&request("telemetry"), &[503])
        .await;
    assert_eq!(created.text("/state"), "active");
    app.wait_for_log("calls succeed again", how_to::DOMAIN2).await;
    app.finish().await;
}

#[tokio::test]
async fn one_tenants_side_of_arm_that_fails_is_left_alone_and_the_others_are_asked() {
    let app = App::with(quick_to_open).await;
    app.operations_take(Duration::from_millis(60));
    let source = "/subscriptions/50000000-0000-4000-8000-000000000002/resourcegroups";
    app.emulator
        .inject(Fault::arm(source, Effect::ResetBeforeEffect).always());
    for _ in 0..6 {
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        answer.is_problem(503, "upstreamUnavailable");
    }
    let asked = app.asked_of_arm("namespaces/ns-domain2");
    assert!((5..20).contains(&asked), "{asked} calls");
    let portal = app.signed_in("acc1@domain1.com");
    let created = portal.create(&within_the_first_tenant("near")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.assert_only_wrote("near");
    app.finish().await;
}

#[tokio::test]
async fn a_create_of_unknown_outcome_is_settled_when_an_arm_that_failed_is_back() {
    let app = App::with(|config| {
        quick_to_open(config);
        config.upstream_limits.open_for = Duration::from_millis(300);
    })
    .await;
    app.operations_take(Duration::from_millis(60));
    let path = "/dataConnections/telemetry";
    app.emulator
        .inject(Fault::arm(path, Effect::ResetAfterEffect).method("PUT"));
    let outage = Effect::status(503, &[]);
    // The read of the preflight passes.
    app.emulator
        .inject(Fault::arm(path, outage).method("GET").after(1).always());
    let portal = app.how_to_portal();
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    app.wait_for_log("circuit breaker opened", how_to::DOMAIN1).await;
    app.emulator.clear_faults();
    let ended = portal.follow(created.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded");
    assert_eq!(app.calls("PUT", "telemetry").len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_waits_for_an_arm_that_fails_adds_nothing_to_the_ledger() {
    let app = App::with(|config| {
        quick_to_open(config);
        config.upstream_limits.open_for = Duration::from_millis(300);
    })
    .await;
    app.operations_take(Duration::from_millis(60));
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let throttled = Effect::status(429, &[("retry-after", "1")]);
    let path = "/dataConnections/telemetry";
    app.emulator
        .inject(Fault::arm(path, throttled).method("DELETE").times(1));
    let removal = portal.remove_waiting(created.text("/id"), 0).await;
    assert_eq!(removal.status, 202, "{}", removal.body);
    app.wait_for_calls("DELETE", "telemetry", 1).await;
    app.emulator
        .inject(Fault::arm("/subscriptions/", Effect::status(503, &[])).always());
    // Five open the line, and each pause ends with one that tries.
    let looks = app.calls("GET", "telemetry").len();
    app.wait_for_calls("GET", "telemetry", looks + 7).await;
    let so_far = portal.event_kinds(created.text("/id")).await;
    assert_eq!(so_far.last().map(String::as_str), Some("change.putOff"));
    app.emulator.clear_faults();
    let ended = portal.follow(removal.operation()).await;
    assert_eq!(ended.text("/status"), "succeeded", "{}", ended.body);
    let events = portal.event_kinds(created.text("/id")).await;
    let since = events.get(so_far.len()..).unwrap_or_default();
    assert_eq!(since, ["remove.repeated", "remove.accepted", "remove.succeeded"]);
    app.finish().await;
}

#[tokio::test]
async fn a_read_is_made_once_more_while_somebody_waits_for_it() {
    let app = App::with(hurried).await;
    app.operations_take(Duration::from_millis(60));
    for effect in [
        Effect::status(500, &[]),
        Effect::status(429, &[("retry-after", "1")]),
        Effect::ResetBeforeEffect,
        Effect::Truncated { keep: 3 },
    ] {
        app.emulator.inject(Fault::arm("/clusters/adx1?", effect));
        app.emulator.inject(Fault::entra(
            &token_endpoint(how_to::DOMAIN2),
            Effect::status(502, &[]),
        ));
        let portal = app.how_to_portal();
        let created = portal.create(&request("telemetry")).await;
        assert_eq!(created.status, 201, "{}", created.body);
        let removed = portal.remove(created.text("/id")).await;
        assert_eq!(removed.status, 200, "{}", removed.body);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_outage_is_not_multiplied_by_repetitions() {
    let app = App::with(hurried).await;
    let endpoint = token_endpoint(how_to::DOMAIN1);
    app.emulator
        .inject(Fault::entra(&endpoint, Effect::status(500, &[])).always());
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let portal = app.signed_in("acc1@domain1.com");
        asking.spawn(async move {
            let call = portal.call(
                Method::GET,
                &format!("/v1/connections?database={}", how_to::DATABASE),
            );
            portal.send(call).await
        });
    }
    while let Some(answer) = asking.join_next().await {
        answer.expect("an answer").is_problem(503, "upstreamUnavailable");
    }
    // Ten for the first ten seconds and a tenth of all calls; a slow machine may begin the next ten seconds.
    let asked = app.exchanges_at(how_to::DOMAIN1);
    assert!(asked <= 100 + 2 * 10 + 15, "{asked} calls for 100 requests");
    app.finish().await;
}

impl App {
    /// Nothing was changed at ARM but this data connection.
    fn assert_only_wrote(&self, name: &str) {
        let other = self
            .writes()
            .into_iter()
            .find(|entry| !entry.path().ends_with(name));
        assert!(other.is_none(), "{other:?}");
    }
}
