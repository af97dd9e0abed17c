//! What of a data connection counts when it is compared, by kind: which members say which one it is, which are its configuration,
//! and when two spellings of a value are the same (the published API's versions; defaults from recorded ARM traffic).

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::domain::json_fields::instant;

/// How the values of a member are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// Exactly, except that resource ids have no case.
    Exact,
    /// Closed words and names without case: Microsoft's own pages write `MultiJSON` where ARM lists `MULTIJSON`.
    AnyCase,
    /// A list without an order.
    Set,
    /// A moment, written with any number of digits.
    Instant,
}

/// A member of `properties`.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    /// The first api-version that has it; empty for all.
    pub(super) since: &'static str,
    /// What ARM fills in where it is left out; empty if nothing.
    pub(super) default: &'static str,
    pub(super) values: Values,
}

/// A kind of data connection.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Says which data connection it is.
    pub(super) identity: &'static [Member],
    /// All else that a caller can set.
    pub(super) configuration: &'static [Member],
}

/// Members that only ARM writes.
pub(super) const READ_ONLY: [&str; 2] = ["provisioningState", "managedIdentityObjectId"];
/// Filled in by ARM with the time of the creation unless the creator chose another: compared only where it was sent.
pub(super) const RETRIEVAL_START: &str = "retrievalStartDate";
/// An identity of the cluster that reads the source: a setting, although it is a resource id.
pub(super) const MANAGED_IDENTITY: &str = "managedIdentityResourceId";
/// The reader of the source that a data connection takes: no other may share it.
pub(super) const CONSUMER_GROUP: &str = "consumerGroup";

/// A member, in the order of [`Member`]'s fields.
pub(super) const fn member(
    name: &'static str,
    since: &'static str,
    default: &'static str,
    values: Values,
) -> Member {
    Member {
        name,
        since,
        default,
        values,
    }
}

impl Kind {
    pub(super) fn member(&self, name: &str) -> Option<&'static Member> {
        let mut members = self.identity.iter().chain(self.configuration);
        members.find(|member| member.name.eq_ignore_ascii_case(name))
    }
}

/// Whether a property says which data connection it is. For a kind without a table: every resource id but that of a managed
/// identity, and the consumer group.
pub(super) fn is_identity(kind: Option<&Kind>, name: &str, value: Option<&Value>) -> bool {
    match kind {
        Some(kind) => kind
            .identity
            .iter()
            .any(|member| member.name.eq_ignore_ascii_case(name)),
        None => {
            let holds_id = value.and_then(Value::as_str).is_some_and(is_resource_id);
            name.eq_ignore_ascii_case(CONSUMER_GROUP)
                || (holds_id && !name.eq_ignore_ascii_case(MANAGED_IDENTITY))
        }
    }
}

/// Whether two values of a member are the same.
pub(super) fn same(one: Option<&Value>, other: Option<&Value>, values: Values, default: &str) -> bool {
    let canonical = |value: Option<&Value>| match filled_in(value) {
        Some(value) => canonical(value, values),
        None if default.is_empty() => Value::Null,
        None => canonical(&Value::from(default), values),
    };
    canonical(one) == canonical(other)
}

/// A value unless it is none: ARM turns what is left out into `""` on a create and into `null` on an update (recorded ARM traffic).
pub(super) fn filled_in(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    })
}

/// One spelling for all that are the same.
pub(super) fn canonical(value: &Value, values: Values) -> Value {
    match value {
        Value::String(text) if is_resource_id(text) => {
            Value::from(text.trim_end_matches('/').to_ascii_lowercase())
        }
        Value::String(text) if values == Values::AnyCase => Value::from(text.to_ascii_lowercase()),
        Value::String(text) if values == Values::Instant => {
            instant(text).map_or_else(|| value.clone(), |at: DateTime<Utc>| Value::from(at.to_rfc3339()))
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(|item| canonical(item, values)).collect();
            if values == Values::Set {
                list.sort_by_key(Value::to_string);
            }
            Value::Array(list)
        }
        Value::Object(object) => {
            let members = object.iter().filter_map(|(name, value)| {
                let value = filled_in(Some(value))?;
                Some((name.to_ascii_lowercase(), canonical(value, values)))
            });
            Value::Object(members.collect::<Map<String, Value>>())
        }
        other => other.clone(),
    }
}

fn is_resource_id(text: &str) -> bool {
    const START: &str = "/subscriptions/";
    text.get(..START.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(START))
}
