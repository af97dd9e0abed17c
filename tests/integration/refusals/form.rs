//! Refused for the form of a request: who may not ask gets no further than that, and nothing that a caller wrote where a name is
//! expected reaches the ledger, or comes back at length.

use http::Method;
use serde_json::{Value, json};

use super::{pointers, request_with};
use crate::support::{Answer, App, Portal, request};
use azure_emulator::how_to;

const NOWHERE: &str = "01900000-0000-7000-8000-000000000001";

async fn post(portal: &Portal, path: &str, body: &str) -> Answer {
    let call = portal
        .call(Method::POST, path)
        .header("content-type", "application/json");
    portal.send(call.body(body.to_owned())).await
}

/// The ledger's newest event, as text.
async fn newest_event(app: &App) -> String {
    app.scalar("select e::text from ledger_events e order by sequence desc limit 1")
        .await
}

#[tokio::test]
async fn a_member_of_the_callers_own_naming_reaches_no_ledger_and_comes_back_only_if_short_and_plain() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let token = app.token("acc1@domain1.com", how_to::DOMAIN1);
    let names = [
        ("location".to_owned(), true),
        ("x".repeat(60_000), false),
        (token, false),
        ("Bearer a b".to_owned(), false),
        ("<script>".to_owned(), false),
    ];
    let mut count = 0;
    for (name, is_shown) in &names {
        for parent in ["", "/target", "/source", "/source/eventHub"] {
            let answer = portal
                .create(&request_with(&format!("{parent}/{}", name.replace('/', "~1")), 1))
                .await;
            count += 1;
            answer.is_problem(400, "invalidRequest");
            assert_eq!(pointers(&answer), [parent], "{}", answer.body);
            let detail = answer.text("/errors/0/detail");
            assert!(detail.contains("known are "), "{detail}");
            let told = answer.body.to_string();
            assert!(told.len() < 1000, "{told}");
            assert_eq!(told.contains(name.as_str()), *is_shown, "{told}");
            let event = newest_event(&app).await;
            assert!(event.len() < 1000 && !event.contains(name.as_str()), "{event}");
            app.assert_untouched(count).await;
        }
    }
    // Many of them at once, and what is inside of them.
    let many: Vec<String> = (0..3000)
        .map(|number| format!("\"name{number}\":[null]"))
        .collect();
    let answer = post(&portal, "/v1/connections", &format!("{{{}}}", many.join(","))).await;
    answer.is_problem(400, "invalidRequest");
    let told = answer.body.to_string();
    assert!(told.len() < 1500, "{told}");
    assert!(!newest_event(&app).await.contains("name1"));
    app.finish().await;
}

#[tokio::test]
async fn a_value_of_the_wrong_kind_is_named_by_its_place_and_not_repeated() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let secret = "s3cret".repeat(20);
    for (pointer, value) in [
        ("/target", json!(secret)),
        ("/source/eventHub", json!(secret)),
        ("/name", json!({ secret.clone(): 1 })),
        ("/target/table", json!([secret])),
    ] {
        let answer = portal.create(&request_with(pointer, value)).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(pointers(&answer), [pointer], "{}", answer.body);
        assert!(!answer.body.to_string().contains("s3cret"), "{}", answer.body);
        assert!(!newest_event(&app).await.contains("s3cret"));
    }
    // What the type of an id is called is the caller's own word too.
    let typed = format!("{}/{}/x", how_to::DATABASE, "T".repeat(1500));
    let answer = portal.create(&request_with("/target/database", typed)).await;
    answer.is_problem(400, "invalidRequest");
    assert!(answer.body.to_string().len() < 1500, "{}", answer.body);
    app.finish().await;
}

#[tokio::test]
async fn the_scope_is_asked_for_before_anything_of_the_body_is_read() {
    let app = App::start().await;
    let token = app.odd_token("acc1@domain1.com", how_to::DOMAIN1, |token| {
        token.scopes = vec!["Connections.Read".to_owned()];
    });
    let reader = app.portal().with_token(&token);
    let bodies = [
        "{".to_owned(),
        "[]".to_owned(),
        format!("{{\"{}\":1}}", "x".repeat(60_000)),
        "x".repeat(100_000),
        request("telemetry").to_string(),
    ];
    for body in &bodies {
        let answer = post(&reader, "/v1/connections", body).await;
        answer.is_problem(403, "insufficientScope");
        let details: Value = app
            .scalar("select details from ledger_events order by sequence desc limit 1")
            .await;
        assert_eq!(details, json!({ "code": "insufficientScope" }));
        let answer = post(&reader, &format!("/v1/operations/{NOWHERE}/continue"), body).await;
        answer.is_problem(403, "insufficientScope");
    }
    app.assert_untouched(5).await;
    app.finish().await;
}

/// Each place of an object in a create, with an array whose entries would fit its members in their order.
fn as_arrays() -> [(&'static str, Value); 4] {
    let hub = json!([how_to::HUB1, "$Default"]);
    let target = json!([how_to::DATABASE, "Events", "EventsMapping", "JSON"]);
    [
        ("", json!(["arr1", target, [hub], "why"])),
        ("/target", target),
        ("/source", json!([{ "resourceId": how_to::HUB1 }])),
        ("/source/eventHub", hub),
    ]
}

#[tokio::test]
async fn an_array_is_no_object_however_well_its_entries_fit() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    for (count, (pointer, value)) in (1..).zip(as_arrays()) {
        let body = match pointer {
            "" => value,
            pointer => request_with(pointer, value),
        };
        let answer = portal.create(&body).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(pointers(&answer), [pointer], "{}", answer.body);
        app.assert_untouched(count).await;
    }
    let path = format!("/v1/operations/{NOWHERE}/continue");
    for body in ["[]", &json!(["0".repeat(64)]).to_string()] {
        let answer = post(&portal, &path, body).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(pointers(&answer), [""], "{}", answer.body);
    }
    app.finish().await;
}

#[tokio::test]
async fn null_is_no_way_to_leave_a_member_out() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let places = [
        "/name",
        "/target",
        "/target/database",
        "/target/table",
        "/target/mapping",
        "/target/dataFormat",
        "/source",
        "/source/eventHub",
        "/source/eventHub/resourceId",
        "/source/eventHub/consumerGroup",
        "/justification",
    ];
    for (count, pointer) in (1..).zip(places) {
        let answer = portal.create(&request_with(pointer, Value::Null)).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(pointers(&answer), [pointer], "{}", answer.body);
        assert!(
            answer.text("/detail").contains("must not be null"),
            "{}",
            answer.body
        );
        app.assert_untouched(count).await;
    }
    let mut several = request_with("/target/table", Value::Null);
    several["justification"] = Value::Null;
    let answer = portal.create(&several).await;
    assert_eq!(pointers(&answer), ["/justification", "/target/table"]);
    let path = format!("/v1/operations/{NOWHERE}/continue");
    for (body, pointer) in [("null", ""), (r#"{"requestHash":null}"#, "/requestHash")] {
        let answer = post(&portal, &path, body).await;
        answer.is_problem(400, "invalidRequest");
        assert_eq!(pointers(&answer), [pointer], "{}", answer.body);
    }
    app.finish().await;
}
