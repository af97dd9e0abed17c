use serde_json::json;
use tenant_bridge::http::OPENAPI_3_0;

use super::*;

type Edit = (&'static str, fn(&mut Value));

/// The place in the document, which has to be there: an edit that changes nothing would test nothing.
fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    document
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("the document has no {pointer}"))
}

fn remove(document: &mut Value, pointer: &str, member: &str) {
    let removed = at(document, pointer)
        .as_object_mut()
        .and_then(|object| object.remove(member));
    assert!(removed.is_some(), "{pointer} has no {member}");
}

fn set(document: &mut Value, pointer: &str, member: &str, value: Value) {
    at(document, pointer)
        .as_object_mut()
        .unwrap_or_else(|| panic!("{pointer} is no object"))
        .insert(member.to_owned(), value);
}

fn list<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Vec<Value> {
    at(document, pointer)
        .as_array_mut()
        .unwrap_or_else(|| panic!("{pointer} is no list"))
}

const CREATE: &str = "/paths/~1v1~1connections/post";
const LIST: &str = "/paths/~1v1~1connections/get";
const SCHEMAS: &str = "/components/schemas";

const BREAKING: [Edit; 22] = [
    ("a path is gone", |document| {
        remove(document, "/paths", "/v1/operations/{id}");
    }),
    ("a method is gone", |document| {
        remove(document, "/paths/~1v1~1connections~1{id}", "delete");
    }),
    ("an operation has another name", |document| {
        set(document, CREATE, "operationId", json!("make"));
    }),
    ("an operation needs another authentication", |document| {
        set(document, LIST, "security", json!([{ "key": [] }]));
    }),
    ("a query parameter is gone", |document| {
        list(document, &format!("{LIST}/parameters")).remove(0);
    }),
    ("a query parameter is required", |document| {
        set(document, &format!("{LIST}/parameters/0"), "required", json!(true));
    }),
    ("a new query parameter is required", |document| {
        let added =
            json!({ "name": "region", "in": "query", "required": true, "schema": { "type": "string" } });
        list(document, &format!("{LIST}/parameters")).push(added);
    }),
    ("a success is gone", |document| {
        remove(document, &format!("{CREATE}/responses"), "202");
    }),
    ("a success is new", |document| {
        set(
            document,
            &format!("{LIST}/responses"),
            "206",
            json!({ "description": "part" }),
        );
    }),
    ("a problem's status is gone", |document| {
        remove(document, &format!("{CREATE}/responses"), "409");
    }),
    ("a header of an answer is gone", |document| {
        remove(document, &format!("{CREATE}/responses/201/headers"), "Location");
    }),
    ("an answer has another media type", |document| {
        let content = at(document, &format!("{LIST}/responses/200/content"));
        *content = json!({ "text/json": content["application/json"] });
    }),
    ("a member of an answer is gone", |document| {
        remove(document, &format!("{SCHEMAS}/Connection/properties"), "createdAt");
    }),
    ("a member of an answer can be absent", |document| {
        list(document, &format!("{SCHEMAS}/Connection/required")).pop();
    }),
    ("a member of an answer can be null", |document| {
        set(
            document,
            &format!("{SCHEMAS}/Connection/properties/createdAt"),
            "nullable",
            json!(true),
        );
    }),
    ("a member of an answer has another type", |document| {
        set(
            document,
            &format!("{SCHEMAS}/Connection/properties/createdAt"),
            "type",
            json!("integer"),
        );
    }),
    ("a member of a request is gone", |document| {
        remove(document, &format!("{SCHEMAS}/CreateTarget/properties"), "table");
    }),
    ("a member of a request is required", |document| {
        list(document, &format!("{SCHEMAS}/CreateTarget/required")).push(json!("table"));
    }),
    ("a member of a request may be shorter", |document| {
        set(
            document,
            &format!("{SCHEMAS}/CreateTarget/properties/table"),
            "maxLength",
            json!(3),
        );
    }),
    ("a member of a request has a pattern", |document| {
        set(
            document,
            &format!("{SCHEMAS}/CreateTarget/properties/table"),
            "pattern",
            json!("^a"),
        );
    }),
    ("a word of an answer is gone", |document| {
        list(document, &format!("{SCHEMAS}/State/x-extensible-enum")).pop();
    }),
    ("an open enumeration is closed", |document| {
        let words = at(document, &format!("{SCHEMAS}/State/x-extensible-enum")).clone();
        set(document, &format!("{SCHEMAS}/State"), "enum", words);
    }),
];

const ADDITIVE: [Edit; 18] = [
    ("a path is new", |document| {
        let item = at(document, "/paths/~1v1~1connections").clone();
        set(document, "/paths", "/v1/inventory", item);
    }),
    ("a method is new", |document| {
        let method = at(document, "/paths/~1v1~1connections~1{id}/delete").clone();
        set(document, "/paths/~1v1~1connections~1{id}", "patch", method);
    }),
    ("an optional query parameter is new", |document| {
        let added = json!({ "name": "region", "in": "query", "schema": { "type": "string" } });
        list(document, &format!("{LIST}/parameters")).insert(0, added);
    }),
    ("a parameter may be longer", |document| {
        set(
            document,
            &format!("{LIST}/parameters/0/schema"),
            "maxLength",
            json!(100_000),
        );
    }),
    ("a problem's status is new", |document| {
        let problem = at(document, &format!("{LIST}/responses/400")).clone();
        set(document, &format!("{LIST}/responses"), "418", problem);
    }),
    ("a header of an answer is new", |document| {
        let header = json!({ "schema": { "type": "string" } });
        set(
            document,
            &format!("{CREATE}/responses/201/headers"),
            "Deprecation",
            header,
        );
    }),
    ("a media type of an answer is new", |document| {
        let body = json!({ "schema": { "type": "string" } });
        set(
            document,
            &format!("{LIST}/responses/200/content"),
            "text/csv",
            body,
        );
    }),
    ("a member of an answer is new", |document| {
        set(
            document,
            &format!("{SCHEMAS}/Connection/properties"),
            "region",
            json!({ "type": "string" }),
        );
    }),
    ("a new member of an answer is always there", |document| {
        set(
            document,
            &format!("{SCHEMAS}/Connection/properties"),
            "region",
            json!({ "type": "string" }),
        );
        list(document, &format!("{SCHEMAS}/Connection/required")).push(json!("region"));
    }),
    ("an optional member of a request is new", |document| {
        set(
            document,
            &format!("{SCHEMAS}/CreateTarget/properties"),
            "region",
            json!({ "type": "string" }),
        );
    }),
    ("another kind of source is new", |document| {
        let kind = json!({ "type": "object", "properties": { "topicId": { "type": "string" } }, "required": ["topicId"] });
        set(
            document,
            &format!("{SCHEMAS}/CreateSource/properties"),
            "topic",
            kind,
        );
    }),
    ("a member of a request may be absent", |document| {
        list(document, &format!("{SCHEMAS}/CreateTarget/required")).pop();
    }),
    ("a member of a request may be longer", |document| {
        set(
            document,
            &format!("{SCHEMAS}/CreateTarget/properties/table"),
            "maxLength",
            json!(100_000),
        );
    }),
    ("a word of an answer is new", |document| {
        list(document, &format!("{SCHEMAS}/State/x-extensible-enum")).push(json!("paused"));
    }),
    ("a schema is new", |document| {
        set(document, SCHEMAS, "Region", json!({ "type": "string" }));
    }),
    ("a text is another", |document| {
        set(
            document,
            &format!("{SCHEMAS}/Connection"),
            "description",
            json!("Another text."),
        );
    }),
    ("an example is another", |document| {
        set(document, &format!("{SCHEMAS}/Connection"), "example", json!({}));
    }),
    ("an operation is deprecated", |document| {
        set(document, LIST, "deprecated", json!(true));
    }),
];

fn document() -> Value {
    serde_json::from_str(OPENAPI_3_0).expect("the committed document is JSON")
}

fn edited(edit: fn(&mut Value)) -> Value {
    let mut document = document();
    edit(&mut document);
    document
}

#[test]
fn a_document_breaks_no_client_of_its_own() {
    assert_eq!(breaks(&document(), &document()), []);
}

#[test]
fn every_breaking_edit_is_found_once() {
    for (name, edit) in BREAKING {
        let found = breaks(&document(), &edited(edit));
        assert_eq!(found.len(), 1, "{name}: {found:#?}");
    }
}

#[test]
fn no_additive_edit_is_a_break() {
    for (name, edit) in ADDITIVE {
        assert_eq!(breaks(&document(), &edited(edit)), [], "{name}");
        assert_ne!(document(), edited(edit), "{name}");
    }
}

#[test]
fn what_is_added_can_not_be_taken_away_again() {
    for (name, edit) in &ADDITIVE[..14] {
        assert_ne!(breaks(&edited(*edit), &document()), [], "{name}");
    }
}

#[test]
fn only_a_new_major_version_may_break_clients_and_before_the_first_one_a_new_minor_version() {
    for (old, new, may) in [
        ((0, 1, 0), (0, 1, 0), false),
        ((0, 1, 0), (0, 1, 7), false),
        ((0, 1, 0), (0, 2, 0), true),
        ((0, 1, 0), (1, 0, 0), true),
        ((1, 2, 0), (1, 3, 0), false),
        ((1, 2, 0), (2, 0, 0), true),
    ] {
        assert_eq!(may_break(old, new), may, "{old:?} → {new:?}");
    }
}

fn checked(released: &[(&str, &Value)], current: &Value) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("released"))?;
    for (version, document) in released {
        let mut document = (*document).clone();
        set(&mut document, "/info", "version", json!(version));
        fs::write(
            folder.path().join(format!("released/{version}.json")),
            document.to_string(),
        )?;
    }
    fs::write(folder.path().join("openapi-3.0.json"), current.to_string())?;
    check(folder.path())
}

#[test]
fn the_newest_release_is_the_measure_whatever_its_files_order() {
    let mut current = edited(|document| remove(document, "/paths", "/v1/operations/{id}"));
    set(&mut current, "/info", "version", json!("0.10.3"));
    let newest = current.clone();
    checked(&[("0.9.0", &document()), ("0.10.0", &newest)], &current).expect("as the newest one");
    let error = checked(&[("0.10.0", &document()), ("0.9.0", &newest)], &current).expect_err("a break");
    assert!(
        error.to_string().starts_with("1 differences break clients of "),
        "{error}"
    );
}

#[test]
fn a_version_that_may_break_clients_passes_and_an_older_one_does_not() {
    let mut current = edited(|document| remove(document, "/paths", "/v1/operations/{id}"));
    set(&mut current, "/info", "version", json!("0.2.0"));
    checked(&[("0.1.0", &document())], &current).expect("a new minor version before 1.0.0");
    checked(&[("0.3.0", &document())], &current).expect_err("older than the release");
    checked(&[], &current).expect_err("nothing to compare with");
}
