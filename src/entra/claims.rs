//! The claims of a JWT: read strictly, so that no two readers can take the same token for two different ones.

use std::collections::HashSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use uuid::Uuid;

/// A JSON object in which no two names are equal, not even apart from case: a reader that ignores case and one that doesn't
/// would see two different tenants in `{"tid": …, "TID": …}`.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// Reads one part of a JWT (base64url without padding, RFC 7515 section 2). `None` if it is anything but such an object.
    pub(super) fn decode(part: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Whether the claim is there at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a GUID in its hyphenated form, the only one Entra writes.
    pub(super) fn guid(&self, name: &str) -> Option<Uuid> {
        let text = self.text(name)?;
        (text.len() == 36).then(|| Uuid::try_parse(text).ok())?
    }

    /// A claim that is a `NumericDate` (RFC 7519, section 2): seconds since 1970, maybe with a fraction, which is cut off.
    pub(super) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        let number = self.0.get(name)?.as_number()?;
        let seconds = number.as_i64().or_else(|| whole_seconds(number.as_f64()?))?;
        DateTime::from_timestamp(seconds, 0)
    }

    /// A claim that is a list of texts, or one text (`xms_cc` has been seen as both).
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The whole part of a finite number that is near enough to be a date.
fn whole_seconds(number: f64) -> Option<i64> {
    // Beyond 2^53 a float does not distinguish seconds; no date is there anyway.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.abs() < EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the range was checked; the fraction is meant to go"
        )]
        let seconds = number.trunc() as i64;
        return Some(seconds);
    }
    None
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Claims;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut claims = Map::new();
        let mut seen = HashSet::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if !seen.insert(name.to_lowercase()) {
                return Err(A::Error::custom("a name stands twice in one object"));
            }
            claims.insert(name, value);
        }
        Ok(Claims(claims))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> Option<Claims> {
        Claims::decode(&URL_SAFE_NO_PAD.encode(json))
    }

    #[test]
    fn a_claim_that_stands_twice_in_whatever_case_makes_the_whole_unreadable() {
        assert!(claims(r#"{"tid":"a","oid":"b"}"#).is_some());
        assert!(claims(r#"{"tid":"a","tid":"a"}"#).is_none());
        assert!(claims(r#"{"tid":"a","TID":"b"}"#).is_none());
        assert!(claims(r#"["tid"]"#).is_none());
    }

    #[test]
    fn dates_are_read_as_whole_seconds_and_impossible_ones_are_none() {
        let read = |json: &str| {
            claims(json)
                .expect("an object")
                .time("exp")
                .map(|at| at.timestamp())
        };
        assert_eq!(read(r#"{"exp":1800000000}"#), Some(1_800_000_000));
        assert_eq!(read(r#"{"exp":1800000000.9}"#), Some(1_800_000_000));
        for json in [
            r#"{"exp":"1800000000"}"#,
            r#"{"exp":1e300}"#,
            r#"{"exp":18446744073709551615}"#,
            r"{}",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn only_the_hyphenated_form_is_a_guid() {
        let object =
            claims(r#"{"a":"11111111-0000-4000-8000-000000000001","b":"11111111000040008000000000000001"}"#)
                .expect("an object");
        assert!(object.guid("a").is_some());
        assert!(object.guid("b").is_none());
    }
}
