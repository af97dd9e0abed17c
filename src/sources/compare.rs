//! The one comparison between what is recorded of a data connection and what ARM shows: settling decides by it, and so does every
//! write to something that exists. A false mismatch leaves a connection unsettled; a false match could delete someone else's.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::projection::{self, Kind, READ_ONLY, RETRIEVAL_START, Values};
use super::projection_of;
use crate::domain::{ComparisonWord, json_fields};

/// What is recorded of a data connection.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// The body of the request that made it.
    pub(crate) sent: Value,
    /// The resource as ARM showed it when it was last confirmed; none where it never was, or an older version confirmed it.
    pub(crate) snapshot: Option<Value>,
    /// The api-version of the two.
    pub(crate) api_version: String,
}

/// What is at ARM, compared with what is recorded. Differences are JSON pointers (RFC 6901) into the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// It is what is recorded.
    Same,
    /// The same source and consumer group, configured otherwise.
    Differs(Vec<String>),
    /// Another kind, source or consumer group: another data connection under the same name.
    Replaced(Vec<String>),
    /// Nothing is there.
    Absent,
    /// The answer does not show what is there.
    Unreadable,
}

impl Comparison {
    /// The word on the wire.
    #[must_use]
    pub(crate) const fn as_str(&self) -> &'static str {
        self.word().as_str()
    }

    /// The same as a word of responses.
    pub(crate) const fn word(&self) -> ComparisonWord {
        match self {
            Self::Same => ComparisonWord::Same,
            Self::Differs(_) => ComparisonWord::Differs,
            Self::Replaced(_) => ComparisonWord::Replaced,
            Self::Absent => ComparisonWord::Absent,
            Self::Unreadable => ComparisonWord::Unreadable,
        }
    }

    /// The pointers of what differs.
    #[must_use]
    pub(crate) fn differences(&self) -> &[String] {
        match self {
            Self::Differs(pointers) | Self::Replaced(pointers) => pointers,
            Self::Same | Self::Absent | Self::Unreadable => &[],
        }
    }
}

/// Compares what is recorded with a resource that ARM showed. Defaults count as filled in; `""`, `null`, `[]` and an absent member are the same; ids, consumer groups and closed words
/// have no case; the region and what only ARM writes don't count, nor do members that the recorded api-version doesn't know.
#[must_use]
pub(crate) fn compare(recorded: &Recorded, found: &Value) -> Comparison {
    let base = recorded.snapshot.as_ref().unwrap_or(&recorded.sent);
    let (Some(found_kind), Some(properties)) = (json_fields::text(found, "kind"), properties(found)) else {
        return Comparison::Unreadable;
    };
    let kind = json_fields::text(base, "kind").unwrap_or_default();
    let mut replaced = !kind.eq_ignore_ascii_case(found_kind);
    let mut differences = Vec::new();
    if replaced {
        differences.push("/kind".to_owned());
    }
    let table = projection_of(kind);
    for name in counted(recorded, base, properties, table) {
        let recorded_value = property(base, &name);
        let found_value = json_fields::member(properties, &name);
        let member = table.and_then(|table| table.member(&name));
        let (values, default) = member.map_or((Values::Exact, ""), |member| (member.values, member.default));
        if !projection::same(recorded_value, found_value, values, default) {
            let holds_id = recorded_value.or(found_value);
            replaced |= projection::is_identity(table, &name, holds_id);
            // RFC 6901, section 3.
            let escaped = name.replace('~', "~0").replace('/', "~1");
            differences.push(format!("/properties/{escaped}"));
        }
    }
    match (replaced, differences.is_empty()) {
        (true, _) => Comparison::Replaced(differences),
        (false, false) => Comparison::Differs(differences),
        (false, true) => Comparison::Same,
    }
}

/// The names of the properties that count: what is recorded, what the kind has in the recorded api-version, and of a kind without a
/// table whatever is there beside a snapshot.
fn counted(recorded: &Recorded, base: &Value, found: &Value, table: Option<&'static Kind>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    };
    let known = |kind: &'static Kind| kind.identity.iter().chain(kind.configuration);
    for member in table.into_iter().flat_map(known) {
        if member.since <= recorded.api_version.as_str() {
            add(member.name);
        }
    }
    keys(properties(base)).for_each(&mut add);
    if table.is_none() && recorded.snapshot.is_some() {
        keys(Some(found)).for_each(&mut add);
    }
    let was_sent = |name: &str| projection::filled_in(property(&recorded.sent, name)).is_some();
    names.retain(|name| {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        !READ_ONLY.into_iter().any(is) && (!is(RETRIEVAL_START) || was_sent(RETRIEVAL_START))
    });
    names
}

/// A hash of all that distinguishes one resource from another, its creation time included: what a caller accepted is exactly this. The same
/// for each read, as long as the resource is not changed.
#[must_use]
pub(crate) fn fingerprint(resource: &Value) -> String {
    let kind = json_fields::text(resource, "kind").map(str::to_ascii_lowercase);
    let table = kind.as_deref().and_then(projection_of);
    let properties = properties(resource);
    let names: BTreeSet<String> = keys(properties).map(str::to_ascii_lowercase).collect();
    let is_written = |name: &&String| !READ_ONLY.iter().any(|known| name.eq_ignore_ascii_case(known));
    let values: Vec<Value> = names
        .iter()
        .filter(is_written)
        .filter_map(|name| {
            let value = projection::filled_in(json_fields::member(properties?, name))?;
            let of_table = table.and_then(|table| table.member(name));
            let values = of_table.map_or(Values::Exact, |member| member.values);
            Some(json!([name, projection::canonical(value, values)]))
        })
        .collect();
    let system = json_fields::member(resource, "systemData");
    let created = system.and_then(|system| json_fields::text(system, "createdAt"));
    let created = created.and_then(json_fields::instant).map(|at| at.to_rfc3339());
    // A list, since the order of an object's members depends on how the JSON library was built.
    let whole = json!([kind, values, created]);
    let hash = Sha256::digest(whole.to_string().as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn properties(resource: &Value) -> Option<&Value> {
    json_fields::member(resource, "properties").filter(|properties| properties.is_object())
}

fn property<'a>(resource: &'a Value, name: &str) -> Option<&'a Value> {
    json_fields::member(properties(resource)?, name)
}

fn keys(object: Option<&Value>) -> impl Iterator<Item = &str> {
    let object = object.and_then(Value::as_object);
    object
        .into_iter()
        .flat_map(|object| object.keys().map(String::as_str))
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
