//! Headers that several endpoints take or send, described once.

use serde_json::{Value, json};
use utoipa::IntoParams;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, OpenApi, Ref, RefOr};

/// How long a change may keep its caller waiting.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header; its extractor is Prefer")]
pub(crate) struct PreferHeader {
    /// `wait=n` waits up to n seconds for Azure, a few seconds if not given; `respond-async` does not wait (RFC 7240).
    #[param(rename = "Prefer", nullable = false, example = "wait=10")]
    prefer: Option<String>,
}

/// How long a read may keep its caller waiting.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header; its extractor is Prefer")]
pub(crate) struct WaitHeader {
    /// `wait=n` waits up to n seconds for what is read to change; without it the response comes at once (RFC 7240).
    #[param(rename = "Prefer", nullable = false, example = "wait=10")]
    prefer: Option<String>,
}

/// What makes a change repeatable.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header; its extractor is Idempotency")]
pub(crate) struct IdempotencyKeyHeader {
    /// A key of your own for this request, new for each: 1 to 255 visible ASCII characters, such as a UUID, also as a quoted
    /// string. The same request with the same key, by the same user and app, does nothing anew and is answered from what the
    /// first one led to. Keys are forgotten after a week, if the operator set nothing else.
    #[param(
        rename = "Idempotency-Key",
        nullable = false,
        pattern = r#"^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$"#,
        example = "8e03978e-40d5-43e8-bc93-6894a57f9324"
    )]
    key: Option<String>,
}

/// The tokens of further accounts.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header; its extractor is Authenticated")]
pub(crate) struct AuxiliaryHeader {
    /// User tokens for this service of further accounts of the same person, one a tenant, each as `Bearer <token>`, parted by
    /// commas; at most three. One that the request does not need is refused. An empty header is as good as none.
    // No example: a token that is good for anything can't stand in a document.
    #[param(
        rename = "x-ms-authorization-auxiliary",
        nullable = false,
        pattern = r"^(Bearer [A-Za-z0-9_.-]+([,;] *Bearer [A-Za-z0-9_.-]+){0,2})?$"
    )]
    auxiliary: Option<String>,
}

/// What the caller already has.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header; its extractor is IfNoneMatch")]
pub(crate) struct IfNoneMatchHeader {
    /// The `ETag` of an earlier answer, or several parted by commas (RFC 9110, section 13.1.2). If one of them is the
    /// connection's, the answer is 304 without a body.
    #[param(rename = "If-None-Match", nullable = false, example = "\"1-5d3b2c1f\"")]
    if_none_match: Option<String>,
}

/// What a change is tied to.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header; its extractor is IfMatch")]
pub(crate) struct IfMatchHeader {
    /// The `ETag` of an earlier answer, or several parted by commas (RFC 9110, section 13.1.1). Unless the connection is still of
    /// the version that one of them begins with, the answer is 412 and nothing is done. Of the tag, the part before the hyphen counts.
    /// `*` is any version.
    #[param(
        rename = "If-Match",
        nullable = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$"#,
        example = "\"1-5d3b2c1f\""
    )]
    if_match: Option<String>,
}

/// The headers of answers, as components.
pub(super) fn shared(components: ComponentsBuilder) -> ComponentsBuilder {
    let mut components = components.build();
    for (name, header) in [
        (
            "x-request-id",
            text(
                "The request, as the service's log knows it; taken from the request if it has a plain one.",
                json!("0192f0c1-5e0a-7b3c-9f5e-6a1d2c3b4e5f"),
            ),
        ),
        (
            "x-ms-error-code",
            text("The problem's `code` once more.", json!("nameTaken")),
        ),
        (
            "WWW-Authenticate",
            text(
                "What the token lacks (RFC 6750, section 3). With the code `claimsChallenge`: `realm` is the tenant to sign in to, `authorization_uri` where, `claims` what to sign in with, in Base64. Only an app whose token declares the client capability `cp1` (`xms_cc`) is sent it; another one gets `accessMissing`.",
                json!("Bearer error=\"invalid_token\""),
            ),
        ),
        (
            "RateLimit-Policy",
            text(
                "The limit that the request is over (draft-ietf-httpapi-ratelimit-headers-11): `person`, requests of one person in a window of seconds (`w`) at one replica; `queue`, changes of one caller that wait for one cluster.",
                json!("\"person\";q=6000;w=60"),
            ),
        ),
        (
            "RateLimit",
            text(
                "What is left of the limit (`r`), for how many seconds (`t`).",
                json!("\"person\";r=0;t=1"),
            ),
        ),
        (
            "Retry-After",
            seconds("When to send the request again: seconds from now.", json!(2)),
        ),
    ] {
        components.headers.insert(name.to_owned(), RefOr::T(header));
    }
    components.into()
}

/// A header of the answer to a change.
pub(super) fn of_change(name: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let (schema, description) = match name {
        "ETag" => (text, "The tag of this representation, for `If-None-Match`"),
        "Location" => (text, "Where the connection is read"),
        "Operation-Location" => (text, "Where the change is followed: a path, or an absolute URL"),
        _ => (whole_seconds(), "When to read it again: seconds from now"),
    };
    HeaderBuilder::new()
        .schema(Some(schema.build()))
        .description(Some(description))
        .build()
}

/// Names the header that every answer has.
pub(super) fn on_every_answer(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    response
                        .headers
                        .insert("x-request-id".to_owned(), reference("x-request-id"));
                }
            }
        }
    }
}

/// A reference to one of the shared headers.
pub(super) fn reference(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

fn text(description: &str, example: Value) -> Header {
    header(
        ObjectBuilder::new().schema_type(Type::String),
        description,
        example,
    )
}

fn seconds(description: &str, example: Value) -> Header {
    header(whole_seconds(), description, example)
}

fn whole_seconds() -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::Int32);
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .format(Some(format))
        .minimum(Some(0))
}

fn header(schema: ObjectBuilder, description: &str, example: Value) -> Header {
    HeaderBuilder::new()
        .schema(Some(schema.build()))
        .description(Some(description))
        .example(Some(example))
        .build()
}
