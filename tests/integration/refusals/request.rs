//! Refused for the request itself: its form, its values, or resources that are not there.

use azure_emulator::how_to;
use serde_json::{Value, json};

use super::{pointers, request_with};
use crate::support::{App, data_connection, request};

/// Roles on the groups, so that ARM lets the two accounts see what is not there.
fn see_what_is_missing(app: &App) {
    let group = |id: &str| id.split("/providers/").next().unwrap_or_default().to_owned();
    app.emulator
        .edit(|world| {
            world.assign_role("acc1@domain1.com", "Contributor", &group(how_to::CLUSTER))?;
            world.assign_role("acc2@domain2.com", "Contributor", &group(how_to::NAMESPACE))
        })
        .expect("the groups");
}

#[tokio::test]
async fn a_resource_that_is_not_there_is_named_by_its_member() {
    let app = App::start().await;
    see_what_is_missing(&app);
    let portal = app.how_to_portal();
    let nowhere = "99999999-0000-4000-8000-000000000009";
    let hub = "/source/eventHub/resourceId";
    let cases = [
        (hub, how_to::HUB1.replace("hub1", "hub9"), "hub9"),
        (
            hub,
            how_to::HUB1.replace("ns-domain2", "ns-nowhere"),
            "ns-nowhere",
        ),
        (hub, how_to::HUB1.replace(how_to::SUBSCRIPTION2, nowhere), nowhere),
        ("/source/eventHub/consumerGroup", "cg9".to_owned(), "cg9"),
        (
            "/target/database",
            how_to::DATABASE.replace("adx1", "adx9"),
            "adx9",
        ),
        (
            "/target/database",
            how_to::DATABASE.replace("telemetry", "nothing"),
            "nothing",
        ),
        (
            "/target/database",
            how_to::DATABASE.replace(how_to::SUBSCRIPTION1, nowhere),
            nowhere,
        ),
    ];
    for (count, (pointer, value, word)) in (1..).zip(cases) {
        let answer = portal.create(&request_with(pointer, value)).await;
        answer.is_problem(422, "referenceNotFound");
        assert_eq!(pointers(&answer), [pointer], "{}", answer.body);
        assert!(answer.text("/errors/0/detail").contains(word), "{}", answer.body);
        app.assert_untouched(count).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn several_resources_that_are_not_there_are_told_in_one_answer() {
    let app = App::start().await;
    see_what_is_missing(&app);
    let nowhere = "99999999-0000-4000-8000-000000000009";
    for (from, to) in [
        ("eventhubs/hub1", "eventhubs/hub9"),
        (how_to::SUBSCRIPTION2, nowhere),
    ] {
        let mut body = request_with("/source/eventHub/resourceId", how_to::HUB1.replace(from, to));
        body["target"]["database"] = match to {
            "eventhubs/hub9" => how_to::DATABASE.replace("telemetry", "nothing"),
            _ => how_to::DATABASE.replace(how_to::SUBSCRIPTION1, nowhere),
        }
        .into();
        let answer = app.how_to_portal().create(&body).await;
        answer.is_problem(422, "referenceNotFound");
        assert_eq!(
            pointers(&answer),
            ["/target/database", "/source/eventHub/resourceId"]
        );
    }
    app.assert_untouched(2).await;
    app.finish().await;
}

#[tokio::test]
async fn a_value_outside_the_rules_is_named_by_its_pointer_and_nobody_is_asked() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let cases = [
        ("/name", json!("a/b")),
        ("/name", json!("")),
        ("/name", json!("a".repeat(41))),
        ("/name", json!("telemetry\n")),
        ("/name", json!(7)),
        ("/target/database", json!(how_to::CLUSTER)),
        ("/target/database", json!(how_to::HUB1)),
        ("/target/database", json!(format!("{}/..", how_to::CLUSTER))),
        ("/target/table", json!(" ")),
        ("/target/mapping", json!("a/b")),
        ("/target/dataFormat", json!("RAW")),
        ("/source/eventHub/resourceId", json!(how_to::CLUSTER)),
        ("/source/eventHub/resourceId", json!(how_to::NAMESPACE)),
        ("/source/eventHub/resourceId", json!("hub1")),
        ("/source/eventHub/consumerGroup", json!("$Other")),
        ("/justification", json!("x".repeat(2001))),
    ];
    for (count, (pointer, value)) in (1..).zip(cases) {
        let answer = portal.create(&request_with(pointer, value.clone())).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(pointers(&answer), [pointer], "{value}: {}", answer.body);
        app.assert_untouched(count).await;
    }
    assert_eq!(app.calls_at_arm(), 0);
    let pointer: String = app
        .scalar("select details #>> '{pointers,0}' from ledger_events order by sequence limit 1")
        .await;
    assert_eq!(pointer, "/name");
    app.finish().await;
}

#[tokio::test]
async fn a_body_that_is_no_request_at_all_is_refused_for_what_it_is() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let json = "application/json";
    let good = request("telemetry").to_string();
    let cases = [
        (json, "{".to_owned(), 400, "invalidRequest"),
        (json, String::new(), 400, "invalidRequest"),
        (json, "[]".to_owned(), 400, "invalidRequest"),
        (json, format!("{good} {good}"), 400, "invalidRequest"),
        ("text/plain", good.clone(), 415, "unsupportedMediaType"),
        ("", good.clone(), 415, "unsupportedMediaType"),
        (
            json,
            format!("{good}{}", " ".repeat(64 * 1024)),
            413,
            "payloadTooLarge",
        ),
    ];
    for (count, (kind, body, status, code)) in (1..).zip(cases) {
        let mut call = portal.call(reqwest::Method::POST, "/v1/connections").body(body);
        if !kind.is_empty() {
            call = call.header("content-type", kind);
        }
        portal.send(call).await.is_problem(status, code);
        app.assert_untouched(count).await;
    }
    assert_eq!(app.calls_at_arm(), 0);
    app.finish().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_whole_body_is_said_of_the_body() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let call = || portal.call(reqwest::Method::POST, "/v1/connections");
    let empty = call().header("content-type", "application/json").body("");
    let answer = portal.send(empty).await;
    answer.is_problem(400, "invalidRequest");
    assert_eq!(pointers(&answer), [""]);
    let detail = answer.text("/detail");
    assert!(detail.starts_with("the body: "), "{detail}");

    let encoded = |coding: &str| {
        call()
            .header("content-encoding", coding)
            .json(&request("telemetry"))
    };
    for coding in ["gzip", "identity, br"] {
        let answer = portal.send(encoded(coding)).await;
        answer.is_problem(415, "unsupportedMediaType");
        let detail = answer.text("/detail");
        assert!(detail.contains("Content-Encoding"), "{detail}");
    }
    app.assert_untouched(3).await;
    let plain = portal.send(encoded("Identity")).await;
    assert_eq!(plain.status, 201, "{}", plain.body);
    app.finish().await;
}

#[tokio::test]
async fn a_refusal_stands_in_the_ledger_with_its_reason_and_without_names_tokens_or_texts() {
    let app = App::start().await;
    let mut body = request("telemetry");
    body["justification"] = "a private reason".into();
    let answer = app.signed_in("acc1@domain1.com").create(&body).await;
    answer.is_problem(403, "accessMissing");
    let details: Value = app.scalar("select details from ledger_events").await;
    assert_eq!(details["code"], "accessMissing");
    assert_eq!(details["armId"], data_connection("telemetry").to_lowercase());
    assert_eq!(
        details["missing"],
        json!([{ "tenant": how_to::DOMAIN2, "kind": "token" }])
    );
    let event: String = app.scalar("select e::text from ledger_events e").await;
    for secret in ["acc1", "private reason"] {
        assert!(!event.contains(secret), "{event}");
    }
    let request_id: String = app.scalar("select request_id from ledger_events").await;
    assert_eq!(request_id, answer.text("/requestId"));
    app.finish().await;
}
