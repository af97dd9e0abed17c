//! What ARM says when it refuses, read from every shape that its front doors, providers and proxies answer with.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::arm::{challenge, headers};
use crate::domain::TenantId;
use crate::domain::json_fields;
use crate::upstream;

/// The longest message that is kept, in bytes.
const LONGEST_MESSAGE: usize = 1024;
/// The longest code that is kept, in bytes.
const LONGEST_CODE: usize = 128;

/// An answer that is no success, in ARM's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// ARM's code, such as `AuthorizationFailed`, where the answer has one.
    pub code: Option<String>,
    /// ARM's message, at most 1 KiB, without control characters and without anything that looks like a token.
    pub message: Option<String>,
    /// The claims that a new token must carry, as JSON: a claims challenge of continuous access evaluation.
    pub claims: Option<String>,
    /// The tenant whose token the claims are for, where the challenge names one.
    pub claims_tenant: Option<TenantId>,
    /// How long ARM asks to wait, at most an hour.
    pub retry_after: Option<Duration>,
    /// `x-ms-failure-cause`: `gateway` when ARM itself refused and not the resource provider.
    pub failure_cause: Option<String>,
}

impl Refusal {
    /// Reads an answer. Never fails: what is not there is `None`.
    pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Self {
        let (code, message) = code_and_message(body);
        let challenge = challenge::claims(&challenge::challenges(headers));
        let (claims, claims_tenant) = challenge.map_or((None, None), |challenge| {
            (Some(challenge.claims), challenge.tenant)
        });
        Self {
            status: status.as_u16(),
            code: code.or_else(|| headers::id(headers, "x-ms-error-code")),
            message,
            claims,
            claims_tenant,
            retry_after: upstream::retry_after(headers, now),
            failure_cause: headers::id(headers, "x-ms-failure-cause"),
        }
    }

    /// Whether ARM's code is this one, whatever its case.
    #[must_use]
    pub fn is_code(&self, code: &str) -> bool {
        self.code
            .as_deref()
            .is_some_and(|found| found.eq_ignore_ascii_case(code))
    }
}

/// The code and message of an error body: `{error:{…}}`, `{…}`, OData's, a list of them, a bare text or a page.
fn code_and_message(body: &[u8]) -> (Option<String>, Option<String>) {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    match serde_json::from_str::<Value>(text) {
        Ok(value) => of_value(&value),
        Err(_) if text.starts_with('<') => {
            (None, title(text).and_then(|title| clean(title, LONGEST_MESSAGE)))
        }
        Err(_) => (None, clean(text, LONGEST_MESSAGE)),
    }
}

/// The code and message of an error as JSON: also the `error` of a failed operation.
pub(super) fn of_value(value: &Value) -> (Option<String>, Option<String>) {
    let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
    if let Some(text) = value.as_str() {
        return (None, clean(text, LONGEST_MESSAGE));
    }
    let inner = ["error", "odata.error"]
        .into_iter()
        .find_map(|name| json_fields::member(value, name));
    match inner {
        // OAuth's shape (RFC 6749, section 5.2), which some proxies answer with.
        Some(Value::String(code)) => (
            clean(code, LONGEST_CODE),
            json_fields::text(value, "error_description").and_then(|message| clean(message, LONGEST_MESSAGE)),
        ),
        Some(inner @ Value::Object(_)) => plain(inner),
        _ => plain(value),
    }
}

/// `{code, message}`, where OData has the message as `{lang, value}` and some codes are numbers.
fn plain(error: &Value) -> (Option<String>, Option<String>) {
    let code = match json_fields::member(error, "code") {
        Some(Value::String(code)) => clean(code, LONGEST_CODE),
        Some(Value::Number(code)) => Some(code.to_string()),
        _ => None,
    };
    let message = json_fields::member(error, "message")
        .and_then(|message| message.as_str().or_else(|| json_fields::text(message, "value")))
        .and_then(|message| clean(message, LONGEST_MESSAGE));
    (code, message)
}

/// The title of an HTML page; the rest of it is a proxy's decoration.
fn title(page: &str) -> Option<&str> {
    // Lower case in ASCII only, so that positions in both are the same.
    let lower = page.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower.get(open..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find('<')?;
    page.get(start..end)
}

/// A foreign text fit to be logged and shown: no control characters, no token, at most `longest` bytes.
/// `None` when nothing is left.
pub(super) fn clean(text: &str, longest: usize) -> Option<String> {
    let mut clean = String::new();
    for word in text.split(|character: char| character.is_control() || character.is_whitespace()) {
        if word.is_empty() {
            continue;
        }
        if !clean.is_empty() {
            clean.push(' ');
        }
        // A header echoed by a proxy must not carry a token into a log: every JWT's header starts with `{"`.
        match word.find("eyJ") {
            Some(at) if word.len() - at > 24 => {
                clean.push_str(word.get(..at).unwrap_or_default());
                clean.push_str("[token]");
            }
            _ => clean.push_str(word),
        }
        if clean.len() > longest {
            break;
        }
    }
    clean.truncate(clean.floor_char_boundary(longest));
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> (Option<String>, Option<String>) {
        code_and_message(body.as_bytes())
    }

    fn both(code: &str, message: &str) -> (Option<String>, Option<String>) {
        (Some(code.to_owned()), Some(message.to_owned()))
    }

    #[test]
    fn code_and_message_are_found_in_every_shape_of_an_error() {
        for body in [
            r#"{"error":{"code":"Gone","message":"It went.","details":[{"code":"Other","message":"no"}]}}"#,
            r#"{"Error":{"Code":"Gone","Message":"It went."}}"#,
            r#"{"code":"Gone","message":"It went."}"#,
            r#"{"odata.error":{"code":"Gone","message":{"lang":"en","value":"It went."}}}"#,
            r#"[{"error":{"code":"Gone","message":"It went."}}]"#,
            r#"[{"code":"Gone","message":"It went."}]"#,
            r#"{"error":"Gone","error_description":"It went."}"#,
            "\u{feff}{\"error\":{\"code\":\"Gone\",\"message\":\"It\\r\\n\\twent.\"}}",
        ] {
            assert_eq!(read(body), both("Gone", "It went."), "{body}");
        }
    }

    #[test]
    fn texts_pages_and_nothing_at_all_have_no_code() {
        let message = |text: &str| (None, Some(text.to_owned()));
        assert_eq!(read("upstream timed out"), message("upstream timed out"));
        assert_eq!(read("\"upstream timed out\""), message("upstream timed out"));
        assert_eq!(
            read("<!DOCTYPE html><html><head><TITLE lang=en>502\nBad Gateway</TITLE></head><body>x"),
            message("502 Bad Gateway")
        );
        for empty in [
            "",
            "  ",
            "<html>",
            "<title",
            "{}",
            "[]",
            "null",
            "7",
            r#"{"error":null}"#,
        ] {
            let (code, _) = read(empty);
            assert_eq!(code, None, "{empty}");
        }
    }

    #[test]
    fn a_message_is_capped_on_a_character_and_holds_no_control_character_and_no_token() {
        let long = clean(&"ä".repeat(2000), LONGEST_MESSAGE).expect("a text");
        assert_eq!(long.len(), LONGEST_MESSAGE);
        assert_eq!(clean("a\u{0}b\u{1b}[31m\r\nc", 64).as_deref(), Some("a b [31m c"));
        let echo = format!("Authorization: Bearer eyJ{} refused", "hbGciOi.".repeat(8));
        assert_eq!(
            clean(&echo, 1024).as_deref(),
            Some("Authorization: Bearer [token] refused")
        );
    }

    #[test]
    fn a_claims_challenge_its_tenant_the_wait_and_the_cause_are_read_from_the_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("5"));
        headers.insert("x-ms-failure-cause", HeaderValue::from_static("gateway"));
        headers.insert(
            "www-authenticate",
            HeaderValue::from_static(
                "Bearer authorization_uri=\"https://login.windows.net/11111111-0000-4000-8000-000000000001\", error=\"insufficient_claims\", claims=\"eyJhIjp7fX0\"",
            ),
        );
        let refusal = Refusal::read(StatusCode::UNAUTHORIZED, &headers, b"", DateTime::UNIX_EPOCH);
        assert_eq!(refusal.claims.as_deref(), Some(r#"{"a":{}}"#));
        assert!(refusal.claims_tenant.is_some());
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(5)));
        assert_eq!(refusal.failure_cause.as_deref(), Some("gateway"));
        assert_eq!((refusal.status, refusal.code), (401, None));
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_panic_and_what_it_gives_is_short(body in prop::collection::vec(any::<u8>(), 0..2500)) {
            let (code, message) = code_and_message(&body);
            let code_fits = code.is_none_or(|code| code.len() <= LONGEST_CODE);
            let message_fits = message
                .is_none_or(|message| message.len() <= LONGEST_MESSAGE && !message.contains(char::is_control));
            prop_assert!(code_fits && message_fits);
        }

        #[test]
        fn no_page_makes_the_reader_panic(body in "<[titleTITLE<>/ \\PC]{0,60}") {
            let _ = code_and_message(body.as_bytes());
        }
    }
}
