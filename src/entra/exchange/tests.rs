//! What is sent to Entra, and what is made of its answers.

mod often;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::testing::{
    API, HOME, LocalEntra, OTHER, PUBLISHED, Reply, START, USER, accepted, arm_token, issued, start,
    user_claims, user_claims_with,
};
use super::super::{ExchangeError, ExchangeErrorKind};
use super::*;
use crate::test_log;

/// As in a request, whose caller waits.
async fn waited_for<T>(work: impl Future<Output = T>) -> T {
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    deadline::until(Some(end), work).await
}

fn kind(outcome: Result<ArmToken, ExchangeError>) -> ExchangeErrorKind {
    outcome.expect_err("an error").kind.clone()
}

fn claims_of(form_value: Option<&String>) -> Value {
    serde_json::from_str(form_value.expect("claims")).expect("JSON")
}

#[tokio::test]
async fn the_request_is_on_behalf_of_the_user_at_the_tenant_itself_and_asks_for_nothing_lasting() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    let arm = entra.exchange(&token, OTHER).await.expect("a token");
    assert_eq!(arm.tenant(), OTHER);
    assert_eq!(arm.principal().object.uuid(), USER);
    assert_eq!(arm.expires_at(), start() + Duration::from_secs(4000));

    let requests = local.token_requests();
    let [request] = requests.as_slice() else {
        panic!("one request")
    };
    assert_eq!(request.path, format!("/{OTHER}/oauth2/v2.0/token"));
    let mut form: Vec<(&str, &str)> = request
        .form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    form.sort_unstable();
    let (client_id, assertion) = (API.to_string(), PUBLISHED.sign(&user_claims()));
    assert_eq!(
        form,
        [
            ("assertion", assertion.as_str()),
            ("client_id", client_id.as_str()),
            ("client_secret", "the-client-secret"),
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("requested_token_use", "on_behalf_of"),
            ("scope", "https://management.azure.com/.default"),
        ]
    );
    let correlation = request.headers.get("client-request-id").expect("a header");
    assert!(Uuid::try_parse(correlation.to_str().expect("a text")).is_ok());
}

#[tokio::test]
async fn even_the_most_talkative_log_holds_no_token_and_no_secret() {
    test_log::start();
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    entra.exchange(&token, HOME).await.expect("a token");
    let assertion = PUBLISHED.sign(&user_claims());
    local.reply(Reply::json(
        400,
        &json!({"error": "invalid_grant", "error_codes": [50013], "error_description": format!("AADSTS50013: {assertion}")}),
    ));
    entra.exchange(&token, OTHER).await.expect_err("an error");
    let text = test_log::of_this_thread();
    assert!(
        text.contains("entra.outcome=\"done\"") && text.contains("entra.code=50013"),
        "{text}"
    );
    let issued = arm_token(HOME, &json!({}));
    for part in assertion
        .split('.')
        .chain(issued.split('.').take(2))
        .chain(["the-client-secret"])
    {
        assert!(!text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn a_host_that_is_out_of_reach_is_unavailable() {
    let local = LocalEntra::start().await;
    let (entra, clock) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    let mut settings = entra.settings().clone();
    // Port 1 of loopback: nobody listens.
    settings.authority = "http://127.0.0.1:1/".parse().expect("a URL");
    let lost = Entra::new(settings, entra.inner.client.clone(), clock);
    let unavailable = ExchangeErrorKind::Unavailable { retry_after: None };
    assert_eq!(kind(lost.exchange(&token, HOME).await), unavailable);
}

#[tokio::test]
async fn a_token_of_another_tenant_audience_or_person_is_dropped() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    let stranger = Uuid::from_u128(9).to_string();
    for reply in [
        issued(&arm_token(OTHER, &json!({}))),
        issued(&arm_token(HOME, &json!({"aud": "https://graph.microsoft.com"}))),
        issued(&arm_token(
            HOME,
            &json!({"aud": "https://management.azure.com.evil.example"}),
        )),
        issued(&arm_token(HOME, &json!({"oid": stranger}))),
        issued(&arm_token(HOME, &json!({"idtyp": "app"}))),
        issued(&arm_token(HOME, &json!({"exp": START}))),
        issued("opaque"),
        Reply::json(
            200,
            &json!({"token_type": "pop", "access_token": arm_token(HOME, &json!({})), "expires_in": 60}),
        ),
    ] {
        local.reply(reply.clone());
        let outcome = entra.exchange(&token, HOME).await;
        assert_eq!(kind(outcome), ExchangeErrorKind::BadAnswer, "{}", reply.status);
    }
    // At the guest's tenant a token of the user's own: what /common would have brought.
    local.reply(issued(&arm_token(HOME, &json!({}))));
    assert_eq!(
        kind(entra.exchange(&token, OTHER).await),
        ExchangeErrorKind::BadAnswer
    );
    // The user's object id in another tenant is another one, so there it can't be compared.
    local.reply(issued(&arm_token(OTHER, &json!({"oid": stranger}))));
    entra.exchange(&token, OTHER).await.expect("the guest's token");
}

#[tokio::test]
async fn what_is_no_answer_of_entras_is_an_outage_and_says_nothing_of_anybody() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims()).await;
    for reply in [
        Reply::text(200, "<html>"),
        Reply::text(200, "{\"token_type\":\"Bea"),
        Reply::text(302, "").header("location", "http://127.0.0.1:1/"),
        Reply::text(403, "<html>"),
        Reply::text(404, "<html>"),
        Reply::text(
            200,
            &format!(
                "{}{}",
                " ".repeat(1024 * 1024),
                issued(&arm_token(HOME, &json!({}))).body
            ),
        ),
    ] {
        local.reply(reply.clone());
        let outcome = entra.exchange(&token, HOME).await;
        let outage = ExchangeErrorKind::Unavailable { retry_after: None };
        assert_eq!(kind(outcome), outage, "{}", reply.status);
    }
}

#[tokio::test]
async fn the_capability_to_answer_challenges_is_declared_only_for_a_caller_that_has_it() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let capable = accepted(&entra, &user_claims_with(&json!({"xms_cc": ["cp1"]}))).await;
    entra.exchange(&capable, HOME).await.expect("a token");
    let requests = local.token_requests();
    assert_eq!(
        claims_of(requests[0].form.get("claims")),
        json!({"access_token": {"xms_cc": {"values": ["cp1"]}}})
    );
}

#[tokio::test]
async fn a_challenge_of_arm_drops_the_token_it_refused_and_the_answer_takes_its_place() {
    let local = LocalEntra::start().await;
    let (entra, _) = local.service();
    let token = accepted(&entra, &user_claims_with(&json!({"xms_cc": ["cp1"]}))).await;
    entra.exchange(&token, HOME).await.expect("a token");
    let demanded = r#"{"access_token":{"acrs":{"essential":true,"values":["p1"]}}}"#;
    local.reply(issued(&arm_token(HOME, &json!({"exp": START + 3000}))));
    entra
        .answer_challenge(&token, HOME, demanded)
        .await
        .expect("a token");
    let requests = local.token_requests();
    assert_eq!(
        claims_of(requests[1].form.get("claims")),
        json!({"access_token": {"acrs": {"essential": true, "values": ["p1"]}, "xms_cc": {"values": ["cp1"]}}})
    );
    let next = entra.exchange(&token, HOME).await.expect("the new token");
    assert_eq!(next.expires_at(), start() + Duration::from_secs(3000));
    assert_eq!(local.token_requests().len(), 2);
    // Entra can't meet another challenge: the token that ARM refused is gone all the same.
    local.reply(Reply::json(400, &json!({"error": "interaction_required"})));
    let other = r#"{"access_token":{"nbf":{"essential":true,"value":"1800000000"}}}"#;
    let challenge = ExchangeErrorKind::Challenge { claims: None };
    assert_eq!(kind(entra.answer_challenge(&token, HOME, other).await), challenge);
    entra.exchange(&token, HOME).await.expect("a new token");
    assert_eq!(local.token_requests().len(), 4);
    assert_eq!(
        kind(entra.answer_challenge(&token, HOME, "[]").await),
        ExchangeErrorKind::BadAnswer
    );
}

#[test]
fn claims_that_arm_demands_are_kept_beside_the_capability_whatever_they_hold() {
    let demanded = |json: &str| serde_json::from_str::<Map<String, Value>>(json).ok();
    let sent = |capable, json| {
        claims_to_send(capable, demanded(json))
            .map(|text| serde_json::from_str::<Value>(&text).expect("JSON"))
    };
    assert_eq!(claims_to_send(false, None), None);
    assert_eq!(
        sent(false, r#"{"access_token":{"nbf":{"value":"1"}}}"#),
        Some(json!({"access_token": {"nbf": {"value": "1"}}}))
    );
    assert_eq!(
        sent(true, r#"{"id_token":{},"access_token":null}"#),
        Some(json!({"id_token": {}, "access_token": {"xms_cc": {"values": ["cp1"]}}}))
    );
}
