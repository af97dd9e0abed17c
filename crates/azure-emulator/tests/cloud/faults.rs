//! Faults and the journal.

use std::time::Duration;

use azure_emulator::how_to::{CLUSTER, DOMAIN2, HUB1, LOCAL_HUB, SUBSCRIPTION1, TENANT_BRIDGE};
use azure_emulator::{Effect, Fault, FaultAnswer, FaultBody, Host};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{connection, event_hub_body, start};

#[tokio::test]
async fn an_injected_answer_comes_as_often_as_was_asked_and_has_no_effect() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let body =
        json!({ "error": { "code": "TooManyRequests", "message": "The request is being throttled." } });
    let throttled = FaultAnswer {
        status: 429,
        headers: vec![("retry-after".into(), "5".into())],
        body: FaultBody::Json(body),
    };
    cloud
        .emulator
        .inject(Fault::arm("/dataConnections/", Effect::Answer(throttled)).method("PUT"));
    let sent = event_hub_body(LOCAL_HUB, "$Default");
    let first = cloud.put(&token, &[], &connection("c1"), &sent).await;
    assert_eq!(
        (first.status.as_u16(), first.header("retry-after"), first.code()),
        (429, "5", "TooManyRequests")
    );
    assert_eq!(
        cloud.get(&token, &connection("c1")).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        cloud.put(&token, &[], &connection("c1"), &sent).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn a_line_can_be_cut_or_fall_silent_before_or_after_the_effect() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let body = event_hub_body(LOCAL_HUB, "$Default");
    for (effect, silent, exists) in [
        (Effect::ResetBeforeEffect, false, false),
        (Effect::SilenceBeforeEffect, true, false),
        (Effect::ResetAfterEffect, false, true),
        (Effect::SilenceAfterEffect, true, true),
    ] {
        cloud
            .emulator
            .inject(Fault::arm("/dataConnections/c1", effect).method("PUT"));
        let url = format!(
            "{}{}",
            cloud.emulator.arm_url().as_str().trim_end_matches('/'),
            connection("c1")
        );
        let call = cloud.http.put(url).bearer_auth(&token).json(&body);
        let call = if silent {
            call.timeout(std::time::Duration::from_millis(300))
        } else {
            call
        };
        assert_eq!(call.send().await.unwrap_err().is_timeout(), silent);
        assert_eq!(
            cloud.get(&token, &connection("c1")).await.status.is_success(),
            exists
        );
    }
    let cut: Vec<(u16, bool)> = cloud
        .emulator
        .journal()
        .entries()
        .iter()
        .filter(|entry| entry.method == "PUT")
        .map(|entry| (entry.status, entry.delivered))
        .collect();
    assert_eq!(cut, [(0, false), (0, false), (201, false), (200, false)]);
}

#[tokio::test]
async fn faults_of_the_login_host_can_be_plain_text_and_be_cleared() {
    let cloud = start().await;
    let text = FaultAnswer {
        status: 429,
        headers: Vec::new(),
        body: FaultBody::Text("Too Many Requests".into()),
    };
    cloud
        .emulator
        .inject(Fault::entra("/token", Effect::Answer(text)).always());
    let assertion = cloud.mint("acc1@domain1.com", "domain1.com");
    for _ in 0..2 {
        assert_eq!(
            cloud.exchange("domain1.com", &assertion).await.status,
            StatusCode::TOO_MANY_REQUESTS
        );
    }
    cloud.emulator.clear_faults();
    assert_eq!(
        cloud.exchange("domain1.com", &assertion).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_answer_can_be_lost_after_its_effect_and_calls_delayed() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let gone = FaultAnswer {
        status: 504,
        ..FaultAnswer::default()
    };
    cloud
        .emulator
        .inject(Fault::arm("/dataConnections/c1", Effect::AnswerAfterEffect(gone)).method("PUT"));
    let reply = cloud
        .put(
            &token,
            &[],
            &connection("c1"),
            &event_hub_body(LOCAL_HUB, "$Default"),
        )
        .await;
    assert_eq!(reply.status, StatusCode::GATEWAY_TIMEOUT);
    cloud.emulator.inject(Fault::arm(
        "/dataConnections/c1",
        Effect::Delay(Duration::from_millis(30)),
    ));
    assert_eq!(cloud.get(&token, &connection("c1")).await.status, StatusCode::OK);
    assert!(cloud.emulator.journal().entries().last().unwrap().duration >= Duration::from_millis(30));
}

#[tokio::test]
async fn a_call_that_is_kept_waiting_is_carried_out_although_whoever_called_hung_up() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let late = Effect::Delay(Duration::from_millis(300));
    cloud
        .emulator
        .inject(Fault::arm("/dataConnections/c1", late).method("PUT"));
    let (path, body) = (connection("c1"), event_hub_body(LOCAL_HUB, "$Default"));
    let call = cloud.put(&token, &[], &path, &body);
    let answered = tokio::time::timeout(Duration::from_millis(100), call).await;
    assert!(answered.is_err(), "it hangs up before the answer");
    let landed = cloud
        .emulator
        .journal()
        .wait_for(|entry| entry.method == "PUT", Duration::from_secs(30))
        .await
        .expect("it lands");
    assert_eq!((landed.status, landed.delivered), (201, false));
    assert_eq!(cloud.get(&token, &path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_journal_tells_who_called_with_which_tokens() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    cloud
        .put(
            &token,
            &[&other],
            &connection("c1"),
            &event_hub_body(HUB1, "$Default"),
        )
        .await;
    let entries = cloud.emulator.journal().entries();
    assert!(entries.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
    let put = entries.iter().find(|entry| entry.method == "PUT").unwrap();
    assert_eq!((put.host, put.status), (Host::Arm, 201));
    assert_eq!(
        put.primary.as_ref().unwrap().upn.as_deref(),
        Some("acc1@domain1.com")
    );
    assert_eq!(
        put.auxiliary
            .iter()
            .map(|t| t.tenant.as_str())
            .collect::<Vec<_>>(),
        [DOMAIN2]
    );
    assert_eq!(put.request_headers["authorization"], format!("Bearer {token}"));
    assert_eq!(
        put.request_body.as_ref().unwrap()["properties"]["consumerGroup"],
        "$Default"
    );
    let grant = entries
        .iter()
        .filter_map(|entry| entry.grant.as_ref())
        .nth(1)
        .unwrap();
    assert_eq!(
        (grant.tenant.as_str(), grant.client_id.as_str()),
        ("domain2.com", TENANT_BRIDGE)
    );
    assert_eq!(grant.assertion.as_ref().unwrap().audience, TENANT_BRIDGE);
    assert_eq!(grant.issued.as_ref().unwrap().tenant, DOMAIN2);
    cloud.emulator.journal().clear();
    assert!(cloud.emulator.journal().entries().is_empty());
}

#[tokio::test]
async fn nothing_that_is_printed_of_the_journal_holds_a_token_or_a_secret() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let other = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    cloud
        .put(
            &token,
            &[&other],
            &connection("c1"),
            &event_hub_body(HUB1, "$Default"),
        )
        .await;
    let printed = format!("{:?}", cloud.emulator.journal());
    let issued = cloud.emulator.issued_tokens();
    assert_eq!(issued.len(), 4, "two minted, two granted");
    for secret in issued
        .iter()
        .map(String::as_str)
        .chain([azure_emulator::how_to::TENANT_BRIDGE_SECRET])
    {
        assert!(!printed.contains(secret));
        assert!(!printed.contains(secret.rsplit('.').next().unwrap()));
    }
    assert!(printed.contains("Bearer sha256:"));
}

#[tokio::test]
async fn waiting_for_an_entry_finds_past_and_coming_ones_and_gives_up() {
    let cloud = start().await;
    let journal = cloud.emulator.journal();
    let fits = |entry: &azure_emulator::Entry| entry.path().contains(SUBSCRIPTION1);
    assert!(journal.wait_for(fits, Duration::from_millis(10)).await.is_none());
    let path = format!("{CLUSTER}?api-version=2024-04-13");
    let (found, _) = tokio::join!(
        journal.wait_for(fits, Duration::from_secs(5)),
        cloud.arm(Method::GET, &path, &[], None)
    );
    assert_eq!(found.unwrap().status, 401);
    assert!(journal.wait_for(fits, Duration::ZERO).await.is_some());
}

#[tokio::test]
async fn a_stopped_emulator_takes_no_calls_and_two_live_side_by_side() {
    let (one, two) = (start().await, start().await);
    one.emulator.stop().await;
    let url = one.emulator.entra_url().join("common/discovery/keys").unwrap();
    one.http.get(url).send().await.unwrap_err();
    assert_eq!(two.entra("common/discovery/keys").await.status, StatusCode::OK);
}

#[tokio::test]
async fn calls_that_are_gathered_go_on_when_the_last_has_come() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    cloud
        .emulator
        .inject(Fault::arm("", Effect::Gather { calls: 3 }).method("GET"));
    let url = format!(
        "{}{CLUSTER}?api-version=2024-04-13",
        cloud.emulator.arm_url().as_str().trim_end_matches('/')
    );
    let call = || cloud.http.get(&url).bearer_auth(&token).send();
    let mut early = tokio::task::JoinSet::new();
    early.spawn(call());
    early.spawn(call());
    while cloud.admin("faults").await.body["value"][0]["met"] != 2 {}
    assert!(early.try_join_next().is_none(), "they wait for the third");
    assert_eq!(call().await.unwrap().status(), StatusCode::OK);
    while let Some(reply) = early.join_next().await {
        assert_eq!(reply.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(
        call().await.unwrap().status(),
        StatusCode::OK,
        "it gathers no more"
    );
}
