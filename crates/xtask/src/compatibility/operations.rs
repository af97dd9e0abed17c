//! Paths, operations, parameters, bodies and responses of two documents.

use serde_json::Value;

use super::schema::{self, Direction};
use super::{Comparison, is_annotation, members, under};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Compares all operations of the older document with those of the newer one.
pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for (path, item) in members(old.get("paths")) {
        let pointer = under("/paths", path);
        let counterpart = new.get("paths").and_then(|paths| paths.get(path));
        for (method, was) in members(Some(item)).filter(|(name, _)| METHODS.contains(&name.as_str())) {
            let pointer = under(&pointer, method);
            match counterpart.and_then(|item| item.get(method)) {
                Some(is) => operation(comparison, &pointer, was, is),
                None => comparison.report(&pointer, "this operation is gone"),
            }
        }
        if members(Some(item)).any(|(name, _)| name == "parameters") {
            comparison.report(
                &pointer,
                "parameters of a whole path are not compared; give them to each operation",
            );
        }
    }
    if security_schemes(old) != security_schemes(new) {
        comparison.report(
            "/components/securitySchemes",
            "how callers authenticate has changed",
        );
    }
    comparison.same("", "security", old, new);
}

fn security_schemes(document: &Value) -> Vec<(&String, Vec<(&String, &Value)>)> {
    members(document.pointer("/components/securitySchemes"))
        .map(|(name, scheme)| {
            let kept = members(Some(scheme)).filter(|(keyword, _)| !is_annotation(keyword));
            (name, kept.collect())
        })
        .collect()
}

fn operation(comparison: &mut Comparison<'_>, pointer: &str, old: &Value, new: &Value) {
    comparison.same(pointer, "operationId", old, new);
    comparison.same(pointer, "security", old, new);
    parameters(comparison, &under(pointer, "parameters"), old, new);
    request_body(
        comparison,
        &under(pointer, "requestBody"),
        old.get("requestBody"),
        new.get("requestBody"),
    );
    responses(comparison, &under(pointer, "responses"), old, new);
}

fn parameters(comparison: &mut Comparison<'_>, pointer: &str, old: &Value, new: &Value) {
    let key = |parameter: &Value| (parameter.get("in").cloned(), parameter.get("name").cloned());
    let list = |operation: &Value| operation.get("parameters").and_then(Value::as_array).cloned();
    let (was, is) = (list(old).unwrap_or_default(), list(new).unwrap_or_default());
    for (at, parameter) in was.iter().enumerate() {
        let pointer = under(pointer, &at.to_string());
        let Some(counterpart) = is.iter().find(|other| key(other) == key(parameter)) else {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            comparison.report(&pointer, format!("the parameter {name} is gone"));
            continue;
        };
        if !required(parameter) && required(counterpart) {
            comparison.report(&pointer, "this parameter is required now");
        }
        for keyword in ["style", "explode", "allowReserved", "allowEmptyValue", "content"] {
            comparison.same(&pointer, keyword, parameter, counterpart);
        }
        schema::compare_member(comparison, &pointer, parameter, counterpart, Direction::Request);
    }
    for added in is
        .iter()
        .filter(|other| !was.iter().any(|parameter| key(parameter) == key(other)))
    {
        if required(added) {
            let name = added.get("name").and_then(Value::as_str).unwrap_or_default();
            comparison.report(pointer, format!("the new parameter {name} is required"));
        }
    }
}

fn required(value: &Value) -> bool {
    value.get("required") == Some(&Value::Bool(true))
}

fn request_body(comparison: &mut Comparison<'_>, pointer: &str, old: Option<&Value>, new: Option<&Value>) {
    match (old, new) {
        (None, Some(body)) if required(body) => comparison.report(pointer, "a body is required now"),
        (None, _) => {}
        (Some(_), None) => comparison.report(pointer, "no body is read any more"),
        (Some(was), Some(is)) => {
            if !required(was) && required(is) {
                comparison.report(pointer, "the body is required now");
            }
            content(comparison, pointer, was, is, Direction::Request);
        }
    }
}

fn responses(comparison: &mut Comparison<'_>, pointer: &str, old: &Value, new: &Value) {
    let is = new.get("responses");
    for (status, response) in members(old.get("responses")) {
        let pointer = under(pointer, status);
        match is.and_then(|responses| responses.get(status)) {
            None => comparison.report(&pointer, "this status is gone"),
            Some(counterpart) => {
                headers(comparison, &under(&pointer, "headers"), response, counterpart);
                content(comparison, &pointer, response, counterpart, Direction::Answer);
            }
        }
    }
    // A client takes a status that it does not know as a problem, and can not do so with a success.
    for (status, _) in members(is).filter(|(status, _)| status.starts_with(['1', '2', '3'])) {
        if old
            .get("responses")
            .is_none_or(|responses| responses.get(status).is_none())
        {
            comparison.report(pointer, format!("the status {status} is new, and no problem"));
        }
    }
}

fn headers(comparison: &mut Comparison<'_>, pointer: &str, old: &Value, new: &Value) {
    for (name, header) in members(old.get("headers")) {
        let pointer = under(pointer, name);
        match new.get("headers").and_then(|headers| headers.get(name)) {
            None => comparison.report(&pointer, "this header is gone"),
            Some(counterpart) => {
                if required(header) && !required(counterpart) {
                    comparison.report(&pointer, "this header can be absent now");
                }
                schema::compare_member(comparison, &pointer, header, counterpart, Direction::Answer);
            }
        }
    }
}

fn content(comparison: &mut Comparison<'_>, pointer: &str, old: &Value, new: &Value, direction: Direction) {
    let pointer = under(pointer, "content");
    for (media_type, was) in members(old.get("content")) {
        let pointer = under(&pointer, media_type);
        match new.get("content").and_then(|content| content.get(media_type)) {
            None => comparison.report(&pointer, "this media type is gone"),
            Some(is) => schema::compare_member(comparison, &pointer, was, is, direction),
        }
    }
    if old.get("content").is_none() && new.get("content").is_some() {
        comparison.report(&pointer, "a body is new where there was none");
    }
}
