//! Keys of Event Hubs namespaces over ARM.

use azure_emulator::how_to::NAMESPACE;
use azure_emulator::resources::ROOT_RULE;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Cloud, Reply, start};

const VERSION: &str = "api-version=2021-11-01";

async fn post(cloud: &Cloud, user: &str, action: &str, body: Option<&Value>) -> Reply {
    let token = format!("Bearer {}", cloud.arm_token(user, "domain2.com").await);
    let path = format!("{NAMESPACE}/authorizationRules/{ROOT_RULE}/{action}?{VERSION}");
    cloud
        .arm(Method::POST, &path, &[("authorization", &token)], body)
        .await
}

#[tokio::test]
async fn keys_are_told_and_renewed_one_at_a_time() {
    let cloud = start().await;
    let before = post(&cloud, "acc2@domain2.com", "listKeys", None).await;
    assert_eq!(before.status, StatusCode::OK);
    let text = before.body["primaryConnectionString"].as_str().unwrap();
    assert!(
        text.starts_with("Endpoint=sb://ns-domain2.servicebus.windows.net/;SharedAccessKeyName="),
        "{text}"
    );
    assert!(text.ends_with(before.body["primaryKey"].as_str().unwrap()));
    for (kind, changed, kept) in [
        ("PrimaryKey", "primaryKey", "secondaryKey"),
        ("SecondaryKey", "secondaryKey", "primaryKey"),
    ] {
        let old = post(&cloud, "acc2@domain2.com", "listkeys", None).await;
        let sent = json!({ "keyType": kind });
        let renewed = post(&cloud, "acc2@domain2.com", "regenerateKeys", Some(&sent)).await;
        assert_ne!(renewed.body[changed], old.body[changed], "{kind}");
        assert_eq!(renewed.body[kept], old.body[kept], "{kind}");
        let told = post(&cloud, "acc2@domain2.com", "listKeys", None).await;
        assert_eq!(told.body, renewed.body);
    }
    let own = json!({ "keyType": "PrimaryKey", "key": "b3duIGtleQ==" });
    let brought = post(&cloud, "acc2@domain2.com", "regenerateKeys", Some(&own)).await;
    assert_eq!(brought.body["primaryKey"], "b3duIGtleQ==");
    let wrong = post(
        &cloud,
        "acc2@domain2.com",
        "regenerateKeys",
        Some(&json!({ "keyType": "Both" })),
    )
    .await;
    assert_eq!(
        (wrong.status, wrong.code()),
        (StatusCode::BAD_REQUEST, "BadRequest")
    );
}

#[tokio::test]
async fn the_journal_shows_that_keys_were_told_and_not_which() {
    let cloud = start().await;
    let told = post(&cloud, "acc2@domain2.com", "listKeys", None).await;
    let own = json!({ "keyType": "PrimaryKey", "key": "b3duIGtleQ==" });
    post(&cloud, "acc2@domain2.com", "regenerateKeys", Some(&own)).await;
    let entries = cloud.emulator.journal().entries();
    let shown: Vec<String> = entries.iter().map(|entry| entry.redacted().to_string()).collect();
    assert!(shown.iter().any(|entry| entry.contains("listKeys")));
    for secret in ["primaryKey", "secondaryKey"].map(|name| told.body[name].as_str().unwrap()) {
        assert!(!shown.iter().any(|entry| entry.contains(secret)));
    }
    assert!(!shown.iter().any(|entry| entry.contains("b3duIGtleQ==")));
}

#[tokio::test]
async fn keys_are_for_those_whose_roles_list_them() {
    let cloud = start().await;
    for action in ["listKeys", "regenerateKeys"] {
        for (user, status) in [
            ("acc2@domain2.com", StatusCode::OK),
            ("acc5@domain1.com", StatusCode::FORBIDDEN),
            ("acc6@domain1.com", StatusCode::FORBIDDEN),
        ] {
            let reply = post(&cloud, user, action, Some(&json!({ "keyType": "PrimaryKey" }))).await;
            assert_eq!(reply.status, status, "{user} {action}");
            assert_eq!(reply.body.get("primaryKey").is_some(), status == StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn rules_are_shown_without_their_keys() {
    let cloud = start().await;
    let token = cloud.arm_token("acc2@domain2.com", "domain2.com").await;
    let list = cloud
        .get(&token, &format!("{NAMESPACE}/authorizationRules?{VERSION}"))
        .await;
    assert_eq!(list.body["value"][0]["name"], ROOT_RULE);
    let one = cloud
        .get(
            &token,
            &format!("{NAMESPACE}/AuthorizationRules/{ROOT_RULE}?{VERSION}"),
        )
        .await;
    assert_eq!(one.body, list.body["value"][0]);
    assert_eq!(
        one.body["properties"],
        json!({ "rights": ["Listen", "Manage", "Send"] })
    );
    let none = cloud
        .get(&token, &format!("{NAMESPACE}/authorizationRules/none?{VERSION}"))
        .await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_use_of_keys_is_switched_by_patch_and_put() {
    let cloud = start().await;
    let token = format!(
        "Bearer {}",
        cloud.arm_token("acc2@domain2.com", "domain2.com").await
    );
    let headers = [("authorization", token.as_str())];
    let path = format!("{NAMESPACE}?{VERSION}");
    let off = json!({ "properties": { "disableLocalAuth": true } });
    for (method, body, disabled) in [
        (Method::PATCH, off.clone(), true),
        (Method::PATCH, json!({ "tags": {} }), true),
        (Method::PUT, json!({ "location": "North Europe" }), false),
        (Method::PUT, off, true),
    ] {
        let reply = cloud.arm(method.clone(), &path, &headers, Some(&body)).await;
        assert_eq!(
            (reply.status, &reply.body["properties"]["disableLocalAuth"]),
            (StatusCode::OK, &json!(disabled)),
            "{method} {body}"
        );
        let shown = cloud.arm(Method::GET, &path, &headers, None).await;
        assert_eq!(shown.body["properties"]["disableLocalAuth"], json!(disabled));
    }
    let old = path.replace("2021-11-01", "2017-04-01");
    let shown = cloud.arm(Method::GET, &old, &headers, None).await;
    assert!(shown.body["properties"].get("disableLocalAuth").is_none());
    let receiver = format!(
        "Bearer {}",
        cloud.arm_token("acc5@domain1.com", "domain2.com").await
    );
    let refused = cloud
        .arm(
            Method::PATCH,
            &path,
            &[("authorization", &receiver)],
            Some(&json!({})),
        )
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
