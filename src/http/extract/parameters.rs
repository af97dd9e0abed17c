//! Path and query parameters.

use axum::extract::{FromRequestParts, rejection::PathRejection, rejection::QueryRejection};
use http::request::Parts;
use serde::de::DeserializeOwned;

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

    #[expect(
        clippy::disallowed_types,
        reason = "this is the extractor that the rule points to"
    )]
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|query| Self(query.0))
            .map_err(|rejection: QueryRejection| {
                let detail = rejection.body_text();
                Problem::invalid(vec![FieldError {
                    pointer: "query".to_owned(),
                    detail,
                }])
            })
    }
}
