//! Filters of event subscriptions: which events they let pass.

use serde_json::{Map, Value};

/// Event types of a subscription that names none. Renames are not among them (recorded ARM traffic).
pub(crate) const USUAL_TYPES: &[&str] = &["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"];

/// Which events a subscription delivers.
#[derive(Clone, Debug, PartialEq)]
pub struct EventFilter {
    /// Prefix of the subject; empty for any.
    pub subject_begins_with: String,
    /// Suffix of the subject; empty for any.
    pub subject_ends_with: String,
    /// Whether case counts in both.
    pub is_subject_case_sensitive: bool,
    /// Full names of event types.
    pub included_event_types: Vec<String>,
    /// `{"operatorType", "key", "values"}`; all must hold.
    pub advanced_filters: Vec<Map<String, Value>>,
}

impl Default for EventFilter {
    fn default() -> EventFilter {
        EventFilter {
            subject_begins_with: String::new(),
            subject_ends_with: String::new(),
            is_subject_case_sensitive: false,
            included_event_types: USUAL_TYPES.iter().map(|&word| word.to_owned()).collect(),
            advanced_filters: Vec::new(),
        }
    }
}

impl EventFilter {
    /// Whether an event passes. Operators of advanced filters that are not known here let everything pass.
    pub(crate) fn passes(&self, event: &Value) -> bool {
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        self.includes(text("eventType"))
            && self.subject_passes(text("subject"))
            && self.advanced_filters.iter().all(|filter| holds(filter, event))
    }

    /// Whether some blob of the account could pass: subjects of blobs begin with the words of containers.
    pub(crate) fn could_pass(&self, event_type: &str) -> bool {
        const CONTAINERS: &str = "/blobServices/default/containers/";
        let (prefix, containers) = (self.folded(&self.subject_begins_with), self.folded(CONTAINERS));
        let is_possible = prefix.starts_with(&containers) || containers.starts_with(&prefix);
        self.includes(event_type) && is_possible
    }

    fn includes(&self, event_type: &str) -> bool {
        let mut types = self.included_event_types.iter();
        types.any(|word| word.eq_ignore_ascii_case(event_type))
    }

    fn subject_passes(&self, subject: &str) -> bool {
        let subject = self.folded(subject);
        subject.starts_with(&self.folded(&self.subject_begins_with))
            && subject.ends_with(&self.folded(&self.subject_ends_with))
    }

    fn folded(&self, text: &str) -> String {
        if self.is_subject_case_sensitive {
            text.to_owned()
        } else {
            text.to_lowercase()
        }
    }
}

/// One advanced filter (Microsoft Learn: "Understand event filtering"): case is ignored, and of several values one is
/// enough, for the negations each must hold. Of the operators those on texts are here.
fn holds(filter: &Map<String, Value>, event: &Value) -> bool {
    let text = |name: &str| filter.get(name).and_then(Value::as_str).unwrap_or_default();
    let found = text("key")
        .split('.')
        .try_fold(event, |at, name| at.get(name))
        .and_then(Value::as_str)
        .map(str::to_lowercase);
    let operator = text("operatorType").to_ascii_lowercase();
    let (operator, is_negation) = match operator.strip_prefix("stringnot") {
        Some(rest) => (format!("string{rest}"), true),
        None => (operator, false),
    };
    let fits: fn(&str, &str) -> bool = match operator.as_str() {
        "stringin" => |found, value| found == value,
        "stringbeginswith" => |found, value| found.starts_with(value),
        "stringendswith" => |found, value| found.ends_with(value),
        "stringcontains" => |found, value| found.contains(value),
        _ => return true,
    };
    let values = filter
        .get("values")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut values = values.filter_map(Value::as_str).map(str::to_lowercase);
    let fitting = found.is_some_and(|found| values.any(|value| fits(&found, &value)));
    fitting != is_negation
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({ "eventType": "Microsoft.Storage.BlobCreated",
            "subject": "/blobServices/default/containers/raw/blobs/2026/a.CSV",
            "data": { "api": "PutBlob" } })
    }

    fn filter(change: impl Fn(&mut EventFilter)) -> EventFilter {
        let mut filter = EventFilter::default();
        change(&mut filter);
        filter
    }

    fn advanced(operator: &str, values: &[&str]) -> EventFilter {
        let value = json!({ "operatorType": operator, "key": "data.api", "values": values });
        filter(|f| f.advanced_filters = vec![value.as_object().unwrap().clone()])
    }

    #[test]
    fn subjects_types_and_advanced_filters_decide_together() {
        let begins = |text: &str| filter(|f| f.subject_begins_with = text.to_owned());
        let ends = |text: &str| filter(|f| f.subject_ends_with = text.to_owned());
        for (filter, passes) in [
            (EventFilter::default(), true),
            (begins("/blobservices/default/containers/RAW/"), true),
            (begins("/blobServices/default/containers/other/"), false),
            (ends(".csv"), true),
            (ends(".json"), false),
            (
                filter(|f| {
                    f.subject_ends_with = ".csv".to_owned();
                    f.is_subject_case_sensitive = true;
                }),
                false,
            ),
            (
                filter(|f| f.included_event_types = vec!["Microsoft.Storage.BlobRenamed".to_owned()]),
                false,
            ),
            (advanced("StringIn", &["putblob", "CopyBlob"]), true),
            (advanced("StringIn", &["CopyBlob"]), false),
            (advanced("StringNotIn", &["CreateFile"]), true),
            (advanced("StringNotIn", &["CreateFile", "PutBlob"]), false),
            (advanced("StringBeginsWith", &["Put"]), true),
            (advanced("StringNotContains", &["tBl"]), false),
            (advanced("NumberIn", &["1"]), true),
        ] {
            assert_eq!(filter.passes(&event()), passes, "{filter:?}");
        }
    }

    #[test]
    fn a_prefix_that_no_blob_has_is_known_beforehand() {
        const CREATED: &str = "Microsoft.Storage.BlobCreated";
        for (prefix, could) in [
            ("", true),
            ("/blobServices/", true),
            ("/BLOBSERVICES/default/containers/c/blobs/x", true),
            ("/blobServices/default/containers2/", false),
            ("raw/", false),
        ] {
            let filter = filter(|f| f.subject_begins_with = prefix.to_owned());
            assert_eq!(filter.could_pass(CREATED), could, "{prefix}");
        }
        assert!(!EventFilter::default().could_pass("Microsoft.Storage.BlobRenamed"));
    }
}
