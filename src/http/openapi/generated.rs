//! The document as the routes make it: `cargo xtask openapi` writes it to `openapi/`. Needs no database and is the same bytes
//! each time.

use std::collections::BTreeMap;

use utoipa::ToSchema as _;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Contact, Info, License, OpenApi, OpenApiBuilder, RefOr, Required, SecurityRequirement,
    Server, Tag,
};

use super::{headers, responses};
use crate::http;
use crate::http::problem::Problem;
use crate::ledger::details;

/// The operations that take a body and can do without.
const WITHOUT_BODY: [&str; 1] = ["continueOperation"];

/// The document's head: everything that no endpoint describes.
fn head() -> OpenApi {
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
    parts.extend(details::schemas());
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

fn tags() -> [Tag; 3] {
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
        tag("events", "What happened, in one order."),
    ]
}

/// The document of the routes (OpenAPI 3.1) as JSON, with a newline at its end.
#[must_use]
pub fn document() -> String {
    let (_, mut document) = http::api(head(), |methods| methods).split_for_parts();
    headers::on_every_answer(&mut document);
    may_have_no_body(&mut document);
    close_parameters(&mut document);
    // Whatever host the document was fetched from.
    document.servers = Some(vec![Server::new("/")]);
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

/// Closes the enumerations of parameters: responses may gain words, but a request with an unknown one is rejected.
fn close_parameters(document: &mut OpenApi) {
    let Some(components) = &document.components else {
        return;
    };
    let closed: BTreeMap<String, Schema> = components
        .schemas
        .iter()
        .filter_map(|(name, schema)| Some((format!("#/components/schemas/{name}"), known_words(schema)?)))
        .collect();
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        let parameters = operations
            .into_iter()
            .flatten()
            .filter_map(|operation| operation.parameters.as_mut());
        for parameter in parameters.flatten() {
            if let RefOr::T(parameter) = parameter
                && let Some(RefOr::Ref(reference)) = &parameter.schema
                && let Some(words) = closed.get(&reference.ref_location)
            {
                parameter.schema = Some(RefOr::T(words.clone()));
            }
        }
    }
}

/// The words of an open enumeration, as a closed one.
fn known_words(schema: &RefOr<Schema>) -> Option<Schema> {
    match schema {
        RefOr::T(Schema::AnyOf(union)) => match union.items.first() {
            Some(RefOr::T(words)) => Some(words.clone()),
            _ => None,
        },
        _ => None,
    }
}
