//! The admin API.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Cloud, start};

fn url(cloud: &Cloud, path: &str) -> String {
    format!("{}admin/{path}", cloud.emulator.admin_url())
}

#[tokio::test]
async fn a_script_mints_a_token_and_uses_it() {
    let cloud = start().await;
    let ask = json!({ "user": "acc1@domain1.com", "tenant": "domain1.com", "app": "portal", "api": "tenant-bridge",
        "scopes": ["Connections.Read"] });
    let reply = cloud
        .http
        .post(url(&cloud, "token"))
        .json(&ask)
        .send()
        .await
        .unwrap();
    let body: Value = reply.json().await.unwrap();
    assert!(body["expiresIn"].as_u64().unwrap() >= 3600);
    let exchanged = cloud
        .exchange("domain1.com", body["accessToken"].as_str().unwrap())
        .await;
    assert_eq!(exchanged.status, StatusCode::OK);
}

#[tokio::test]
async fn refusals_say_what_to_mend() {
    let cloud = start().await;
    for (body, part) in [
        (json!({}), "missing field"),
        (
            json!({ "user": "acc9@nowhere.com", "tenant": "domain1.com", "app": "portal", "api": "tenant-bridge", "scopes": [] }),
            "there is no user",
        ),
        (
            json!({ "user": "acc1@domain1.com", "tenant": "domain2.com", "app": "portal", "api": "tenant-bridge", "scopes": [] }),
            "user in that tenant",
        ),
        (
            json!({ "user": "acc9@domain1.com", "tenant": "domain1.com", "app": "portal", "api": "tenant-bridge", "scopes": [] }),
            "disabled",
        ),
        (
            json!({ "user": "acc1@domain1.com", "tenant": "domain1.com", "app": "portal", "api": "tenant-bridge", "scopes": ["x"] }),
            "there is no scope",
        ),
    ] {
        let reply = cloud
            .http
            .post(url(&cloud, "token"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
        let text = reply.text().await.unwrap();
        assert!(text.contains(part), "{text}");
    }
    let lost = cloud.http.get(url(&cloud, "nothing")).send().await.unwrap();
    assert_eq!(lost.status(), StatusCode::NOT_FOUND);
    assert!(lost.text().await.unwrap().contains("/admin/seed-summary"));
}

#[tokio::test]
async fn the_journal_is_shown_without_secrets_and_can_be_emptied() {
    let cloud = start().await;
    cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let text = cloud
        .http
        .get(url(&cloud, "journal"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for token in cloud.emulator.issued_tokens() {
        assert!(!text.contains(&token));
    }
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["value"][0]["grant"]["issued"]["upn"], "acc1@domain1.com");
    let emptied = cloud.http.delete(url(&cloud, "journal")).send().await.unwrap();
    assert_eq!(emptied.status(), StatusCode::NO_CONTENT);
    assert!(cloud.emulator.journal().entries().is_empty());
}

#[tokio::test]
async fn the_summary_tells_what_there_is_and_no_secrets() {
    let cloud = start().await;
    let text = cloud
        .http
        .get(url(&cloud, "seed-summary"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(text.contains("acc2@domain2.com") && text.contains("ns-domain2/eventhubs/hub1"));
    assert!(!text.contains("secret-of-the-emulator"));
}
