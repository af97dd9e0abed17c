//! A data connection's body, and what Kusto refuses at once.

use chrono::DateTime;
use serde_json::{Map, Value};

use super::ArmError;
use crate::exchange::Call;
use crate::resources::{KINDS, Kind, Need, Shape, Wanted, is_format, same_location};

/// The newest api-version.
const NEWEST: &str = "2025-02-14";

/// What Kusto says of members that are missing, without saying which (Azure/azure-cli-extensions issue 2151).
const MISSING: &str = "One or more mandatory properties are missing.";

/// The call's body as a JSON object.
pub(super) fn object(call: &Call) -> Result<Map<String, Value>, ArmError> {
    match serde_json::from_slice(&call.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(invalid_content("a JSON object was expected")),
        Err(error) => Err(invalid_content(&error.to_string())),
    }
}

fn invalid_content(why: &str) -> ArmError {
    let message = format!("The request content was invalid and could not be deserialized: '{why}'.");
    ArmError::bad_request("InvalidRequestContent", message)
}

/// A text member; nothing when it is missing or null. A member of another type is refused: taken for missing, it would be
/// told as something else, or stand for what nobody asked for. How Kusto words that is a guess.
pub(super) fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, ArmError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(invalid_content(&format!(
            "the value {other} of '{name}' is no text"
        ))),
    }
}

/// Gives members of `properties` the case that Kusto writes them in: its JSON is read without regard to case.
pub(super) fn with_known_spelling(mut body: Map<String, Value>) -> Map<String, Value> {
    let known = |name: &str| {
        let mut members = KINDS.iter().flat_map(|kind| kind.members);
        members.find(|member| member.name.eq_ignore_ascii_case(name))
    };
    if let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut) {
        *properties = std::mem::take(properties)
            .into_iter()
            .map(|(name, value)| (known(&name).map_or(name, |m| m.name.to_owned()), value))
            .collect();
    }
    body
}

/// Reads and checks a data connection's members as the api-version has them. Members that it doesn't have are not
/// heard, like those that only Kusto writes. The codes of these refusals are guesses, the texts on `location` known.
pub(super) fn wanted(
    body: &Map<String, Value>,
    cluster_location: &str,
    api_version: &str,
    future_kinds: &[String],
) -> Result<Wanted, ArmError> {
    let location = text(body, "location")?.unwrap_or_default();
    check_location(location, cluster_location)?;
    let sent = match body.get("properties") {
        Some(Value::Object(sent)) => sent,
        None | Some(Value::Null) => return Err(refused(missing("properties"))),
        Some(other) => {
            let why = format!("the value {other} of 'properties' is no object");
            return Err(invalid_content(&why));
        }
    };
    if let Some(future) = future_kind(body, api_version, future_kinds)? {
        return Ok(Wanted {
            kind: future.to_owned(),
            location: location.to_owned(),
            properties: sent.clone(),
        });
    }
    let kind = kind(body, sent, api_version)?;
    let mut properties = Map::new();
    for member in kind.members_in(api_version) {
        let value = sent
            .get(member.name)
            .filter(|value| member.need != Need::ReadOnly && !value.is_null());
        let is_empty = value.is_none_or(|v| v.as_str().is_some_and(|text| text.trim().is_empty()));
        if is_empty && member.is_required_in(api_version) {
            return Err(ArmError::bad_request("BadRequest", MISSING));
        }
        match value {
            Some(value) if is_empty || fits(member.shape, value, api_version) => {
                properties.insert(member.name.to_owned(), value.clone());
            }
            Some(value) => {
                let message = format!(
                    "The value '{value}' for property 'properties.{}' is invalid.",
                    member.name
                );
                return Err(refused(message));
            }
            // It can't be null: answers to a PUT show it although it was not sent (recorded ARM traffic, 2022-12-29).
            None if member.shape == Shape::Flag => {
                properties.insert(member.name.to_owned(), Value::Bool(false));
            }
            None => {}
        }
    }
    Ok(Wanted {
        kind: kind.name.to_owned(),
        location: location.to_owned(),
        properties,
    })
}

fn fits(shape: Shape, value: &Value, api_version: &str) -> bool {
    let text = value.as_str();
    match shape {
        Shape::Text => text.is_some(),
        Shape::OneOf(words) => text.is_some_and(|t| words.iter().any(|word| word.eq_ignore_ascii_case(t))),
        Shape::Format => text.is_some_and(|t| is_format(t, api_version)),
        Shape::Flag => value.is_boolean(),
        Shape::Texts => value
            .as_array()
            .is_some_and(|all| all.iter().all(Value::is_string)),
        Shape::Instant => text.is_some_and(|t| DateTime::parse_from_rfc3339(t).is_ok()),
    }
}

fn refused(message: String) -> ArmError {
    ArmError::bad_request("InvalidRequestFormat", message)
}

fn missing(name: &str) -> String {
    format!("The value for property '{name}' in the input object cannot be empty.")
}

fn check_location(location: &str, cluster_location: &str) -> Result<(), ArmError> {
    if location.trim().is_empty() {
        return Err(ArmError::bad_request("InvalidRequestFormat", missing("location")));
    }
    if !location
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || " ()".contains(c))
    {
        let message = "The value for the provided property 'location' contains invalid characters. The property value \
                       can only contain spaces, letters, digits or any of the following characters '()'.";
        return Err(ArmError::bad_request("InvalidRequestFormat", message));
    }
    if !same_location(location, cluster_location) {
        let message = format!(
            "The provided location '{location}' is not the location of the cluster, '{cluster_location}'."
        );
        return Err(ArmError::bad_request("InvalidLocation", message));
    }
    Ok(())
}

/// A kind that nobody knows the members of, if the cloud was told that Kusto has it: in the newest version, which is where
/// a new kind would come. What is sent is stored as it is.
fn future_kind<'a>(
    body: &Map<String, Value>,
    api_version: &str,
    future_kinds: &'a [String],
) -> Result<Option<&'a str>, ArmError> {
    let Some(named) = text(body, "kind")?.filter(|_| api_version >= NEWEST) else {
        return Ok(None);
    };
    let found = future_kinds.iter().find(|kind| kind.eq_ignore_ascii_case(named));
    Ok(found.map(String::as_str))
}

/// The kind as named, or as the members tell: one of Microsoft's own clients leaves it out (azure-mgmt-kusto 4.0.0).
/// A kind that came later is as unknown to a version as one that never was.
fn kind(
    body: &Map<String, Value>,
    properties: &Map<String, Value>,
    api_version: &str,
) -> Result<&'static Kind, ArmError> {
    let found = match text(body, "kind")? {
        Some(named) => Kind::named(named),
        // Without any sign the most usual kind is meant, so that the refusal names its missing member.
        None => KINDS
            .iter()
            .find(|kind| properties.contains_key(kind.sign))
            .or_else(|| Kind::named("EventHub")),
    };
    found
        .filter(|kind| kind.since <= api_version)
        .ok_or_else(|| refused("The value for property 'kind' is unknown.".to_owned()))
}
