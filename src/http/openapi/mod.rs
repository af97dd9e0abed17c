//! The OpenAPI documents: those that the service embeds and serves, and what the routes' descriptions share (problems, headers,
//! examples). What is special to an endpoint stands beside its handler; `generated` makes the document of all routes.

mod answers;
mod event_details;
pub(super) mod examples;
mod generated;
mod headers;
mod responses;

use axum::body::Bytes;
use axum::routing::{MethodRouter, get};
use http::header;
use serde_json::{Map, Value, json};
use url::Url;

pub(super) use answers::{Answer, Answers, ChangeResponses};
pub(super) use event_details::event_details;
pub use generated::document;
pub(super) use headers::{
    AuxiliaryHeader, IdempotencyKeyHeader, IfMatchHeader, IfNoneMatchHeader, PreferHeader, WaitHeader,
};
pub(super) use responses::{ErrorCodes, ErrorResponses};

use super::AppState;

/// The committed document: the one of the routes, which a test of `crates/xtask` holds.
pub const OPENAPI_3_1: &str = include_str!("../../../openapi/openapi.json");
/// The same document for tools that read nothing newer than OpenAPI 3.0.3.
pub const OPENAPI_3_0: &str = include_str!("../../../openapi/openapi-3.0.json");

/// The document's address as the pages at `/docs/` name it: relative, so that it is right behind a proxy that adds a path.
pub(super) const FROM_DOCS: &str = "../openapi.json";

/// Serves a document. A proxy may serve the service under a path of `public_url`, which requests that are made from the
/// document need too.
pub(super) fn serving(document: &'static str, public_url: Option<&Url>) -> MethodRouter<AppState> {
    let path = public_url.map_or("", |url| url.path().trim_end_matches('/'));
    let document = at(document, path);
    get(async move || ([(header::CONTENT_TYPE, "application/json")], document))
}

/// The document of a service whose routes begin at this path of its host. The committed ones are for no path.
fn at(document: &'static str, path: &str) -> Bytes {
    if path.is_empty() {
        return Bytes::from_static(document.as_bytes());
    }
    let mut members: Map<String, Value> = serde_json::from_str(document).unwrap_or_default();
    members.insert("servers".to_owned(), json!([{ "url": path }]));
    Bytes::from(format!("{:#}\n", Value::Object(members)))
}
