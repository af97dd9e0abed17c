//! A JSON body: an object, every member known, the place of a mistake named.

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use http::{StatusCode, header};
use serde::de::DeserializeOwned;

use super::strict;
use crate::domain::Code;
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
        strict::body(&bytes).map(Self).map_err(Problem::invalid)
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
