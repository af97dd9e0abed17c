//! Members of ARM's JSON, found whatever their case: the same member was `Value` in one api-version and `value` in the
//! next (recorded ARM traffic, 2021-01-01 against 2021-08-27).

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

/// The member of this name; one of exactly this case comes first. `None` when it is absent, or the value is no object.
pub(crate) fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| {
        object
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

/// The text of this member. `None` when it is absent, empty or no text.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    member(value, name)?.as_str().filter(|text| !text.is_empty())
}

/// The texts of this member, where it is a list; anything else in it is left out.
pub(crate) fn texts(value: &Value, name: &str) -> Vec<String> {
    let items = member(value, name).and_then(Value::as_array);
    items.map_or_else(Vec::new, |items| {
        items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    })
}

/// `properties.provisioningState` of a resource or an operation: an open set, since the wire has states
/// that the published list lacks (`Accepted`).
pub(crate) fn provisioning_state(value: &Value) -> Option<&str> {
    text(member(value, "properties")?, "provisioningState")
}

/// Parses a time with any number of fractional digits (ARM writes seven); without an offset it is UTC.
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let offset = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    offset.ok().or_else(|| {
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
        Some(local.and_utc())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_is_found_in_any_case_and_the_exact_case_comes_first() {
        let value = json!({"STATUS": "wrong", "status": "right", "Value": ["a", 1, "b"], "empty": ""});
        assert_eq!(text(&value, "status"), Some("right"));
        assert_eq!(text(&json!({"StAtUs": "found"}), "status"), Some("found"));
        assert_eq!(texts(&value, "value"), ["a", "b"]);
        assert_eq!(text(&value, "empty"), None);
        assert_eq!(text(&json!(["status"]), "status"), None);
    }
}
