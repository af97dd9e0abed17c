//! How an answer's body is written.

use axum::response::{IntoResponse, Response};
use http::header;
use serde::Serialize;

use super::problem::Problem;
use crate::connection::Code;

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
