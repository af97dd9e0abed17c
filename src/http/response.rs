//! How an answer's body is written.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{StatusCode, header};
use serde::Serialize;

use crate::domain::Code;
use crate::http::problem::Problem;

/// A JSON body.
pub(super) fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "an answer can't be written");
            Problem::new(Code::Internal, "an error that is this service's own").into_response()
        }
    }
}

/// That the caller has it already: no body, and no length of one either. axum gives every answer the length of its body, and
/// zero would be wrong here (RFC 9110, section 8.6), so the body is one whose length is not known beforehand.
pub(super) fn not_modified() -> Response {
    let nothing = stream::empty::<Result<Bytes, Infallible>>();
    (StatusCode::NOT_MODIFIED, Body::from_stream(nothing)).into_response()
}
