//! The OpenAPI document: made from the routes, printed without a database, the same bytes each time.

use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use http::header;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Info, License, OpenApi, OpenApiBuilder, SecurityRequirement};

use super::problem::Problem;

/// The document's head.
pub(super) fn info() -> OpenApi {
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    let mut info = Info::new("Tenant Bridge", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Connects Azure Data Explorer databases to event hubs in another Microsoft Entra tenant, on behalf of the people who ask, and keeps a record of every connection.".to_owned(),
    );
    info.license = Some(license);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "A Microsoft Entra access token of a user, for this service's API.",
        ))
        .build();
    let components = utoipa::openapi::ComponentsBuilder::new()
        .security_scheme("userToken", SecurityScheme::Http(bearer))
        .schema_from::<Problem>()
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([SecurityRequirement::new(
            "userToken",
            Vec::<String>::new(),
        )]))
        .build()
}

/// The document as JSON, with a newline at its end.
///
#[must_use]
pub fn document() -> String {
    let (_, document) = super::api().split_for_parts();
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Serves the document.
pub(super) async fn serve_document() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(document).as_str();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
