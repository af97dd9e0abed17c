//! The OpenAPI documents, which clients are generated from, and the pages that show them. `crates/xtask` holds that the committed
//! documents are those of the routes.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};
use tenant_bridge::domain::{Code, EventKind, OperationKind, State};
use tenant_bridge::http::{OPENAPI_3_0, OPENAPI_3_1};

use crate::support::{App, program};

/// The documents as they are committed, with the paths that they are served at and the arguments that print them.
const DOCUMENTS: [(&str, &str, &[&str]); 2] = [
    (OPENAPI_3_1, "/openapi.json", &["openapi"]),
    (OPENAPI_3_0, "/openapi-3.0.json", &["openapi", "--version", "3.0"]),
];

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
        // An answer without content, as 304 is one, has nothing to show.
        let contents = bodies.filter_map(|body| body["content"].as_object());
        for content in contents.flat_map(serde_json::Map::values) {
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
                status == "default" || status.starts_with(['4', '5']),
                "{status}: {operation}"
            );
        }
    }
}

#[test]
fn who_is_shown_the_justification_is_said_everywhere_alike() {
    let document: Value = serde_json::from_str(&tenant_bridge::http::document()).expect("JSON");
    let said = |text: &str| {
        let (_, rest) = text.split_once("shown to the people who requested").expect(text);
        let words: Vec<&str> = rest.split_whitespace().collect();
        let rest = words.join(" ");
        rest.split_once("and to operators").expect(&rest).0.to_owned()
    };
    let described = |schema: &str| {
        let place = format!("/components/schemas/{schema}/properties/justification/description");
        said(document.pointer(&place).and_then(Value::as_str).expect(schema))
    };
    let asked = described("CreateConnection");
    assert_eq!(described("Connection"), asked);
    let told = said(include_str!("../../docs/api.md"))
        .replace("see the connection by", "see it by")
        .replace("It is not shown", "Not shown");
    assert_eq!(told, asked);
}

#[test]
fn every_reference_in_the_documents_leads_somewhere() {
    for (document, name, _) in DOCUMENTS {
        let document: Value = serde_json::from_str(document).expect("JSON");
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

/// The schemas that a request holds.
fn requested(document: &Value) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut left: Vec<&Value> = operations(document)
        .map(|operation| &operation["requestBody"])
        .collect();
    while let Some(value) = left.pop() {
        if let Some(name) = value["$ref"]
            .as_str()
            .and_then(|reference| reference.rsplit('/').next())
            && names.insert(name.to_owned())
        {
            left.push(&document["components"]["schemas"][name]);
        }
        match value {
            Value::Object(members) => left.extend(members.values()),
            Value::Array(entries) => left.extend(entries),
            _ => {}
        }
    }
    names
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    let paths = document["paths"].as_object().expect("paths").values();
    paths.flat_map(|path| path.as_object().expect("operations").values())
}

#[test]
fn requests_are_strict_and_responses_may_grow() {
    for (document, name, _) in DOCUMENTS {
        let document: Value = serde_json::from_str(document).expect("JSON");
        let requested = requested(&document);
        assert!(requested.contains("CreateSource"), "{requested:?}");
        let is_3_0 = document["openapi"] == "3.0.3";
        for (schema, described) in document["components"]["schemas"].as_object().expect("schemas") {
            let place = format!("{name}: {schema}");
            let additional = described.get("additionalProperties");
            if requested.contains(schema) {
                assert_eq!(additional, Some(&json!(false)), "{place}");
                continue;
            }
            assert_eq!(described.get("enum"), None, "{place}");
            if is_3_0 && described["type"] == "object" {
                assert_eq!(additional, Some(&json!(true)), "{place}");
            } else {
                assert_eq!(additional, None, "{place}");
            }
            let words = match described["anyOf"].as_array() {
                Some(union) if !is_3_0 => {
                    assert_eq!(union[1..], [json!({ "type": "string" })], "{place}");
                    &union[0]["enum"]
                }
                _ => &described["x-extensible-enum"],
            };
            let text = described["description"].as_str().expect(schema);
            for word in words.as_array().into_iter().flatten() {
                let start = format!("\n- `{}`: ", word.as_str().expect("a word"));
                let (_, sentence) = text.split_once(&start).expect(&place);
                assert!(
                    sentence.lines().next().is_some_and(|line| line.ends_with('.')),
                    "{place}: {word}"
                );
            }
            for (member, property) in described["properties"].as_object().into_iter().flatten() {
                assert_eq!(property.get("enum"), None, "{place}.{member}");
            }
        }
        for operation in operations(&document) {
            let others = json!({ "$ref": "#/components/responses/ProblemDefault" });
            assert_eq!(
                operation["responses"]["default"], others,
                "{}",
                operation["operationId"]
            );
        }
    }
}

#[test]
fn the_document_lists_every_problem_code_kind_of_event_and_state() {
    let document: Value = serde_json::from_str(OPENAPI_3_1).expect("JSON");
    let listed = |schema: &str| {
        let place = format!("/components/schemas/{schema}/anyOf/0/enum");
        document.pointer(&place).expect(schema).clone()
    };
    assert_eq!(
        listed("ProblemCode"),
        json!(Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>())
    );
    assert_eq!(listed("EventKind"), json!(EventKind::ALL));
    assert_eq!(listed("State"), json!(State::ALL));
    assert_eq!(listed("OperationKind"), json!(OperationKind::ALL));
}

/// The texts between these two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let parts = text.split(before).skip(1);
    parts.filter_map(|part| part.split(after).next()).collect()
}

#[tokio::test]
async fn the_pages_come_whole_from_this_service_and_show_its_document() {
    let app = App::start().await;
    let portal = app.portal();
    // The portal follows the redirect of `/docs`.
    for path in ["/docs", "/docs/"] {
        let (answer, page) = portal.text(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/html"));
        assert!(answer.header("x-request-id").is_some());
        assert!(
            !page.contains("<style") && !page.contains("//") && !page.contains(" on"),
            "{page}"
        );
        let mut named = between(&page, "src=\"", "\"");
        named.extend(between(&page, "href=\"", "\""));
        assert!(named.len() >= 5, "{page}");
        for name in named {
            let path = format!("/docs/{}", name.trim_start_matches("./"));
            let (answer, text) = portal.text(&path).await;
            assert_eq!((answer.status, text.is_empty()), (200, false), "{path}");
            let kind = match path.rsplit('.').next() {
                Some("js") => "text/javascript",
                Some("css") => "text/css",
                _ => "image/png",
            };
            assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        }
    }
    let (_, settings) = portal.text("/docs/swagger-initializer.js").await;
    assert!(settings.contains("\"url\": \"../openapi.json\""), "{settings}");
    assert!(
        settings.contains("\"validatorUrl\": \"none\"")
            && settings.contains("\"persistAuthorization\": false")
    );
    assert!(
        !settings.contains("http:") && !settings.contains("https:"),
        "{settings}"
    );
    app.finish().await;
}

#[tokio::test]
async fn both_documents_are_served_and_printed_as_they_are_committed() {
    let app = App::start().await;
    for (document, path, arguments) in DOCUMENTS {
        let (answer, text) = app.portal().text(path).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(text == document, "{path}");
        let printed = program().args(arguments).output().expect("the program runs");
        assert!(
            printed.status.success() && printed.stdout == document.as_bytes(),
            "{path}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn the_pages_may_load_nothing_else_and_be_kept_but_not_framed() {
    let app = App::start().await;
    let portal = app.portal();
    for path in ["/docs/", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"] {
        let (answer, _) = portal.text(path).await;
        let policy = answer.header("content-security-policy").expect("a policy");
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|given| given == rule), "{policy}");
        }
        assert!(
            !policy.contains("http") && !policy.contains("unsafe-eval"),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("public, no-cache"));
        let tag = answer.header("etag").expect("an entity tag");
        let call = portal.call(Method::GET, path).header("if-none-match", tag);
        let again = portal.send(call).await;
        assert_eq!((again.status, again.header("content-type")), (304, None));
        assert_eq!(again.header("content-security-policy"), Some(policy));
        let head = portal.send(portal.call(Method::HEAD, path)).await;
        assert_eq!((head.status, head.header("etag")), (200, Some(tag)));
    }
    for path in ["/docs", "/docs/", "/docs/index.css"] {
        let answer = portal.send(portal.call(Method::POST, path)).await;
        answer.is_problem(405, "methodNotAllowed");
    }
    for path in [
        "/docs/nothing.js",
        "/docs/oauth2-redirect.html",
        "/docs/%2e%2e%2fopenapi.json",
        "/docs/a/b",
        "/docs/%ff",
    ] {
        let answer = portal.get(path).await;
        answer.is_problem(404, "notFound");
        assert!(
            answer
                .text("/detail")
                .starts_with("there is nothing at this path"),
            "{path}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn the_root_leads_to_the_docs_and_a_wrong_path_to_the_nearest_right_one() {
    let app = App::start().await;
    let portal = app.portal();
    let root = portal.get("/").await;
    let docs = portal.get("/docs/").await;
    assert_eq!((root.status, root.header("etag")), (200, docs.header("etag")));
    let operation = "/v1/operation/0192f0c1-6a2d-7c84-b1f0-9e3d5a7c1b20";
    for (wrong, told) in [
        (operation, "; the nearest one is /v1/operations/{id}"),
        ("/v1/connections/", "; the nearest one is /v1/connections"),
        ("/readyz/", "; the nearest one is /readyz"),
        ("/secret-7f1c", "; `/docs` lists those there are"),
    ] {
        let answer = portal.get(wrong).await;
        answer.is_problem(404, "notFound");
        assert_eq!(
            answer.text("/detail"),
            format!("there is nothing at this path{told}"),
            "{wrong}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn the_served_documents_name_the_path_under_which_a_proxy_has_put_the_service() {
    let app = App::with(|config| {
        config.server.public_url = "https://bridge.example.com/tenant-bridge/".parse().ok();
    })
    .await;
    for (document, path, _) in DOCUMENTS {
        let mut expected: Value = serde_json::from_str(document).expect("JSON");
        assert_eq!(expected["servers"], json!([{ "url": "/" }]));
        expected["servers"][0]["url"] = json!("/tenant-bridge");
        assert!(app.portal().get(path).await.body == expected, "{path}");
    }
    // All that leads from one page to the next is relative.
    let direct = app.portal().without_redirects();
    let answer = direct.get("/docs").await;
    assert_eq!((answer.status, answer.header("location")), (308, Some("docs/")));
    app.finish().await;
}
