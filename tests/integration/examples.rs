//! The examples of the document, all of them sent as they stand: anyone who copies one, or presses a button that does, is answered
//! with a success.

use http::{HeaderValue, Method};
use reqwest::RequestBuilder;
use serde_json::{Map, Value};

use crate::support::{Answer, App, Portal};

fn document() -> Value {
    serde_json::from_str(&tenant_bridge::http::document()).expect("JSON")
}

/// An operation of the document.
struct Operation {
    id: String,
    method: Method,
    path: String,
    description: Value,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, description) in item.as_object().expect("operations") {
            found.push(Operation {
                id: description["operationId"].as_str().expect("an id").to_owned(),
                method: method.to_ascii_uppercase().parse().expect("a method"),
                path: path.clone(),
                description: description.clone(),
            });
        }
    }
    found
}

/// The examples of one parameter, body or answer, wherever they may stand (OpenAPI 3.1, "Parameter Object", "Media Type Object").
fn examples(of: &Value) -> Vec<Value> {
    let named = |value: &Value| {
        let items = value.as_object().into_iter().flatten();
        items.map(|(_, item)| item["value"].clone()).collect::<Vec<_>>()
    };
    let listed = of["schema"]["examples"].as_array().cloned().unwrap_or_default();
    let single = [&of["example"], &of["schema"]["example"]];
    let single = single.into_iter().filter(|value| !value.is_null()).cloned();
    single.chain(listed).chain(named(&of["examples"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Operation {
    /// Where the example of each parameter that has one goes: its place, its name, and the example.
    fn parameters(&self) -> Vec<(String, String, Value)> {
        let parameters = self.description["parameters"].as_array().into_iter().flatten();
        let of = |parameter: &Value| {
            let member = |name: &str| parameter[name].as_str().expect(name).to_owned();
            let examples = examples(parameter).into_iter();
            examples
                .map(|example| (member("in"), member("name"), example))
                .collect::<Vec<_>>()
        };
        parameters.flat_map(of).collect()
    }

    fn bodies(&self) -> Vec<Value> {
        let contents = self.description["requestBody"]["content"].as_object();
        contents
            .into_iter()
            .flatten()
            .flat_map(|(_, content)| examples(content))
            .collect()
    }

    fn call(&self, portal: &Portal, id: &str, body: Option<&Value>) -> RequestBuilder {
        let call = portal.call(self.method.clone(), &self.path.replace("{id}", id));
        match body {
            Some(body) => call.json(body),
            None => call,
        }
    }
}

fn with(call: RequestBuilder, (place, name, example): &(String, String, Value)) -> RequestBuilder {
    let example = text(example);
    match place.as_str() {
        "query" => call.query(&[(name.as_str(), example.as_str())]),
        "header" => {
            let value = HeaderValue::from_str(&example).expect("what can stand in a header");
            assert!(value.to_str().is_ok(), "{name}: {example}");
            call.header(name.as_str(), value)
        }
        other => panic!("an example in {other}"),
    }
}

#[track_caller]
fn succeeded(what: &str, answer: &Answer) {
    assert!((200..300).contains(&answer.status), "{what}: {}", answer.body);
}

/// Sends every example of an operation: all of its parameters together, each of them alone, and each body with and without them.
async fn send_all(portal: &Portal, operation: &Operation, id: &str) -> Vec<Answer> {
    let mut bodies: Vec<Option<Value>> = operation.bodies().into_iter().map(Some).collect();
    if bodies.is_empty() {
        bodies.push(None);
    }
    let parameters = operation.parameters();
    let mut answers = Vec::new();
    for body in &bodies {
        let together = parameters
            .iter()
            .fold(operation.call(portal, id, body.as_ref()), with);
        let mut calls = vec![together];
        let alone = |parameter| with(operation.call(portal, id, body.as_ref()), parameter);
        // The key stands for the request that it was sent with, conditions and all.
        let others = parameters.iter().filter(|(_, name, _)| name != "Idempotency-Key");
        calls.extend(others.map(alone));
        for call in calls {
            let answer = portal.send(call).await;
            succeeded(&operation.id, &answer);
            answers.push(answer);
        }
    }
    answers
}

/// A body made of the examples of its members.
fn of_members(document: &Value, schema: &Value) -> Value {
    let schema = match schema["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'))
    {
        Some(pointer) => document.pointer(pointer).expect("a schema"),
        None => schema,
    };
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    let properties = schema["properties"].as_object().into_iter().flatten();
    let members: Map<String, Value> = properties
        .map(|(name, member)| (name.clone(), of_members(document, member)))
        .filter(|(_, value)| !value.is_null())
        .collect();
    match members.is_empty() {
        true => Value::Null,
        false => members.into(),
    }
}

#[tokio::test]
async fn every_example_of_the_document_is_sent_and_taken() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let document = document();
    let mut operations = operations(&document);
    // A connection is made, looked at, and removed.
    operations.sort_by_key(|operation| match operation.id.as_str() {
        "createConnection" => 0,
        "removeConnection" => 2,
        _ => 1,
    });
    let first = operations.remove(0);
    let created = send_all(&portal, &first, "").await.remove(0);
    assert_eq!(created.status, 201, "{}", created.body);
    let body = &first.description["requestBody"]["content"]["application/json"]["schema"];
    let again = portal.create(&of_members(&document, body)).await;
    assert_eq!((again.status, again.text("/id")), (200, created.text("/id")));
    let mut sent = 1;
    for operation in &operations {
        let id = match operation.path.starts_with("/v1/operations/") {
            true => created.text("/lastOperation/id"),
            false => created.text("/id"),
        };
        send_all(&portal, operation, id).await;
        sent += 1;
    }
    assert!(sent >= 7, "{sent}");
    assert_eq!(
        portal.connection(created.text("/id")).await.text("/state"),
        "removed"
    );
    app.finish().await;
}

#[tokio::test]
async fn every_link_in_an_example_of_an_answer_leads_to_something_that_can_be_asked() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let document = document();
    let mut followed = 0;
    for operation in operations(&document) {
        let responses = operation.description["responses"].as_object().expect("responses");
        for content in responses
            .values()
            .filter_map(|response| response["content"].as_object())
        {
            for example in content.values().flat_map(examples) {
                // A cursor of the feed is of one database.
                let is_anywhere = |link: &&str| !link.contains("after=");
                if let Some(link) = example["nextLink"].as_str().filter(is_anywhere) {
                    succeeded(link, &portal.get(link).await);
                    followed += 1;
                }
            }
        }
    }
    assert!(followed > 0, "no example has a link");
    app.finish().await;
}
