//! Path and query parameters.

use axum::extract::{FromRequestParts, rejection::PathRejection};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::json::describe;
use crate::broker::FieldError;
use crate::connection::Code;
use crate::http::problem::Problem;

/// The parsed path parameters. A path whose parameters don't parse names nothing that exists.
pub(in crate::http) struct Path<T>(pub(in crate::http) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    #[expect(
        clippy::disallowed_types,
        reason = "this is the extractor that the rule points to"
    )]
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|_: PathRejection| {
                Problem::new(
                    Code::NotFound,
                    "there is nothing at this path: its id must be a UUID",
                )
            })
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
