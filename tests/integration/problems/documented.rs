//! The problems that the document names.

use std::collections::BTreeSet;

use serde_json::Value;

/// Operation, status and code of every problem in the document.
pub(super) fn documented() -> BTreeSet<(String, u16, String)> {
    let document: Value = serde_json::from_str(&tenant_bridge::http::document()).expect("JSON");
    let mut found = BTreeSet::new();
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .flat_map(|path| path.as_object().expect("operations").values());
    for operation in operations {
        let id = operation["operationId"].as_str().expect("an id");
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let response = match response["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
                Some(pointer) => document.pointer(pointer).expect("a component"),
                None => response,
            };
            let Some(problems) = response.pointer("/content/application~1problem+json/examples") else {
                continue;
            };
            for code in problems.as_object().expect("examples").keys() {
                // `default` stands for what is not listed.
                if let Ok(status) = status.parse() {
                    found.insert((id.to_owned(), status, code.clone()));
                }
            }
        }
    }
    found
}
