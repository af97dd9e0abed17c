//! `docs/endpoints.md`: what it says of each endpoint holds.

use std::collections::{BTreeMap, BTreeSet};

use azure_emulator::how_to;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, Portal, request};

const TABLE: &str = include_str!("../../docs/endpoints.md");

/// A line of the table.
struct Endpoint {
    method: Method,
    path: String,
    scope: String,
    is_of_a_connection: bool,
    has_key: bool,
    events: Vec<String>,
    codes: BTreeSet<String>,
}

/// The words in backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn table() -> Vec<Endpoint> {
    let lines = TABLE.lines().filter(|line| line.starts_with("| `"));
    let endpoints: Vec<Endpoint> = lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [endpoint, scope, who, key, events, codes] = cells[..] else {
                panic!("not six cells: {line}");
            };
            let endpoint = quoted(endpoint).concat();
            let (method, path) = endpoint.split_once(' ').expect("a method and a path");
            Endpoint {
                method: method.parse().expect("a method"),
                path: path.to_owned(),
                scope: quoted(scope).concat(),
                is_of_a_connection: who == "visible",
                has_key: key == "yes",
                events: quoted(events),
                codes: quoted(codes).into_iter().collect(),
            }
        })
        .collect();
    assert!(!endpoints.is_empty());
    endpoints
}

fn document() -> Value {
    serde_json::from_str(&tenant_bridge::http::document()).expect("JSON")
}

/// The operations of the document, by method and path.
fn operations(document: &Value) -> BTreeMap<(String, String), &Value> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("operations");
        item.iter()
            .map(move |(method, operation)| ((method.to_uppercase(), path.clone()), operation))
    });
    operations.collect()
}

/// The problem codes that the document names for an operation: each has its example.
fn codes(document: &Value, operation: &Value) -> BTreeSet<String> {
    let responses = operation["responses"].as_object().expect("responses");
    let named = responses.iter().filter(|(status, _)| *status != "default");
    let examples = named.filter_map(|(_, response)| {
        let response = match response["$ref"].as_str() {
            Some(reference) => document
                .pointer(reference.trim_start_matches('#'))
                .expect("there"),
            None => response,
        };
        response["content"]["application/problem+json"]["examples"].as_object()
    });
    examples.flat_map(|examples| examples.keys().cloned()).collect()
}

#[test]
fn the_table_has_every_endpoint_with_its_codes_and_whether_it_takes_a_key() {
    let document = document();
    let operations = operations(&document);
    let everywhere: BTreeSet<String> = {
        let line = TABLE
            .split("Every endpoint can answer")
            .nth(1)
            .expect("the common codes");
        quoted(line.split("\n\n").next().expect("a paragraph"))
            .into_iter()
            .collect()
    };
    let lines: BTreeMap<(String, String), Endpoint> = table()
        .into_iter()
        .map(|line| ((line.method.to_string(), line.path.clone()), line))
        .collect();
    assert!(lines.keys().eq(operations.keys()), "{:?}", lines.keys());
    for (name, operation) in operations {
        let line = &lines[&name];
        let codes: BTreeSet<String> = codes(&document, operation)
            .difference(&everywhere)
            .cloned()
            .collect();
        assert_eq!(line.codes, codes, "{name:?}");
        assert!(
            everywhere.is_subset(&self::codes(&document, operation)),
            "{name:?}"
        );
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let has_key = parameters
            .into_iter()
            .any(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(line.has_key, has_key, "{name:?}");
    }
}

#[test]
fn every_kind_of_event_is_recorded_because_of_some_endpoint() {
    let document = document();
    let kinds = document
        .pointer("/components/schemas/EventKind")
        .expect("the kinds")
        .to_string();
    let kinds: BTreeSet<String> = kinds
        .split('"')
        .filter(|word| {
            let is_word =
                |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic());
            word.split_once('.')
                .is_some_and(|(subject, verb)| is_word(subject) && is_word(verb))
        })
        .map(str::to_owned)
        .collect();
    assert!(kinds.len() > 20, "{kinds:?}");
    let patterns: BTreeSet<String> = table().into_iter().flat_map(|line| line.events).collect();
    for kind in &kinds {
        assert!(patterns.iter().any(|pattern| matches(pattern, kind)), "{kind}");
    }
    for pattern in &patterns {
        assert!(kinds.iter().any(|kind| matches(pattern, kind)), "{pattern}");
    }
}

fn matches(pattern: &str, kind: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(kind == pattern, |prefix| kind.starts_with(prefix))
}

/// The path with the ids of a connection and its operation.
fn filled(line: &Endpoint, connection: &Value) -> String {
    let id = if line.path.starts_with("/v1/operations/") {
        &connection["lastOperation"]["id"]
    } else {
        &connection["id"]
    };
    line.path.replace("{id}", id.as_str().expect("an id"))
}

/// Sends a request to an endpoint: with a body, which is of some use where one is read.
async fn sent(portal: &Portal, line: &Endpoint, connection: &Value) -> Answer {
    let call = portal.call(line.method.clone(), &filled(line, connection));
    let call = if line.method == Method::POST {
        call.json(&json!({}))
    } else {
        call
    };
    portal.send(call).await
}

#[tokio::test]
async fn each_endpoint_takes_the_scope_of_its_line_and_shows_a_connection_to_those_who_see_it() {
    let app = App::start().await;
    let created = app.how_to_portal().create(&request("telemetry")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let token = |user: &str, tenant: &str, scope: &str| {
        app.odd_token(user, tenant, |token| token.scopes = vec![scope.to_owned()])
    };
    for line in table() {
        let name = format!("{} {}", line.method, line.path);
        for scope in ["Connections.Read", "Connections.ReadWrite"] {
            let portal = app
                .portal()
                .with_token(&token("acc2@domain2.com", how_to::DOMAIN2, scope));
            let is_removal = line.method == Method::DELETE && scope == line.scope;
            if is_removal {
                continue;
            }
            let answer = sent(&portal, &line, &created.body).await;
            let is_enough = scope == line.scope || scope == "Connections.ReadWrite";
            let is_refused = answer.body["code"] == "insufficientScope";
            assert_eq!(is_refused, !is_enough, "{name} with {scope}: {}", answer.body);
        }
        // Of the target's tenant, and without any role there.
        let stranger = app.signed_in("acc4@domain1.com");
        let answer = sent(&stranger, &line, &created.body).await;
        assert_eq!(
            answer.status == 404,
            line.is_of_a_connection,
            "{name}: {}",
            answer.body
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn a_change_records_the_events_of_its_line_and_no_other() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let lines = table();
    let line = |method: Method, path: &str| {
        let mut lines = lines.iter();
        lines
            .find(|line| line.method == method && line.path == path)
            .unwrap_or_else(|| panic!("no {method} {path}"))
    };
    let created = portal.create(&request("telemetry")).await;
    let id = created.text("/id");
    let after_create = portal.event_kinds(id).await;
    let create = line(Method::POST, "/v1/connections");
    for kind in &after_create {
        assert!(
            create.events.iter().any(|pattern| matches(pattern, kind)),
            "{kind}"
        );
    }
    for reading in lines.iter().filter(|line| line.method == Method::GET) {
        sent(&portal, reading, &created.body).await;
        assert!(reading.events.is_empty(), "{}", reading.path);
    }
    assert_eq!(portal.event_kinds(id).await, after_create);
    portal.remove(id).await;
    let after_removal = portal.event_kinds(id).await;
    let removal = line(Method::DELETE, "/v1/connections/{id}");
    let added = after_removal.iter().filter(|kind| !after_create.contains(kind));
    let added: Vec<&String> = added.collect();
    assert!(!added.is_empty());
    for kind in added {
        assert!(
            removal.events.iter().any(|pattern| matches(pattern, kind)),
            "{kind}"
        );
    }
    app.finish().await;
}
