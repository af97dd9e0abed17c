//! The OpenAPI document that clients are generated from.

use serde_json::Value;

#[test]
fn the_committed_document_is_the_one_that_the_routes_make() {
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json"));
    assert!(
        committed.expect("the committed document") == tenant_bridge::http::document(),
        "openapi/openapi.json is out of date; write it anew with: cargo run -- openapi > openapi/openapi.json"
    );
}

#[test]
fn every_operation_has_a_summary_a_description_an_id_and_described_answers() {
    let document: Value = serde_json::from_str(&tenant_bridge::http::document()).expect("JSON");
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
    let paths = document["paths"].as_object().expect("paths");
    let operations: Vec<(&String, &Value)> = paths
        .values()
        .flat_map(|path| path.as_object().expect("operations"))
        .collect();
    assert!(operations.len() >= 6);
    for (_, operation) in operations {
        for member in ["summary", "description", "operationId"] {
            assert!(
                operation[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member}: {operation}"
            );
        }
        for (status, response) in operation["responses"].as_object().expect("responses") {
            assert!(
                response["description"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{status}: {operation}"
            );
            let is_problem = response["content"].get("application/problem+json").is_some();
            assert_eq!(
                is_problem,
                status.starts_with(['4', '5']),
                "{status}: {operation}"
            );
        }
    }
}
