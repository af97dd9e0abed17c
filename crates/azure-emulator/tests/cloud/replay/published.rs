//! The examples of the published API: requests are accepted, answers have the members that the example shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::recording::Recording;
use super::{play, references};

/// The example as exchanges: what it sends, and what must come back.
fn exchanges(example: &Value) -> Vec<(Value, &Value)> {
    let parameters = &example["parameters"];
    let text = |name: &str| parameters[name].as_str().unwrap_or_default();
    let base = format!(
        "https://management.azure.com/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Kusto/clusters/{}/databases/{}",
        text("subscriptionId"),
        text("resourceGroupName"),
        text("clusterName"),
        text("databaseName"),
    );
    let call = |method: &str, path: &str, body: &Value, status: &Value| {
        json!({
            "request": { "method": method, "uri": format!("{base}/{path}?api-version={}", text("api-version")),
                "body": body },
            "response": { "status": status, "headers": {}, "body": null },
        })
    };
    let body = &parameters["parameters"];
    let shown = &example["responses"]["200"]["body"];
    if let Some(name) = parameters["dataConnectionName"].as_str() {
        let path = format!("dataConnections/{name}");
        return vec![
            (call("PUT", &path, body, &json!(201)), &Value::Null),
            (call("GET", &path, &Value::Null, &json!(200)), shown),
        ];
    }
    if body.is_object() {
        return vec![(
            call("POST", "dataConnectionValidation", body, &json!(202)),
            &Value::Null,
        )];
    }
    let mut list = call("GET", "dataConnections", &Value::Null, &json!(200));
    list["response"]["body"] = shown.clone();
    vec![(list, shown)]
}

/// Members that the example shows and the answer doesn't have, or has with another type.
fn lacking(path: &str, shown: &Value, here: &Value, out: &mut Vec<String>) {
    match (shown, here) {
        (Value::Object(members), Value::Object(_)) => {
            for (name, value) in members {
                lacking(&format!("{path}/{name}"), value, &here[name], out);
            }
        }
        (Value::Array(items), Value::Array(own)) if items.len() == own.len() => {
            for (index, (item, own)) in items.iter().zip(own).enumerate() {
                lacking(&format!("{path}/{index}"), item, own, out);
            }
        }
        _ if std::mem::discriminant(shown) == std::mem::discriminant(here) => {}
        _ => out.push(format!("{path}: {here} where the example has {shown}")),
    }
}

#[tokio::test]
#[expect(
    clippy::print_stderr,
    reason = "whoever runs it should know that nothing was compared"
)]
async fn published_examples_are_accepted_and_shown_with_their_members() {
    let Some(files) = references("arm-spec") else {
        eprintln!("skipped: TENANT_BRIDGE_REFERENCE_DIR is not set");
        return;
    };
    let mut tried: BTreeMap<&str, u32> = BTreeMap::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let example: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        if example.get("parameters").is_none() || example.get("responses").is_none() {
            continue;
        }
        let (calls, shown): (Vec<Value>, Vec<&Value>) = exchanges(&example).into_iter().unzip();
        let recording = Recording::parse(&name, &calls);
        let played = play::play(&recording).await;
        for ((exchange, shown), answer) in recording.exchanges.iter().zip(shown).zip(&played.answers) {
            assert_eq!(answer.status.as_u16(), exchange.status, "{name}: {}", answer.body);
            let mut missing = Vec::new();
            // What a PUT echoes is recorded to be less than the examples show.
            if !shown.is_null() {
                lacking("", shown, &answer.body, &mut missing);
            }
            assert!(missing.is_empty(), "{name}: {missing:?} in {}", answer.body);
            *tried
                .entry(if exchange.body.is_object() {
                    "sent"
                } else {
                    "shown"
                })
                .or_default() += 1;
        }
    }
    assert!(tried.values().sum::<u32>() > 0, "no examples");
}
