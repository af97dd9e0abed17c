//! Path and query parameters.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::json::describe;
use crate::broker::FieldError;
use crate::connection::Code;
use crate::http::problem::Problem;

/// The one parameter of a path. A path whose parameter doesn't parse names nothing that exists.
pub(in crate::http) struct Path<T>(pub(in crate::http) T);

/// What can stand in a path.
pub(in crate::http) trait InPath: Sized {
    /// What is said of a path with anything else in it.
    const NOTHING: &'static str;

    /// `None` for what it can't be.
    fn parse(text: String) -> Option<Self>;
}

impl InPath for Uuid {
    const NOTHING: &'static str = "there is nothing at this path: its id must be a UUID";

    /// In the form with hyphens alone (RFC 9562, section 4), so that a thing has one path but for case. The other forms that
    /// the parser knows are longer or shorter.
    fn parse(text: String) -> Option<Self> {
        if text.len() == uuid::fmt::Hyphenated::LENGTH {
            Self::try_parse(&text).ok()
        } else {
            None
        }
    }
}

impl InPath for String {
    const NOTHING: &'static str = "there is nothing at this path";

    fn parse(text: String) -> Option<Self> {
        Some(text)
    }
}

impl<S: Send + Sync, T: InPath> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    #[expect(
        clippy::disallowed_types,
        reason = "this is the extractor that the rule points to"
    )]
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .ok()
            .and_then(|path| T::parse(path.0))
            .map(Self)
            .ok_or_else(|| Problem::new(Code::NotFound, T::NOTHING))
    }
}

/// The parsed query parameters; unknown ones are refused.
pub(in crate::http) struct Query<T>(pub(in crate::http) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let reader = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(reader).map_err(|error| {
        // A path of nothing (".") is the query as a whole: a parameter that stands twice, say.
        let path = error.path().to_string();
        let pointer = if path == "." { "query".to_owned() } else { path };
        Problem::invalid(vec![FieldError {
            pointer,
            detail: describe(error.inner()),
        }])
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        limit: Option<u32>,
        page_token: Option<String>,
    }

    fn pointer_of(query: &str) -> String {
        let problem = parse::<Parameters>(query).expect_err("wrong");
        problem
            .errors
            .first()
            .map(|error| error.pointer.clone())
            .unwrap_or_default()
    }

    #[test]
    fn an_id_is_taken_with_hyphens_in_either_case_and_in_no_other_form() {
        let id = Uuid::from_u128(0x0192_f0c1_6a2d_7c84_b1f0_9e3d_5a7c_1b20);
        let parsed = |text: String| <Uuid as InPath>::parse(text);
        let hyphens = id.hyphenated().to_string();
        assert_eq!(parsed(hyphens.to_ascii_uppercase()), Some(id));
        assert_eq!(parsed(hyphens), Some(id));
        for other in [
            id.simple().to_string(),
            id.braced().to_string(),
            id.urn().to_string(),
        ] {
            assert_eq!(parsed(other.clone()), None, "{other}");
        }
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let right: Parameters = parse("limit=3&pageToken=a%20b").expect("right");
        assert_eq!((right.limit, right.page_token.as_deref()), (Some(3), Some("a b")));
        assert_eq!(pointer_of("limit=many"), "limit");
        assert_eq!(pointer_of("limit=-1"), "limit");
        assert_eq!(pointer_of("Limit=1"), "Limit");
        assert_eq!(pointer_of("limit=1&order=up"), "order");
        assert_eq!(pointer_of("limit=1&limit=2"), "query");
    }
}
