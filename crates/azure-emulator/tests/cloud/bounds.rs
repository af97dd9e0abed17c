//! What would harm the emulator itself is refused, each with the member that is wrong.

use azure_emulator::how_to::{DATABASE, HUB1};
use azure_emulator::{Effect, Fault, FaultAnswer, FaultBody};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{connection, start};

#[tokio::test]
async fn numbers_out_of_reason_are_refused_by_the_name_of_their_member() {
    let cloud = start().await;
    let before = cloud.admin("state").await.body["settings"].clone();
    let rate = |seconds: u64| json!({ "limitTokens": { "tenant": "domain1.com", "requests": 1, "seconds": seconds } });
    for (change, path) in [
        (
            json!({ "setListPageSize": { "size": 0 } }),
            "setListPageSize.size",
        ),
        (
            json!({ "setListPageSize": { "size": -1 } }),
            "setListPageSize.size",
        ),
        (rate(0), "limitTokens.seconds"),
        (rate(366 * 24 * 3600 + 1), "limitTokens.seconds"),
        (rate(u64::MAX), "limitTokens.seconds"),
        (
            json!({ "advanceClock": { "seconds": u64::MAX } }),
            "advanceClock.seconds",
        ),
    ] {
        let reply = cloud.admin_post("changes", &change).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{change}");
        assert_eq!(reply.body["path"], path, "{}", reply.body);
        let listed = cloud.admin_post("changes", &json!([change])).await;
        assert_eq!(listed.body["path"], format!("[0].{path}"), "{}", listed.body);
        for told in ["error", "fix"] {
            assert!(
                !reply.body[told].as_str().unwrap_or_default().is_empty(),
                "{}",
                reply.body
            );
        }
    }
    assert_eq!(cloud.admin("state").await.body["settings"], before);
    let year = cloud.admin_post("changes", &rate(366 * 24 * 3600)).await;
    assert_eq!(year.status, StatusCode::OK, "{}", year.body);
}

#[tokio::test]
async fn a_fault_does_not_say_how_long_its_body_is() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    for name in ["Content-Length", "content-length", "Transfer-Encoding"] {
        for (effect, path) in [
            (
                json!({ "answer": { "status": 200, "headers": { name: "5" }, "body": "longer than that" } }),
                "effect.answer.headers",
            ),
            (
                json!({ "headers": { "set": { name: "5" } } }),
                "effect.headers.set",
            ),
        ] {
            let reply = cloud
                .admin_post("faults", &json!({ "host": "arm", "effect": effect }))
                .await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{effect}");
            assert_eq!(reply.body["path"], format!("{path}.{name}"), "{}", reply.body);
        }
        let answer = FaultAnswer {
            status: 418,
            headers: vec![
                (name.to_owned(), "5".to_owned()),
                ("x-other".to_owned(), "o".to_owned()),
            ],
            body: FaultBody::Json(json!({ "longer": "than five bytes" })),
        };
        cloud.emulator.inject(Fault::arm("", Effect::Answer(answer)));
        let reply = cloud.get(&token, &connection("c1")).await;
        assert_eq!((reply.status.as_u16(), reply.header("x-other")), (418, "o"));
        assert_eq!(reply.body["longer"], "than five bytes", "{name}");
        let next = cloud.get(&token, &connection("c1")).await;
        assert_eq!(next.status, StatusCode::NOT_FOUND, "the line is in order");
    }
}

#[tokio::test]
async fn what_is_there_already_and_what_is_not_there_is_refused() {
    let cloud = start().await;
    let before = cloud.admin("state").await.body;
    let nowhere = DATABASE.replace("/telemetry", "/nowhere/dataConnections/c1");
    for change in [
        json!({ "addEventHub": { "id": HUB1 } }),
        json!({ "addEventHub": { "id": HUB1.replace("/hub1", "/HUB1") } }),
        json!({ "addConsumerGroup": { "hub": HUB1, "group": "CG1" } }),
        json!({ "addConsumerGroup": { "hub": HUB1, "group": "$default" } }),
        json!({ "removeTable": { "database": DATABASE, "table": "Nothing" } }),
        json!({ "addDataConnection": { "id": nowhere, "properties": { "eventHubResourceId": HUB1 } } }),
    ] {
        let reply = cloud.admin_post("changes", &change).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{change}: {}", reply.body);
        assert!(
            !reply.body["path"].as_str().unwrap_or_default().is_empty(),
            "{}",
            reply.body
        );
    }
    let after = cloud.admin("state").await.body;
    for part in ["namespaces", "clusters", "dataConnections"] {
        assert_eq!(after[part], before[part], "{part}");
    }
}
