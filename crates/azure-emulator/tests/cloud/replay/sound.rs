//! The comparison itself: a recording made up here is answered as written, and each change to it is noticed.

use serde_json::{Value, json};

use super::recording::Recording;
use super::{formats, play};

const BASE: &str = "https://management.azure.com/subscriptions/0a0a0a0a-0000-4000-8000-00000000000a";
const DATABASE: &str = "resourceGroups/rg/providers/Microsoft.Kusto/clusters/made/databases/up";
const HUB: &str = "/subscriptions/0a0a0a0a-0000-4000-8000-00000000000a/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/ns-made/eventhubs/h";

fn poll(id: &str, body: &Value) -> Value {
    let uri = format!(
        "{BASE}/providers/Microsoft.Kusto/locations/West%20Europe/operationResults/{id}?api-version=2021-08-27"
    );
    json!({
        "request": { "method": "GET", "uri": uri, "body": null },
        "response": { "status": 200, "body": body, "headers": {
            "x-ms-operation-root-activity-id": "any", "x-ms-ratelimit-remaining-subscription-resource-requests": "1",
        } },
    })
}

fn result(id: &str, status: &str, percent: f64, properties: &Value) -> Value {
    let place =
        "subscriptions/0a0a0a0a-0000-4000-8000-00000000000a/providers/Microsoft.Kusto/locations/West Europe";
    json!({
        "id": format!("/{place}/operationresults/{id}"),
        "name": id,
        "status": status,
        "startTime": "2021-10-14T10:13:27.19Z",
        "endTime": "2021-10-14T10:13:53Z",
        "percentComplete": percent,
        "properties": properties,
    })
}

/// A create that is polled twice, and a removal.
fn made_up() -> Value {
    let (made, gone) = (
        "cccccccc-0000-4000-8000-000000000001",
        "cccccccc-0000-4000-8000-000000000002",
    );
    let uri = format!("{BASE}/{DATABASE}/dataConnections/One?api-version=2021-08-27");
    let operation = |id: &str, location: &str| {
        format!(
            "{BASE}/providers/Microsoft.Kusto/locations/{location}/operationResults/{id}?api-version=2021-08-27"
        )
    };
    let envelope = json!({
        "id": "/subscriptions/0a0a0a0a-0000-4000-8000-00000000000a/resourceGroups/rg/providers/Microsoft.Kusto/Clusters/made/Databases/up/DataConnections/One",
        "name": "made/up/One",
        "type": "Microsoft.Kusto/Clusters/Databases/DataConnections",
        "location": "West Europe",
        "kind": "EventHub",
    });
    let with = |properties: Value| {
        let mut body = envelope.clone();
        body["properties"] = properties;
        body
    };
    let limit = "x-ms-ratelimit-remaining-subscription-resource-requests";
    let removal = format!(
        "{}&operationResultResponseType=Location",
        operation(gone, "West%20Europe")
    );
    json!({ "exchanges": [
        {
            "request": { "method": "PUT", "uri": uri, "body": { "location": "West Europe", "kind": "EventHub",
                "properties": { "eventHubResourceId": HUB, "consumerGroup": "g", "tableName": "T" } } },
            "response": { "status": 201, "headers": { "azure-asyncoperation": operation(made, "West Europe"), limit: "1" },
                "body": with(json!({ "eventHubResourceId": HUB, "consumerGroup": "g", "tableName": "T",
                    "provisioningState": "Creating" })) },
        },
        poll(made, &result(made, "Running", 0.5, &json!({}))),
        poll(made, &result(made, "Succeeded", 1.0, &json!({}))),
        {
            "request": { "method": "GET", "uri": uri, "body": null },
            "response": { "status": 200, "headers": { limit: "1" },
                "body": with(json!({ "eventHubResourceId": HUB, "consumerGroup": "g", "tableName": "T",
                    "mappingRuleName": "", "dataFormat": "", "eventSystemProperties": [], "compression": "None",
                    "managedIdentityResourceId": null, "provisioningState": "Succeeded" })) },
        },
        {
            "request": { "method": "DELETE", "uri": uri, "body": null },
            "response": { "status": 202, "body": null, "headers": {
                "azure-asyncoperation": operation(gone, "West Europe"), "location": removal,
                "x-ms-ratelimit-remaining-subscription-deletes": "1" } },
        },
        poll(gone, &result(gone, "Succeeded", 1.0, &json!({ "operationKind": "DmServiceDataObtainerDrop",
            "provisioningState": "Succeeded", "operationState": "Completed" }))),
    ] })
}

async fn differences(file: &Value) -> Vec<String> {
    let exchanges = formats::exchanges(&file.to_string()).unwrap();
    let played = play::play(&Recording::parse("made-up", &exchanges)).await;
    assert_eq!((played.sent, played.left_out, played.of_others), (6, 0, 0));
    played.verdict("made-up")
}

#[tokio::test]
async fn what_is_as_recorded_has_no_difference() {
    assert_eq!(differences(&made_up()).await, Vec::<String>::new());
}

/// Where the recording is changed, to what, and how the difference is named.
#[expect(clippy::too_many_lines, reason = "a table")]
fn changes() -> Vec<(&'static str, Value, &'static str)> {
    let raw = made_up()
        .pointer("/exchanges/4/response/headers/azure-asyncoperation")
        .unwrap()
        .to_string();
    let encoded = raw.trim_matches('"').replace(' ', "%20");
    vec![
        ("/0/response/status", json!(400), "status: 201 instead of 400"),
        (
            "/0/response/headers/etag",
            json!("\"\""),
            "header etag: None instead of Some",
        ),
        (
            "/0/response/headers/retry-after",
            json!("30"),
            "header retry-after: None instead of Some",
        ),
        (
            "/0/response/headers/x-ms-ratelimit-remaining-none",
            json!("1"),
            "header x-ms-ratelimit-remaining-none: missing",
        ),
        (
            "/0/response/headers/x-ms-operation-root-activity-id",
            json!("1"),
            "there and not there",
        ),
        (
            "/4/response/headers/azure-asyncoperation",
            json!(encoded),
            "header azure-asyncoperation",
        ),
        (
            "/0/response/body/properties/ConsumerGroup",
            json!("g"),
            "/properties/ConsumerGroup: missing, was \"g\"",
        ),
        (
            "/3/response/body/properties/tableName",
            json!("U"),
            "/properties/tableName: \"T\" instead of \"U\"",
        ),
        (
            "/3/response/body/properties/mappingRuleName",
            json!(null),
            "/properties/mappingRuleName: \"\" instead of null",
        ),
        (
            "/3/response/body/properties",
            json!({}),
            "/properties/compression: extra, \"None\"",
        ),
        (
            "/3/response/body/properties/eventSystemProperties",
            json!(["x"]),
            "0 items instead of 1",
        ),
        ("/2/response/body/startTime", json!("yesterday"), "/startTime"),
        (
            "/2/response/body/percentComplete",
            json!(100),
            "/percentComplete: 1.0 instead of 100",
        ),
        (
            "/5/response/body/properties/OperationState",
            json!("Completed"),
            "/properties/OperationState: missing",
        ),
    ]
}

#[tokio::test]
async fn a_recording_of_which_nothing_is_sent_is_no_success() {
    let cluster =
        format!("{BASE}/resourceGroups/rg/providers/Microsoft.Kusto/clusters/made?api-version=2021-08-27");
    let other = json!({
        "request": { "method": "GET", "uri": cluster, "body": null },
        "response": { "status": 200, "headers": {}, "body": {} },
    });
    for (exchanges, others, polls) in [
        (vec![], 0, 0),
        (vec![other], 1, 0),
        (
            vec![poll("cccccccc-0000-4000-8000-000000000009", &json!({}))],
            0,
            1,
        ),
    ] {
        let played = play::play(&Recording::parse("empty", &exchanges)).await;
        assert_eq!(
            (played.sent, played.of_others, played.left_out),
            (0, others, polls)
        );
        assert_eq!(played.verdict("empty").len(), 1);
    }
}

#[tokio::test]
async fn whatever_is_not_as_recorded_is_named() {
    for (place, value, named) in changes() {
        let mut file = made_up();
        let (parent, member) = place.rsplit_once('/').unwrap();
        file["exchanges"].pointer_mut(parent).unwrap()[member] = value;
        let found = differences(&file).await.join("\n");
        assert!(found.contains(named), "{place}: {found}");
    }
}
