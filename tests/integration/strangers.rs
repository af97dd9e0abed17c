//! What is told to those who have nothing to do with a connection, and what a change that was taken is answered with.

use std::time::Duration;

use azure_emulator::{Effect, Fault, FaultAnswer, FaultBody, how_to};
use serde_json::{Value, json};

use crate::support::{App, CLAIMS, allowing, request};

#[tokio::test]
async fn whose_tenant_has_nothing_to_do_with_a_connection_is_not_asked_for_more_proof() {
    let app = App::start().await;
    let mut body = request("telemetry");
    body["source"]["eventHub"]["resourceId"] = how_to::LOCAL_HUB.into();
    let created = app.signed_in("acc1@domain1.com").create(&body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let challenge = json!({
        "error": "interaction_required", "suberror": "basic_action", "error_codes": [50076],
        "claims": CLAIMS
    });
    let effect = Effect::Answer(FaultAnswer {
        status: 400,
        headers: Vec::new(),
        body: FaultBody::Json(challenge),
    });
    app.emulator.inject(Fault::entra("/token", effect).always());
    let token = app.odd_token("acc8@domain2.com", how_to::DOMAIN2, |token| {
        token.overrides.client_capabilities = vec!["cp1".to_owned()];
        let claims = &mut token.overrides.extra_claims;
        claims.insert("roles".to_owned(), json!([]));
    });
    let outsider = app.portal().with_token(&token);
    let mut bodies = Vec::new();
    for id in [created.text("/id"), "01900000-0000-7000-8000-000000000001"] {
        let mut answer = outsider.connection(id).await;
        answer.is_problem(404, "notFound");
        answer.body["requestId"] = Value::Null;
        bodies.push(answer.body);
    }
    assert_eq!(bodies[0], bodies[1]);
    app.emulator.clear_faults();

    // An outage is told, but not of which tenant.
    app.emulator
        .inject(Fault::entra("/token", Effect::status(503, &[])).always());
    let token = app.token_with_roles("acc8@domain2.com", how_to::DOMAIN2, &[]);
    let answer = app
        .portal()
        .with_token(&token)
        .connection(created.text("/id"))
        .await;
    answer.is_problem(503, "upstreamUnavailable");
    assert!(
        !answer.body.to_string().contains(how_to::DOMAIN1),
        "{}",
        answer.body
    );
    app.emulator.clear_faults();
    app.finish().await;
}

#[tokio::test]
async fn who_may_not_create_is_not_told_whether_a_name_is_taken() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let stranger = app.signed_in("acc4@domain1.com");
    let mut bodies = Vec::new();
    for name in ["telemetry", "free"] {
        let mut answer = stranger.create(&request(name)).await;
        answer.is_problem(403, "accessMissing");
        answer.body["requestId"] = Value::Null;
        answer.body["upstream"]["requestId"] = Value::Null;
        bodies.push(answer.body);
    }
    assert_eq!(bodies[0], bodies[1]);
    // Who may make one there sees it at ARM anyway.
    let colleague = app.signed_in("acc3@domain1.com");
    colleague
        .create(&request("telemetry"))
        .await
        .is_problem(409, "connectionExists");
    assert_eq!(app.writes().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_removal_sends_no_token_to_a_tenant_that_is_allowed_no_longer() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    let narrow = app
        .start_another(|config| config.tenants = allowing(&[], &[how_to::DOMAIN2]))
        .await
        .expect("a replica");
    let before = app.emulator.journal().entries().len();
    let portal = app.signed_in("acc1@domain1.com");
    let answer = portal.at(narrow.address()).remove(created.text("/id")).await;
    answer.is_problem(403, "tenantNotAllowed");
    assert!(answer.text("/detail").contains(how_to::DOMAIN1));
    let entries = app.emulator.journal().entries();
    let sent = entries[before..]
        .iter()
        .any(|entry| entry.method == "POST" || entry.primary.is_some());
    assert!(!sent, "{:?}", &entries[before..]);
    narrow.stop().await;
    assert_eq!(
        portal.connection(created.text("/id")).await.text("/state"),
        "active"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_removal_that_was_taken_is_answered_as_such_although_arm_can_not_be_read_any_more() {
    let app = App::with(|config| {
        // What was seen is not remembered to the next look.
        config.visibility.granted_for = Duration::from_nanos(1);
        config.visibility.denied_for = Duration::from_nanos(1);
    })
    .await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    // The first look shows it to them; the second would not.
    let fault = Fault::arm("/dataConnections/telemetry?", Effect::status(503, &[])).method("GET");
    app.emulator.inject(fault.after(1).times(2));
    let removed = app
        .signed_in("acc5@domain1.com")
        .remove(created.text("/id"))
        .await;
    assert_eq!(
        (removed.status, removed.text("/state")),
        (200, "removed"),
        "{}",
        removed.body
    );
    app.finish().await;
}

#[tokio::test]
async fn a_list_whose_subscription_arm_refuses_to_name_the_tenant_of_is_no_refusal_of_the_callers() {
    let app = App::start().await;
    let path = format!("/subscriptions/{}?", how_to::SUBSCRIPTION1);
    app.emulator.inject(
        Fault::arm(
            &path,
            Effect::json(
                403,
                serde_json::json!({ "error": { "code": "RequestDisallowed" } }),
            ),
        )
        .always(),
    );
    let list = format!("/v1/connections?database={}", how_to::DATABASE);
    let answer = app.signed_in("acc1@domain1.com").get(&list).await;
    answer.is_problem(502, "upstreamRefused");
    app.emulator.clear_faults();
    app.finish().await;
}
