//! Query parameters: what a path does not know is refused, and nothing is done.

use http::Method;
use serde_json::Value;

use crate::support::{App, request};

/// Method, path and id of every operation in the document, with this id in the place of each parameter.
fn operations(id: &str) -> Vec<(Method, String, String)> {
    let document: Value = serde_json::from_str(&tenant_bridge::http::document()).expect("JSON");
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            found.push((
                method.to_ascii_uppercase().parse().expect("a method"),
                path.replace("{id}", id),
                operation["operationId"].as_str().expect("an id").to_owned(),
            ));
        }
    }
    found
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_on_every_operation_and_nothing_is_done() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let operations = operations(created.text("/id"));
    assert!(operations.len() >= 7, "{operations:?}");
    for (method, path, operation) in operations {
        for query in ["dryRun=true", "Limit=1", "%00", "x=1&x=2", "a[b]=c"] {
            let mut call = portal.call(method.clone(), &format!("{path}?{query}"));
            if operation == "createConnection" {
                call = call.json(&request("other"));
            }
            let answer = portal.send(call).await;
            answer.is_problem(400, "invalidRequest");
            assert_eq!(answer.text("/errors/0/pointer"), "query", "{operation}");
            let shown = answer.text("/detail").contains("dryRun");
            assert_eq!(shown, query.starts_with("dryRun"), "{}", answer.body);
        }
        // A question mark alone asks for nothing.
        if method == Method::GET {
            let answer = portal.get(&format!("{path}?")).await;
            assert!(matches!(answer.status, 200 | 404), "{operation}: {}", answer.body);
        }
    }
    assert_eq!(app.writes().len(), 1);
    assert_eq!(
        portal.connection(created.text("/id")).await.text("/state"),
        "active"
    );
    app.finish().await;
}

#[tokio::test]
async fn the_paths_outside_authentication_take_no_parameters_either() {
    let app = App::start().await;
    for path in [
        "/livez",
        "/readyz",
        "/openapi.json",
        "/openapi-3.0.json",
        "/docs",
        "/docs/",
        "/docs/index.css",
    ] {
        let answer = app.portal().get(&format!("{path}?x=y")).await;
        answer.is_problem(400, "invalidRequest");
        assert!(app.portal().get(path).await.status < 400, "{path}");
    }
    // Who is not known is told that first.
    let answer = app.portal().get("/v1/connections?x=y").await;
    answer.is_problem(401, "unauthenticated");
    app.finish().await;
}

#[tokio::test]
async fn every_word_that_the_document_has_for_a_parameter_is_taken() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let document: Value = serde_json::from_str(&tenant_bridge::http::document()).expect("JSON");
    let mut sent = 0;
    for path in ["/v1/connections", "/v1/events"] {
        let parameters = document["paths"][path]["get"]["parameters"]
            .as_array()
            .expect("parameters");
        for parameter in parameters {
            let mut schema = &parameter["schema"];
            if let Some(name) = schema["$ref"].as_str() {
                schema = document.pointer(name.trim_start_matches('#')).expect("a schema");
            }
            for word in schema["enum"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                let answer = portal
                    .get(&format!("{path}?{name}={}", word.as_str().expect("a word")))
                    .await;
                assert_eq!(answer.status, 200, "{name}={word}: {}", answer.body);
                sent += 1;
            }
        }
    }
    assert!(sent > 30, "{sent} words");
    app.finish().await;
}
