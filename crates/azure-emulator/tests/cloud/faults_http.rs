//! Faults put over HTTP: each effect as a client meets it, and what is refused.

use std::time::{Duration, Instant};

use azure_emulator::how_to::{CLUSTER, LOCAL_HUB};
use azure_emulator::{Effect, Fault, Latency};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Cloud, connection, event_hub_body, start};

/// Puts the fault and asks ARM for the cluster; a request that fails gives its error.
async fn meet(cloud: &Cloud, fault: Value) -> reqwest::Result<Response> {
    let reply = cloud.admin_post("faults", &fault).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{:?}", reply.body);
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let base = cloud.emulator.arm_url().as_str().trim_end_matches('/');
    let url = format!("{base}{CLUSTER}?api-version=2024-04-13");
    cloud.http.get(url).bearer_auth(token).send().await
}

fn of_arm(member: &str, value: Value) -> Value {
    let mut fault = json!({ "host": "arm" });
    fault[member] = value;
    fault
}

#[tokio::test]
async fn answers_are_made_up_with_status_headers_and_body() {
    let cloud = start().await;
    let answer =
        json!({ "status": 503, "headers": { "Retry-After": "7" }, "body": { "error": { "code": "Busy" } } });
    let reply = meet(&cloud, of_arm("effect", json!({ "answer": answer })))
        .await
        .unwrap();
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["retry-after"]),
        (503, &"7".parse().unwrap())
    );
    assert_eq!(reply.json::<Value>().await.unwrap()["error"]["code"], "Busy");
    let after = json!({ "answerAfter": { "status": 500, "body": "Oh no" } });
    let reply = meet(&cloud, of_arm("effect", after)).await.unwrap();
    assert_eq!(reply.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reply.text().await.unwrap(), "Oh no");
}

#[tokio::test]
async fn a_body_is_cut_short_although_its_length_was_announced() {
    let cloud = start().await;
    let reply = meet(
        &cloud,
        of_arm("effect", json!({ "truncate": { "keepBytes": 20 } })),
    )
    .await
    .unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    assert!(reply.content_length().unwrap() > 20);
    let mut reply = reply;
    let first = reply.chunk().await.unwrap().unwrap();
    assert_eq!(first.len(), 20);
    reply.chunk().await.unwrap_err();
    let entry = cloud.emulator.journal().entries().pop().unwrap();
    assert_eq!((entry.status, entry.delivered), (200, false));
}

#[tokio::test]
async fn a_body_drips() {
    let cloud = start().await;
    let started = Instant::now();
    let drip = json!({ "drip": { "chunkBytes": 100, "pauseMs": 30 } });
    let mut reply = meet(&cloud, of_arm("effect", drip)).await.unwrap();
    let (mut pieces, mut whole) = (0, Vec::new());
    while let Some(piece) = reply.chunk().await.unwrap() {
        assert!(piece.len() <= 100);
        pieces += 1;
        whole.extend_from_slice(&piece);
    }
    assert!(pieces > 2 && started.elapsed() >= Duration::from_millis(30) * (pieces - 1));
    assert_eq!(serde_json::from_slice::<Value>(&whole).unwrap()["name"], "adx1");
}

#[tokio::test]
async fn a_body_or_its_type_is_another_while_the_call_has_its_effect() {
    let cloud = start().await;
    let html = json!({ "body": { "body": "<html>", "contentType": "text/html" } });
    let reply = meet(&cloud, of_arm("effect", html)).await.unwrap();
    assert_eq!(
        (reply.status(), &reply.headers()["content-type"]),
        (StatusCode::OK, &"text/html".parse().unwrap())
    );
    assert_eq!(reply.text().await.unwrap(), "<html>");
    let empty = meet(&cloud, of_arm("effect", json!({ "body": {} })))
        .await
        .unwrap();
    assert!(empty.headers().get("content-type").is_none());
    assert_eq!(empty.text().await.unwrap(), "");
}

#[tokio::test]
async fn operation_urls_are_lost_or_lead_elsewhere() {
    let cloud = start().await;
    let token = cloud.arm_token("acc1@domain1.com", "domain1.com").await;
    let body = event_hub_body(LOCAL_HUB, "$Default");
    let put = async |name: &str, effect: Value| {
        let fault = json!({ "host": "arm", "method": "PUT", "path": "/dataConnections/", "effect": effect });
        assert_eq!(
            cloud.admin_post("faults", &fault).await.status,
            StatusCode::CREATED
        );
        let reply = cloud.put(&token, &[], &connection(name), &body).await;
        assert_eq!(reply.status, StatusCode::CREATED);
        reply.header("azure-asyncoperation").to_owned()
    };
    assert_eq!(
        put(
            "c1",
            json!({ "headers": { "remove": ["Azure-AsyncOperation", "Location"] } })
        )
        .await,
        ""
    );
    assert_eq!(
        put(
            "c2",
            json!({ "headers": { "set": { "Azure-AsyncOperation": "x" } } })
        )
        .await,
        "x"
    );
    let astray = put(
        "c3",
        json!({ "foreignUrls": { "origin": "https://elsewhere.example:8443/" } }),
    )
    .await;
    assert!(
        astray.starts_with("https://elsewhere.example:8443/subscriptions/"),
        "{astray}"
    );
    let state = cloud.admin("state").await.body;
    assert_eq!(
        state["dataConnections"].as_array().unwrap().len(),
        3,
        "all had their effect"
    );
}

#[tokio::test]
async fn lines_are_cut_before_or_after_the_effect() {
    let cloud = start().await;
    for (effect, status) in [("resetBefore", 0), ("resetAfter", 200)] {
        meet(&cloud, of_arm("effect", json!(effect))).await.unwrap_err();
        let entry = cloud.emulator.journal().entries().pop().unwrap();
        assert_eq!((entry.status, entry.delivered), (status, false));
    }
}

#[tokio::test]
async fn calls_wait_as_a_distribution_says_and_the_seed_repeats_it() {
    let cloud = start().await;
    let latencies = [
        json!({ "fixedMs": 20 }),
        json!({ "uniformMs": { "least": 20, "most": 40 } }),
        json!({ "normalMs": { "mean": 30, "deviation": 2 } }),
        json!({ "percentilesMs": { "50": 20, "99.5": 60 } }),
    ];
    for latency in latencies {
        let mut fault = of_arm("latency", latency);
        fault["seed"] = json!(11);
        let reply = meet(&cloud, fault).await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
        let waited = cloud.emulator.journal().entries().pop().unwrap().duration;
        assert!(waited >= Duration::from_millis(15), "{waited:?}");
    }
}

#[tokio::test]
async fn a_fault_can_be_slow_and_wrong_at_once_in_a_test_too() {
    let cloud = start().await;
    let slow = Latency::Fixed(Duration::from_millis(20));
    let fault = Fault::entra("keys", Effect::status(503, &[]))
        .delayed(slow)
        .sometimes(1.0)
        .seed(3);
    cloud.emulator.inject(fault);
    assert_eq!(
        cloud.entra("common/discovery/keys").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let waited = cloud.emulator.journal().entries().pop().unwrap().duration;
    assert!(waited >= Duration::from_millis(20));
}

#[tokio::test]
async fn faults_are_listed_as_they_were_put_and_taken_away() {
    let cloud = start().await;
    let faults = [
        json!({ "host": "arm", "path": "/a", "method": "PUT", "skip": 2, "times": 3, "probability": 0.5, "seed": 9,
            "latency": { "percentilesMs": { "50": 20.0, "99": 900.0 } }, "effect": "resetAfter" }),
        json!({ "host": "entra", "path": "", "skip": 0, "always": true, "probability": 1.0, "seed": 0,
            "effect": { "answer": { "status": 429, "headers": { "retry-after": "5" }, "body": "Slow down" } } }),
        json!({ "host": "arm", "path": "/b", "skip": 0, "times": 1, "probability": 1.0, "seed": 0,
            "effect": { "headers": { "set": { "x": "y" }, "remove": ["etag"] } } }),
        json!({ "host": "arm", "path": "/c", "skip": 0, "times": 1, "probability": 1.0, "seed": 0,
            "latency": { "uniformMs": { "least": 1.0, "most": 2.5 } },
            "effect": { "body": { "body": "<html>", "contentType": "text/html" } } }),
        json!({ "host": "arm", "path": "/d", "skip": 0, "times": 1, "probability": 1.0, "seed": 0, "effect": "silenceBefore" }),
        json!({ "host": "arm", "path": "/f", "skip": 0, "times": 3, "probability": 1.0, "seed": 0,
            "effect": { "gather": { "calls": 3 } } }),
        json!({ "host": "arm", "path": "/e", "skip": 0, "times": 1, "probability": 1.0, "seed": 0, "effect": "silenceAfter" }),
    ];
    for fault in &faults {
        cloud.admin_post("faults", fault).await;
    }
    cloud.entra("common/discovery/keys").await;
    let listed = cloud.admin("faults").await.body;
    for (index, fault) in faults.iter().enumerate() {
        let mut expected = fault.clone();
        expected["id"] = json!(index + 1);
        expected["met"] = json!(u32::from(fault["host"] == "entra"));
        assert_eq!(listed["value"][index], expected);
    }
    assert_eq!(cloud.admin_delete("faults/1").await, StatusCode::NO_CONTENT);
    assert_eq!(cloud.admin_delete("faults/1").await, StatusCode::NOT_FOUND);
    assert_eq!(cloud.admin_delete("faults").await, StatusCode::NO_CONTENT);
    assert_eq!(cloud.admin("faults").await.body, json!({ "value": [] }));
}

#[tokio::test]
async fn what_is_wrong_with_a_fault_is_told_with_its_place_and_no_fault_is_put() {
    let cloud = start().await;
    let effect = |effect: Value| of_arm("effect", effect);
    let with = |member: &str, value: Value| {
        let mut fault = effect(json!("resetBefore"));
        fault[member] = value;
        fault
    };
    let rows = [
        (json!({ "effect": "resetBefore" }), ""),
        (json!({ "host": "arm" }), ""),
        (json!({ "host": "graph", "effect": "resetBefore" }), "host"),
        (with("paths", json!("/x")), "paths"),
        (with("times", json!(0)), "times"),
        (
            json!({ "host": "arm", "effect": "resetBefore", "times": 2, "always": true }),
            "times",
        ),
        (with("probability", json!(0)), "probability"),
        (with("method", json!("P UT")), "method"),
        (effect(json!("explode")), "effect"),
        (
            effect(json!({ "answer": { "status": 700 } })),
            "effect.answer.status",
        ),
        (
            effect(json!({ "answer": { "status": 200, "headers": { "a b": "" } } })),
            "effect.answer.headers.a b",
        ),
        (
            effect(json!({ "foreignUrls": { "origin": "elsewhere" } })),
            "effect.foreignUrls.origin",
        ),
        (
            effect(json!({ "drip": { "chunkBytes": 0, "pauseMs": 1 } })),
            "effect.drip.chunkBytes",
        ),
        (of_arm("latency", json!({ "fixedMs": -1 })), "latency.fixedMs"),
        (
            of_arm("latency", json!({ "uniformMs": { "least": 2, "most": 1 } })),
            "latency.uniformMs",
        ),
        (
            of_arm("latency", json!({ "percentilesMs": { "half": 1 } })),
            "latency.percentilesMs.half",
        ),
        (
            of_arm("latency", json!({ "percentilesMs": { "50": 3, "99": 1 } })),
            "latency.percentilesMs",
        ),
    ];
    for (fault, place) in rows {
        let reply = cloud.admin_post("faults", &fault).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{fault}");
        let told = reply.body["path"].as_str().unwrap_or_default();
        assert!(told == place, "{fault}: {}", reply.body);
    }
    assert_eq!(cloud.admin("faults").await.body, json!({ "value": [] }));
}
