//! A JSON body: every member known, the place of a mistake named.

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::broker::FieldError;
use crate::connection::Code;
use crate::http::problem::Problem;

/// The largest body, in bytes.
pub(in crate::http) const LARGEST_BODY: usize = 64 * 1024;

/// The parsed body.
pub(in crate::http) struct Json<T>(pub(in crate::http) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "send the body as Content-Type: application/json",
            ));
        }
        let mut codings = request.headers().get_all(header::CONTENT_ENCODING).iter();
        if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "send the body as it is, without Content-Encoding: none is decoded here",
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(
                    Code::PayloadTooLarge,
                    format!("the body may have at most {LARGEST_BODY} bytes"),
                )
            } else {
                Problem::new(Code::InvalidRequest, "the body could not be read to its end")
            }
        })?;
        parse(&bytes).map(Self)
    }
}

/// The same, of a request that may have no body.
pub(in crate::http) struct JsonIfAny<T>(pub(in crate::http) Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonIfAny<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // A body of unknown length has something in it.
        if request.body().size_hint().exact() == Some(0) {
            return Ok(Self(None));
        }
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(Some(body)))
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let wrong = |pointer: String, detail: String| Problem::invalid(vec![FieldError { pointer, detail }]);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        wrong(pointer, describe(error.inner()))
    })?;
    reader
        .end()
        .map_err(|error| wrong(String::new(), describe(&error)))?;
    Ok(value)
}

/// A JSON pointer (RFC 6901); the empty one is the whole body.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                Some(format!("/{}", key.replace('~', "~0").replace('/', "~1")))
            }
            Segment::Unknown => None,
        })
        .collect()
}

/// The parser's own sentence: it speaks of names and types, and quotes at most the value that the caller sent.
pub(super) fn describe(error: &impl std::fmt::Display) -> String {
    error
        .to_string()
        .chars()
        .filter(|character| !character.is_control())
        .take(300)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its reading matters")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its reading matters")]
        number: u32,
    }

    fn pointer_of(body: &str) -> String {
        let problem = parse::<Outer>(body.as_bytes()).expect_err("wrong");
        problem
            .errors
            .first()
            .map(|error| error.pointer.clone())
            .unwrap_or_default()
    }

    #[test]
    fn a_wrong_member_is_named_by_its_pointer() {
        assert_eq!(pointer_of(r#"{"inner":{"number":"x"}}"#), "/inner/number");
        assert_eq!(pointer_of(r#"{"inner":{"number":1,"more":2}}"#), "/inner/more");
        assert_eq!(pointer_of(r#"{"inner":{}}"#), "/inner");
        assert_eq!(pointer_of(r#"{"inner":{"number":1}} x"#), "");
        assert_eq!(pointer_of(""), "");
    }
}
