//! ARM: whose a subscription is, and the reads before a create.

use std::time::Duration;

use azure_emulator::{Effect, Entry, Fault, Host, how_to};
use serde_json::{Value, json};

use super::{is_claims_challenge, is_missing_proof, is_unavailable, text};
use tenant_bridge::app::Running;
use tenant_bridge::clock::Clock;

use crate::support::{Answer, App, claims_challenge, encoded_claims, request};

#[tokio::test]
async fn a_claims_challenge_of_arms_reaches_the_caller_for_the_tenant_whose_token_it_is_about() {
    let app = App::start().await;
    let claims = encoded_claims();
    let older = format!(
        "Bearer authorization_uri=\"https://login.windows.net/\", error=\"invalid_token\", error_description=\"User session has been revoked\", claims=\"{claims}\""
    );
    for (path, tenant) in [
        ("ns-domain2/providers/Microsoft.Authorization", how_to::DOMAIN2),
        (
            "databases/telemetry/providers/Microsoft.Authorization",
            how_to::DOMAIN1,
        ),
        ("/clusters/adx1?", how_to::DOMAIN1),
        ("/eventhubs/hub1?", how_to::DOMAIN2),
    ] {
        let older = Effect::status(401, &[("www-authenticate", older.as_str())]);
        for effect in [claims_challenge(), older] {
            app.emulator.inject(Fault::arm(path, effect.clone()));
            let answer = app.challengeable_portal().create(&request("telemetry")).await;
            is_claims_challenge(&answer, &app, tenant);
            assert_eq!(answer.body["upstream"]["service"], "arm");
            // An app that takes no challenge is told in words.
            app.emulator.inject(Fault::arm(path, effect));
            let answer = app.how_to_portal().create(&request("telemetry")).await;
            is_missing_proof(&answer, tenant);
            assert_eq!(answer.body["upstream"]["service"], "arm");
        }
    }
    app.assert_untouched(16).await;
    assert_eq!(
        app.how_to_portal().create(&request("telemetry")).await.status,
        201
    );
    app.finish().await;
}

#[tokio::test]
async fn a_removal_is_challenged_like_a_create() {
    let app = App::start().await;
    let portal = app.challengeable_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let fail = || {
        let path = "/providers/Microsoft.Authorization/permissions";
        app.emulator.inject(Fault::arm(path, claims_challenge()));
    };
    fail();
    let answer = portal.remove(created.text("/id")).await;
    is_claims_challenge(&answer, &app, how_to::DOMAIN1);
    fail();
    let answer = app.how_to_portal().remove(created.text("/id")).await;
    is_missing_proof(&answer, how_to::DOMAIN1);
    assert_eq!(
        portal.connection(created.text("/id")).await.text("/state"),
        "active"
    );
    assert_eq!(portal.remove(created.text("/id")).await.status, 200);
    app.finish().await;
}

#[tokio::test]
async fn an_arm_that_answers_nonsense_is_read_once_more_and_then_an_outage_and_no_other_host_is_asked() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    for (path, effect) in [
        ("/clusters/adx1?", text(403, &[], "<html>a proxy</html>")),
        ("/clusters/adx1?", Effect::json(200, json!({ "name": "adx1" }))),
        ("/clusters/adx1?", text(200, &[], "<html>a proxy</html>")),
        (
            "databases/telemetry/providers/Microsoft.Authorization/permissions",
            Effect::json(
                200,
                json!({ "value": [], "nextLink": "https://localhost:1/next" }),
            ),
        ),
        (
            "/clusters/adx1?",
            Effect::status(307, &[("location", "https://localhost:1/clusters/adx1")]),
        ),
    ] {
        app.emulator.inject(Fault::arm(path, effect).always());
        app.emulator.journal().clear();
        let answer = portal.create(&request("telemetry")).await;
        is_unavailable(&answer, "5");
        assert!(!answer.body.to_string().contains("localhost"), "{}", answer.body);
        let entries = app.emulator.journal().entries();
        let reads = entries.iter().filter(|entry| is_at(entry, path)).count();
        assert_eq!(reads, 2, "{path}");
        app.emulator.clear_faults();
    }
    app.assert_untouched(0).await;
    app.finish().await;
}

fn is_at(entry: &Entry, path: &str) -> bool {
    entry.host == Host::Arm && format!("{}?", entry.path()).contains(path)
}

#[tokio::test]
async fn one_answer_of_arms_that_makes_no_sense_is_felt_by_nobody() {
    let app = App::start().await;
    let page = || text(200, &[], "<html>a proxy</html>");
    for path in [
        "/clusters/adx1?",
        "/eventhubs/hub1?",
        "ns-domain2/providers/Microsoft.Authorization",
    ] {
        app.emulator.inject(Fault::arm(path, page()));
    }
    let answer = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    app.finish().await;
}

#[tokio::test]
async fn a_namespace_that_arm_does_not_know_is_told_as_missing_and_not_as_a_missing_role() {
    let app = App::start().await;
    let unknown = json!({ "error": { "code": "ResourceNotFound", "message": "It was not found." } });
    let not_found = || Effect::json(404, unknown.clone());
    for (paths, pointer) in [
        (
            [
                "/clusters/adx1?",
                "databases/telemetry/providers/Microsoft.Authorization",
            ],
            "/target/database",
        ),
        (
            ["/eventhubs/hub1?", "ns-domain2/providers/Microsoft.Authorization"],
            "/source/eventHub/resourceId",
        ),
    ] {
        for path in paths {
            app.emulator.inject(Fault::arm(path, not_found()));
        }
        let answer = app.how_to_portal().create(&request("telemetry")).await;
        answer.is_problem(422, "referenceNotFound");
        assert_eq!(answer.text("/errors/0/pointer"), pointer);
        assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(1));
        assert_eq!(answer.body["missing"], Value::Null);
    }
    app.assert_untouched(2).await;
    app.finish().await;
}

/// ARM tells that a subscription has moved by refusing the token of the tenant it was in.
#[tokio::test]
async fn a_subscription_that_moved_to_another_tenant_is_noticed_at_the_next_request() {
    let app = App::start().await;
    let first = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(first.status, 201, "{}", first.body);
    app.emulator.edit(|world| {
        for subscription in &mut world.resources.subscriptions {
            if subscription.id == how_to::SUBSCRIPTION2 {
                subscription.tenant_id = how_to::DOMAIN3.to_owned();
            }
        }
    });
    let mut other = request("other");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let answer = app.how_to_portal().create(&other).await;
    answer.is_problem(403, "tenantNotAllowed");
    assert!(answer.text("/detail").contains(how_to::DOMAIN3));
    assert_eq!((app.writes().len(), app.refusals().await), (1, 1));
    app.finish().await;
}

#[tokio::test]
async fn a_read_that_a_busy_cluster_puts_off_is_an_outage_and_no_final_no() {
    let app = App::start().await;
    let busy = json!({ "error": { "code": "ServiceIsInMaintenance", "message": "You may retry in a few minutes." } });
    app.emulator
        .inject(Fault::arm("/clusters/adx1?", Effect::json(409, busy)).method("GET"));
    let answer = app.how_to_portal().create(&request("telemetry")).await;
    answer.is_problem(503, "upstreamUnavailable");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.body["retryable"], true);
    assert_eq!(answer.text("/upstream/code"), "ServiceIsInMaintenance");
    let again = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(again.status, 201, "{}", again.body);
    app.finish().await;
}

/// A replica whose clock the test drives: what is remembered there ages at will.
async fn driven(app: &App) -> (Clock, Running) {
    let clock = Clock::driven(Clock::system().now());
    let replica = app.replica_with(clock.clone()).await;
    (clock, replica)
}

#[tokio::test]
async fn a_tenant_that_is_refused_by_what_was_remembered_is_asked_for_again_first() {
    let app = App::start().await;
    let moves_to = |tenant: &'static str| {
        app.emulator.edit(|world| {
            for subscription in &mut world.resources.subscriptions {
                if subscription.id == how_to::SUBSCRIPTION2 {
                    subscription.tenant_id = tenant.to_owned();
                }
            }
        });
    };
    let (clock, replica) = driven(&app).await;
    let portal = app.how_to_portal().at(replica.address());
    moves_to(how_to::DOMAIN3);
    let answer = portal.create(&request("telemetry")).await;
    answer.is_problem(403, "tenantNotAllowed");
    // It comes to a tenant that is allowed, long before what was found is forgotten (an hour).
    moves_to(how_to::DOMAIN2);
    clock.advance(Duration::from_secs(10));
    let answer = portal.create_waiting(&request("telemetry"), 0).await;
    is_taken(&answer);
    replica.stop().await;
    app.how_to_portal()
        .continue_to_end(answer.text("/lastOperation/id"))
        .await;
    app.finish().await;
}

/// The create was not refused; where the clock stands still it may not come to its end.
#[track_caller]
fn is_taken(answer: &Answer) {
    assert!(matches!(answer.status, 201 | 202), "{}", answer.body);
}

#[tokio::test]
async fn an_arm_token_that_was_remembered_and_is_taken_no_longer_is_no_reason_to_refuse_anybody() {
    let app = App::start().await;
    let (clock, replica) = driven(&app).await;
    let portal = app.how_to_portal().at(replica.address());
    let refused =
        json!({ "error": { "code": "InvalidAuthenticationToken", "message": "The token was revoked." } });
    let refuses = |path: &str| {
        app.emulator
            .inject(Fault::arm(path, Effect::json(401, refused.clone())));
    };
    let created = portal.create_waiting(&request("telemetry"), 0).await;
    is_taken(&created);
    let reader = app.signed_in("acc6@domain1.com").at(replica.address());
    let mut other = request("other");
    let looked = format!("/v1/connections?database={}", how_to::DATABASE);
    assert_eq!(reader.get(&looked).await.status, 200);
    clock.advance(Duration::from_secs(10));
    refuses("/clusters/adx1?");
    other["source"]["eventHub"]["consumerGroup"] = "cg1".into();
    let second = portal.create_waiting(&other, 0).await;
    is_taken(&second);
    refuses("/dataConnections/telemetry");
    assert_eq!(reader.connection(created.text("/id")).await.status, 200);
    // A new token that is refused is refused.
    refuses("/clusters/adx1?");
    let third = portal.create_waiting(&request("third"), 0).await;
    third.is_problem(403, "azureRefused");
    replica.stop().await;
    app.how_to_portal()
        .continue_to_end(created.text("/lastOperation/id"))
        .await;
    // It waited for its turn, and for somebody with tokens since.
    app.how_to_portal().create_at_last(&other, &[202]).await;
    app.finish().await;
}
