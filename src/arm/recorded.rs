//! Recorded exchanges with the real ARM, read by the code that reads ARM's answers. The recordings are not part of this
//! repository; without them the test says that it is skipped.

use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use url::Url;

use super::answer::Answer;
use super::operation::{OperationStatus, OperationUrl, status};
use super::report::CallReport;
use crate::arm::DataConnection;
use crate::domain::json_fields;
use crate::sources::{Comparison, Recorded, compare};

/// What of the recordings was looked at.
#[derive(Debug, Default)]
struct Seen {
    operations: usize,
    polls: usize,
    resources: usize,
    compared: usize,
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "where the recordings are is no configuration of the service"
)]
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn every_recorded_answer_of_arm_is_understood() {
    let Ok(folder) = std::env::var("TENANT_BRIDGE_REFERENCE_DIR") else {
        eprintln!("skipped: TENANT_BRIDGE_REFERENCE_DIR is not set");
        return;
    };
    let mut seen = Seen::default();
    for entry in Path::new(&folder)
        .join("arm-exchanges")
        .read_dir()
        .expect("a folder of recordings")
    {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a recording");
        let recording: Value = serde_json::from_str(&text).expect("JSON");
        let exchanges = recording["exchanges"].as_array().expect("a list of exchanges");
        let mut sent = Value::Null;
        for exchange in exchanges {
            let method = exchange["request"]["method"].as_str().expect("a method");
            if matches!(method, "PUT" | "PATCH") {
                sent = exchange["request"]["body"].clone();
            }
            check(exchange, &sent, &mut seen);
        }
    }
    assert!(
        seen.operations > 0 && seen.polls > 0 && seen.resources > seen.compared && seen.compared > 0,
        "{seen:?}"
    );
}

fn check(exchange: &Value, sent: &Value, seen: &mut Seen) {
    let endpoint: Url = "https://management.azure.com/".parse().expect("a URL");
    let (request, response) = (&exchange["request"], &exchange["response"]);
    let uri = request["uri"].as_str().expect("a URI");
    let answer = answer(response);
    assert_eq!(answer.has_body(), !response["body"].is_null(), "{uri}");
    let operation = answer
        .operation(&endpoint)
        .expect("an operation URL of ARM's, or none");
    let expects_operation = ["PUT", "PATCH", "DELETE"]
        .iter()
        .any(|method| request["method"] == *method)
        || answer.status == StatusCode::ACCEPTED;
    assert_eq!(operation.is_some(), expects_operation, "{uri}");
    if let Some(operation) = operation {
        assert!(!operation.expose().contains(' '), "{operation}");
        seen.operations += 1;
    }
    let Some(body) = answer.json_if_any() else { return };
    if uri.contains("/operationResults/") {
        OperationUrl::parse(uri, &endpoint).expect("the recorded client asked here");
        assert_eq!(
            status(answer.status, Some(&body)),
            OperationStatus::Succeeded,
            "{uri}"
        );
        seen.polls += 1;
    } else if let Some(state) = json_fields::provisioning_state(&body) {
        let connection = DataConnection { raw: body.clone() };
        assert_eq!(connection.provisioning_state(), Some(state));
        assert!(connection.location().is_some(), "{uri}");
        let kind = connection.kind().expect("a kind");
        seen.resources += 1;
        // Of the other kinds the comparison knows no defaults yet.
        if kind != "EventHub" {
            return;
        }
        let (_, api_version) = uri.rsplit_once("api-version=").expect("an api-version");
        let recorded = Recorded {
            sent: sent.clone(),
            snapshot: None,
            api_version: api_version.to_owned(),
        };
        let found = &connection.raw;
        assert_eq!(compare(&recorded, found), Comparison::Same, "{uri}");
        seen.compared += 1;
    }
}

fn answer(response: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    for (name, value) in response["headers"].as_object().expect("headers") {
        let name = HeaderName::try_from(name.as_str()).expect("a header's name");
        headers.append(
            name,
            HeaderValue::try_from(value.as_str().expect("a text")).expect("a header's value"),
        );
    }
    let status = response["status"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok())
        .expect("a status");
    let body = match &response["body"] {
        Value::Null => Vec::new(),
        body => body.to_string().into_bytes(),
    };
    Answer {
        status: StatusCode::from_u16(status).expect("a status"),
        headers,
        report: CallReport::default(),
        name: "recorded",
        body: Ok(body.into()),
        refusal: None,
    }
}
