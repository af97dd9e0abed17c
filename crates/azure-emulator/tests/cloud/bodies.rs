//! Bodies whose members are of another type than they should be: never taken for missing.

use azure_emulator::how_to::{DATABASE, LOCAL_HUB};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{connection, event_hub_body, start};

const NO_TEXTS: [fn() -> Value; 5] = [
    || json!(5),
    || json!(true),
    || json!(["EventHub"]),
    || json!({ "name": "EventHub" }),
    || json!([]),
];

#[tokio::test]
async fn a_member_that_is_no_text_is_refused_and_not_taken_for_missing() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    for wrong in NO_TEXTS.map(|make| make()) {
        for member in ["kind", "location", "properties"] {
            if member == "properties" && wrong.is_object() {
                continue;
            }
            let mut body = event_hub_body(LOCAL_HUB, "$Default");
            body[member] = wrong.clone();
            for method in [Method::PUT, Method::PATCH] {
                let reply = cloud.send(method, &token, &connection("c1"), Some(&body)).await;
                assert_eq!(
                    reply.status,
                    StatusCode::BAD_REQUEST,
                    "{member} {wrong}: {:?}",
                    reply.body
                );
                assert_eq!(reply.code(), "InvalidRequestContent", "{member} {wrong}");
                assert!(
                    reply.message().contains(&format!("'{member}'")),
                    "{}",
                    reply.message()
                );
            }
        }
    }
    assert_eq!(
        cloud.get(&token, &connection("c1")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn each_property_of_another_type_is_named() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    for (member, wrong) in [
        ("eventHubResourceId", json!(5)),
        ("consumerGroup", json!(["$Default"])),
        ("tableName", json!({})),
        ("mappingRuleName", json!(1)),
        ("dataFormat", json!(true)),
        ("eventSystemProperties", json!("x")),
        ("eventSystemProperties", json!(["x", 1])),
        ("compression", json!(0)),
        ("managedIdentityResourceId", json!(false)),
        ("databaseRouting", json!(["Single"])),
        ("retrievalStartDate", json!(20_240_101)),
        ("retrievalStartDate", json!("yesterday")),
    ] {
        let mut body = event_hub_body(LOCAL_HUB, "$Default");
        body["properties"][member] = wrong.clone();
        let reply = cloud.put(&token, &[], &connection("c1"), &body).await;
        assert_eq!(
            reply.status,
            StatusCode::BAD_REQUEST,
            "{member} {wrong}: {:?}",
            reply.body
        );
        assert!(
            reply.message().contains(&format!("'properties.{member}'")),
            "{}",
            reply.message()
        );
    }
}

#[tokio::test]
async fn actions_refuse_names_that_are_no_text() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let kind = "Microsoft.Kusto/clusters/databases/dataConnections";
    let candidate = event_hub_body(LOCAL_HUB, "$Default");
    for (action, body, member) in [
        (
            "checkNameAvailability",
            json!({ "name": 5, "type": kind }),
            "name",
        ),
        (
            "checkNameAvailability",
            json!({ "name": "n", "type": [kind] }),
            "type",
        ),
        (
            "dataConnectionValidation",
            json!({ "dataConnectionName": 5, "properties": candidate }),
            "dataConnectionName",
        ),
    ] {
        let path = format!("{DATABASE}/{action}?api-version=2024-04-13");
        let reply = cloud.send(Method::POST, &token, &path, Some(&body)).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::BAD_REQUEST, "InvalidRequestContent")
        );
        assert!(
            reply.message().contains(&format!("'{member}'")),
            "{}",
            reply.message()
        );
    }
}
