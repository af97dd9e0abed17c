//! Two schemas, by the direction that data flows: what a client sends may get wider, what it receives may get more members.

use serde_json::{Map, Value};

use super::{Comparison, is_annotation, members, names, shown, under};

/// The words of an open enumeration: more may come.
pub(super) const WORDS: &str = "x-extensible-enum";

/// Which way data of a schema flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From clients to the service.
    Request,
    /// From the service to clients.
    Answer,
}

/// Compares the member `schema` of two objects.
pub(super) fn compare_member(
    comparison: &mut Comparison<'_>,
    pointer: &str,
    old: &Value,
    new: &Value,
    direction: Direction,
) {
    match (old.get("schema"), new.get("schema")) {
        (Some(old), Some(new)) => compare(comparison, &under(pointer, "schema"), old, new, direction),
        (None, None) => {}
        (old, new) => comparison.report(
            pointer,
            format!("schema was {}, and is {}", shown(old), shown(new)),
        ),
    }
}

fn compare(comparison: &mut Comparison<'_>, pointer: &str, old: &Value, new: &Value, direction: Direction) {
    match (reference(old), reference(new)) {
        (Some(was), Some(is)) if was == is => named(comparison, was, direction),
        (None, None) => match (old, new) {
            (Value::Object(old), Value::Object(new)) => keywords(comparison, pointer, old, new, direction),
            _ if old == new => {}
            _ => comparison.report(pointer, format!("was {old}, and is {new}")),
        },
        // Generated clients name their types after the schemas.
        (was, is) => comparison.report(
            pointer,
            format!(
                "the schema was {}, and is {}",
                was.unwrap_or("unnamed"),
                is.unwrap_or("unnamed")
            ),
        ),
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

/// Compares a schema of the components with its namesake, once in each direction.
fn named(comparison: &mut Comparison<'_>, reference: &str, direction: Direction) {
    let pair = (reference.to_owned(), direction);
    if comparison.compared.contains(&pair) {
        return;
    }
    comparison.compared.push(pair);
    let pointer = reference.trim_start_matches('#');
    match (comparison.old.pointer(pointer), comparison.new.pointer(pointer)) {
        (Some(old), Some(new)) => compare(comparison, pointer, old, new, direction),
        _ => comparison.report(pointer, "a document has no such schema"),
    }
}

fn keywords(
    comparison: &mut Comparison<'_>,
    pointer: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    direction: Direction,
) {
    for keyword in names(old, new).filter(|keyword| !is_annotation(keyword)) {
        let (was, is) = (old.get(keyword), new.get(keyword));
        let place = under(pointer, keyword);
        match keyword.as_str() {
            "properties" => properties(comparison, &place, was, is, direction),
            "required" => required(comparison, &place, was, is, direction),
            "items" | "additionalProperties" | "not" => match (was, is) {
                (Some(was), Some(is)) => compare(comparison, &place, was, is, direction),
                _ => comparison.report(&place, format!("was {}, and is {}", shown(was), shown(is))),
            },
            "allOf" | "anyOf" | "oneOf" => parts(comparison, &place, was, is, direction),
            _ if was == is || harmless(keyword, was, is, direction) => {}
            _ => comparison.report(&place, format!("was {}, and is {}", shown(was), shown(is))),
        }
    }
}

fn properties(
    comparison: &mut Comparison<'_>,
    pointer: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    direction: Direction,
) {
    for (name, was) in members(old) {
        let place = under(pointer, name);
        match new.and_then(|properties| properties.get(name)) {
            Some(is) => compare(comparison, &place, was, is, direction),
            None => comparison.report(&place, "this member is gone"),
        }
    }
}

/// An answer may promise more members, a request may demand fewer.
fn required(
    comparison: &mut Comparison<'_>,
    pointer: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    direction: Direction,
) {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let (was, is) = (list(old), list(new));
    let (from, to, what) = match direction {
        Direction::Request => (&is, &was, "is required now"),
        Direction::Answer => (&was, &is, "can be absent now"),
    };
    for name in from.iter().filter(|name| !to.contains(name)) {
        comparison.report(pointer, format!("{name} {what}"));
    }
}

fn parts(
    comparison: &mut Comparison<'_>,
    pointer: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    direction: Direction,
) {
    let (Some(Value::Array(was)), Some(Value::Array(is))) = (old, new) else {
        return comparison.report(pointer, format!("was {}, and is {}", shown(old), shown(new)));
    };
    if was.len() != is.len() {
        return comparison.report(pointer, format!("had {} parts, and has {}", was.len(), is.len()));
    }
    for (at, (was, is)) in was.iter().zip(is).enumerate() {
        compare(comparison, &under(pointer, &at.to_string()), was, is, direction);
    }
}

/// Whether the change of a keyword lets a client send what it sent, and gives it nothing that it could not expect.
fn harmless(keyword: &str, was: Option<&Value>, is: Option<&Value>, direction: Direction) -> bool {
    let request = direction == Direction::Request;
    match keyword {
        WORDS => contains_all(is, was),
        "enum" => request && was.is_some() && (is.is_none() || contains_all(is, was)),
        "nullable" => (is == Some(&Value::Bool(true))) == request,
        "maxLength" | "maximum" | "maxItems" | "maxProperties" if request => allows(was, is, f64::ge),
        "minLength" | "minimum" | "minItems" | "minProperties" if request => allows(was, is, f64::le),
        "maxLength" | "maximum" | "maxItems" | "maxProperties" => allows(is, was, f64::ge),
        "minLength" | "minimum" | "minItems" | "minProperties" => allows(is, was, f64::le),
        "pattern" => request && is.is_none(),
        _ => false,
    }
}

/// Whether a second bound allows all that the first one allows; without a bound everything is allowed.
fn allows(first: Option<&Value>, second: Option<&Value>, beyond: fn(&f64, &f64) -> bool) -> bool {
    let Some(second) = second.and_then(Value::as_f64) else {
        return second.is_none();
    };
    first
        .and_then(Value::as_f64)
        .is_some_and(|first| beyond(&second, &first))
}

fn contains_all(whole: Option<&Value>, part: Option<&Value>) -> bool {
    match (whole.and_then(Value::as_array), part.and_then(Value::as_array)) {
        (Some(whole), Some(part)) => part.iter().all(|word| whole.contains(word)),
        _ => false,
    }
}
