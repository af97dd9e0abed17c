//! `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header, section 2).

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use http::HeaderMap;
use http::request::Parts;
use uuid::Uuid;

use super::parameters::InPath;
use crate::domain::{Code, FieldError};
use crate::http::problem::{IDEMPOTENCY_KEY, Problem};
use crate::usecases::IdempotencyKey;

/// The key under which the caller may repeat the request, if they named one.
pub(in crate::http) struct Idempotency(pub(in crate::http) Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let route = route(parts, state).await?;
        key(&parts.headers, route).map(Self).map_err(|detail| {
            Problem::invalid(vec![FieldError {
                pointer: IDEMPOTENCY_KEY.to_owned(),
                detail,
            }])
        })
    }
}

/// The endpoint and what its path names, however that is written: percent-encoded, and ids in any case.
async fn route<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let pattern = MatchedPath::from_request_parts(parts, state).await;
    let pattern = pattern.map_err(|_| Problem::internal())?;
    let parameters = RawPathParams::from_request_parts(parts, state).await;
    let parameters = parameters.map_err(|_| Problem::new(Code::NotFound, Uuid::NOTHING))?;
    let mut path = pattern.as_str().to_owned();
    for (name, value) in &parameters {
        path = path.replace(&format!("{{{name}}}"), &value.to_ascii_lowercase());
    }
    Ok(format!("{} {path}", parts.method))
}

fn key(headers: &HeaderMap, route: String) -> Result<Option<IdempotencyKey>, String> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err("stands more than once; send one key".to_owned());
    }
    // Bytes outside ASCII are refused as what they are: no visible ASCII.
    let text = String::from_utf8_lossy(value.as_bytes());
    let key = match text.strip_prefix('"') {
        Some(quoted) => {
            unquoted(quoted).ok_or_else(|| "begins with a quote and is no quoted string".to_owned())?
        }
        None => text.into_owned(),
    };
    IdempotencyKey::new(&key, route)
        .map(Some)
        .map_err(|error| error.to_string())
}

/// What stands in a structured field's string, after its first quote: `\"` and `\\` are the only escapes (RFC 9651,
/// section 3.3.3). The draft wants this form, and the bare one is what most clients send: both are the same key.
fn unquoted(text: &str) -> Option<String> {
    let mut characters = text.strip_suffix('"')?.chars();
    let mut key = String::new();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => key.push(
                characters
                    .next()
                    .filter(|escaped| matches!(escaped, '"' | '\\'))?,
            ),
            other => key.push(other),
        }
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(lines: &[&[u8]]) -> Result<Option<IdempotencyKey>, String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(line).expect("a header"));
        }
        key(&headers, String::new())
    }

    fn one(line: &str) -> IdempotencyKey {
        read(&[line.as_bytes()]).expect("a key").expect("there")
    }

    #[test]
    fn the_quoted_and_the_bare_form_mean_the_same_key() {
        assert!(read(&[]).expect("fine").is_none());
        assert_eq!(one("abc-1"), one("\"abc-1\""));
        assert_eq!(one(r"a\b"), one(r#""a\\b""#));
        assert_eq!(one("a\"b"), one(r#""a\"b""#));
        assert_ne!(one("abc-1"), one("abc-2"));
        assert_ne!(one("abc"), one("ABC"));
        let longest = "k".repeat(255);
        assert_eq!(one(&longest), one(&format!("\"{longest}\"")));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "k".repeat(256);
        for line in [
            "",
            "\"\"",
            "\"",
            "a b",
            "\"a b\"",
            "a\tb",
            "\"abc",
            r#""a\""#,
            r#""a\b""#,
            r#""a"b""#,
            "\"abc\";p=1",
            &long,
            "ü",
        ] {
            assert!(read(&[line.as_bytes()]).is_err(), "{line}");
        }
        assert!(read(&[b"\xff"]).is_err());
        assert!(read(&[b"one", b"one"]).is_err());
    }
}
