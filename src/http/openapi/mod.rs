//! The OpenAPI document: made from the routes, printed without a database, the same bytes each time.
//! What every endpoint's description shares lives here: the head, problems, headers, examples, and the conversion to
//! OpenAPI 3.0. What is special to an endpoint stands beside its handler.

mod downgrade;
pub(super) mod examples;
mod headers;
mod responses;

use axum::body::Bytes;
use axum::routing::{MethodRouter, get};
use http::header;
use url::Url;
use utoipa::ToSchema as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Contact, Info, License, OpenApi, OpenApiBuilder, RefOr, Required, SecurityRequirement,
    Server, Tag,
};

pub use downgrade::ConvertError;
pub(super) use headers::{
    AuxiliaryHeader, IdempotencyKeyHeader, IfMatchHeader, IfNoneMatchHeader, PreferHeader,
};
pub(super) use responses::{ErrorCodes, ErrorResponses};

use super::AppState;
use super::problem::Problem;

/// The document's address as the pages at `/docs/` name it: relative, so that it is right behind a proxy that adds a path.
pub(super) const FROM_DOCS: &str = "../openapi.json";

/// The operations that take a body and can do without.
const WITHOUT_BODY: [&str; 1] = ["continueOperation"];

/// The document's head.
pub(super) fn info() -> OpenApi {
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    let mut contact = Contact::new();
    contact.name = Some("Tenant Bridge contributors".to_owned());
    let mut info = Info::new("Tenant Bridge", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Connects Azure Data Explorer databases to event hubs in another Microsoft Entra tenant, on behalf of the people who request it, and keeps a record of every connection.\n\nEvery rejection and failure is a problem (RFC 9457): rely on its `code`, which the header `x-ms-error-code` repeats. A change that takes longer than the caller waits is followed with `Operation-Location`. Lists come in pages: follow `nextLink` until it is absent.".to_owned(),
    );
    info.contact = Some(contact);
    info.license = Some(license);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "A Microsoft Entra access token of a user, for this service's API, with the scope `Connections.Read` or, to change anything, `Connections.ReadWrite`.",
        ))
        .build();
    // What a problem holds, which no handler names.
    let mut parts = Vec::new();
    Problem::schemas(&mut parts);
    let components = ComponentsBuilder::new()
        .security_scheme("userToken", SecurityScheme::Http(bearer))
        .schema_from::<Problem>()
        .schemas_from_iter(parts);
    let mut components = headers::shared(responses::shared(components)).build();
    components.examples = responses::examples();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .tags(Some(tags()))
        .security(Some([SecurityRequirement::new(
            "userToken",
            Vec::<String>::new(),
        )]))
        .build()
}

fn tags() -> [Tag; 2] {
    let tag = |name: &str, description: &str| {
        TagBuilder::new()
            .name(name)
            .description(Some(description))
            .build()
    };
    [
        tag(
            "connections",
            "Data connections between tenants, and their record.",
        ),
        tag("operations", "Long-running changes and their progress."),
    ]
}

/// The document (OpenAPI 3.1) as JSON, with a newline at its end.
#[must_use]
pub fn document() -> String {
    document_at("/")
}

/// The document of a service whose routes begin at this path of its host.
fn document_at(path: &str) -> String {
    let (_, mut document) = super::api(|methods| methods).split_for_parts();
    headers::on_every_answer(&mut document);
    may_have_no_body(&mut document);
    // Whatever host the document was fetched from.
    document.servers = Some(vec![Server::new(path)]);
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Says of the operations that can do without a body that they can: the macro of a route calls every body needed that is no
/// union with null, which no generator should meet.
fn may_have_no_body(document: &mut OpenApi) {
    let operations = document
        .paths
        .paths
        .values_mut()
        .filter_map(|item| item.post.as_mut());
    for operation in operations {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        if WITHOUT_BODY.contains(&id)
            && let Some(RefOr::T(body)) = operation.request_body.as_mut()
        {
            body.required = Some(Required::False);
        }
    }
}

/// The same document for tools that read OpenAPI 3.0.3.
///
/// # Errors
/// When it uses something that 3.0.3 can't say; a test sees to it that it doesn't.
pub fn document_3_0() -> Result<String, ConvertError> {
    let document = serde_json::from_str(&document()).unwrap_or_default();
    let converted = downgrade::to_3_0(&document)?;
    Ok(format!("{converted:#}\n"))
}

/// The document as a service serves it. A proxy may have put the service under a path of `public_url`, which the requests that
/// are made from the document have to take too.
pub(super) fn serving(public_url: Option<&Url>) -> MethodRouter<AppState> {
    let path = public_url.map_or("", |url| url.path().trim_end_matches('/'));
    let document = Bytes::from(document_at(if path.is_empty() { "/" } else { path }));
    get(async move || ([(header::CONTENT_TYPE, "application/json")], document))
}
