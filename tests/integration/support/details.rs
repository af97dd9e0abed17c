//! That the details of recorded events have the shapes that the document shows.

use serde_json::Value;
use tenant_bridge::http::OPENAPI_3_1;

/// Fails if an event, as `[kind, details]`, has a member that its shape lacks, lacks one that its shape requires, or has a null.
pub(super) fn assert_documented(events: &Value) {
    let document: Value = serde_json::from_str(OPENAPI_3_1).expect("JSON");
    let shapes =
        &document["components"]["schemas"]["LedgerEvent"]["properties"]["details"]["x-shape-of-kind"];
    for event in events.as_array().expect("events") {
        let (kind, details) = (event[0].as_str().expect("a kind"), &event[1]);
        let reference = shapes[kind]["$ref"].as_str().expect(kind);
        let shape = document
            .pointer(reference.trim_start_matches('#'))
            .expect(reference);
        let members = details.as_object().expect("an object");
        for (member, value) in members {
            let is_known = shape["properties"].get(member).is_some() || member == "by";
            assert!(is_known && !value.is_null(), "{kind}: {member} in {details}");
        }
        for required in shape["required"].as_array().into_iter().flatten() {
            let required = required.as_str().expect("a name");
            assert!(
                members.contains_key(required),
                "{kind}: no {required} in {details}"
            );
        }
    }
}
