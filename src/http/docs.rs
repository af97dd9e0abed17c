//! `/docs`: the document as pages to read and try, outside authentication. Swagger UI as it comes in the binary: the browser
//! calls only this service, and a token that is pasted there is gone with the page.

use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use utoipa_swagger_ui::Config;

use super::entity_tag::{EntityTag, IfNoneMatch};
use super::extract::Path;
use super::problem::Problem;
use crate::domain::Code;
use crate::http::{openapi, response};

/// The page itself.
const PAGE: &str = "index.html";
/// The page and what it names. What else the bundle has (other builds, a redirect for sign-in) is not served.
const FILES: [&str; 8] = [
    PAGE,
    "index.css",
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
    "favicon-16x16.png",
    "favicon-32x32.png",
];
/// Only what comes from here, in no frame. Swagger UI writes styles into its elements and has its icons as `data:` URLs; its
/// scripts are files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of Swagger UI.
struct File {
    name: &'static str,
    kind: String,
    content: Bytes,
    tag: EntityTag,
}

/// `GET /docs`: leads to the page, whose files are named relative to it. The location is relative too, so that it is right
/// behind a proxy that adds a path.
pub(super) async fn to_page() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "docs/")]).into_response()
}

/// `GET /docs/`
pub(super) async fn page(known: IfNoneMatch) -> Result<Response, Problem> {
    serve(PAGE, &known)
}

/// `GET /docs/{file}`
pub(super) async fn file(Path(name): Path<String>, known: IfNoneMatch) -> Result<Response, Problem> {
    serve(&name, &known)
}

fn serve(name: &str, known: &IfNoneMatch) -> Result<Response, Problem> {
    let Some(file) = files().iter().find(|file| file.name == name) else {
        return Err(Problem::new(Code::NotFound, "there is nothing at this path"));
    };
    let headers = [
        // May be cached, and is revalidated each time: the names don't change with the content.
        (header::CACHE_CONTROL, "public, no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let tag = file.tag.clone();
    Ok(if known.has(&tag) {
        (headers, tag, response::not_modified()).into_response()
    } else {
        let kind = [(header::CONTENT_TYPE, file.kind.clone())];
        (headers, tag, kind, file.content.clone()).into_response()
    })
}

/// The files, made at the first request.
fn files() -> &'static [File] {
    static READ: OnceLock<Vec<File>> = OnceLock::new();
    READ.get_or_init(|| {
        let config = Arc::new(config());
        let read = |name: &'static str| {
            let found = utoipa_swagger_ui::serve(name, Arc::clone(&config)).ok()??;
            let content = Bytes::from(found.bytes.into_owned());
            Some(File {
                name,
                kind: found.content_type,
                tag: EntityTag::of_content(&content),
                content,
            })
        };
        FILES.into_iter().filter_map(read).collect()
    })
}

fn config() -> Config<'static> {
    Config::from(openapi::FROM_DOCS)
        // Without the bar that takes another document's address.
        .use_base_layout()
        .query_config_enabled(false)
        // Else the browser would send the document to a validator of Swagger's.
        .validator_url("none")
        // Tokens stay in the page's memory.
        .persist_authorization(false)
        .with_credentials(false)
        .display_request_duration(true)
        .deep_linking(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_in_the_binary() {
        let names: Vec<&str> = files().iter().map(|file| file.name).collect();
        assert_eq!(names, FILES);
    }
}
