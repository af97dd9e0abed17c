//! The OpenAPI document that clients are generated from.

use std::path::PathBuf;

use serde_json::Value;

/// Built tests that were carried elsewhere are told by the environment where the documents are now.
fn committed(name: &str) -> String {
    let here = std::env::var_os("CARGO_MANIFEST_DIR");
    let folder = PathBuf::from(here.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()));
    std::fs::read_to_string(folder.join("openapi").join(name)).expect("the committed document")
}

#[test]
fn the_committed_documents_are_those_that_the_routes_make() {
    let older = tenant_bridge::http::document_3_0().expect("OpenAPI 3.0 can say all of it");
    assert!(
        committed("openapi.json") == tenant_bridge::http::document()
            && committed("openapi-3.0.json") == older,
        "openapi/ is out of date; write it and the clients anew with: clients/generate"
    );
}

#[test]
fn every_operation_has_an_example_for_each_body_it_takes_or_gives() {
    let document: Value = serde_json::from_str(&tenant_bridge::http::document()).expect("JSON");
    let components = &document["components"];
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .flat_map(|path| path.as_object().expect("operations").values());
    for operation in operations {
        let responses = operation["responses"].as_object().expect("responses").values();
        let responses = responses.map(|response| match response["$ref"].as_str() {
            Some(reference) => &components["responses"][reference.rsplit('/').next().expect("a name")],
            None => response,
        });
        let bodies = responses.chain(operation.get("requestBody"));
        for content in bodies.flat_map(|body| body["content"].as_object().expect("content").values()) {
            let examples = content["examples"].as_object().map_or(0, serde_json::Map::len);
            assert!(
                content.get("example").is_some() || examples > 0,
                "{}: {content}",
                operation["operationId"]
            );
        }
    }
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
            let response = match response["$ref"].as_str() {
                Some(reference) => {
                    &document["components"]["responses"][reference.rsplit('/').next().expect("a name")]
                }
                None => response,
            };
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

#[test]
fn every_reference_in_the_documents_leads_somewhere() {
    for name in ["openapi.json", "openapi-3.0.json"] {
        let document: Value = serde_json::from_str(&committed(name)).expect("JSON");
        let mut left = vec![&document];
        while let Some(value) = left.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                        let pointer = reference.strip_prefix('#').expect("inside the document");
                        assert!(document.pointer(pointer).is_some(), "{name}: {reference}");
                    }
                    left.extend(members.values());
                }
                Value::Array(entries) => left.extend(entries),
                _ => {}
            }
        }
    }
}
