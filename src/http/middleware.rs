//! What lies around every route: request ids, limits, and the rendering of problems.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version, header};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::Instrument;

use crate::domain::Code;
use crate::http::AppState;
use crate::http::extract::{LARGEST_BODY, NoParameters, Query};
use crate::http::host::wrong_host;
use crate::http::links::OPERATION_LOCATION;
use crate::http::nearest_path::Paths;
use crate::http::problem::{MEDIA_TYPE, Problem};
use crate::telemetry::{self, metrics};
use crate::upstream::deadline;

/// The largest headers, in bytes as HTTP/1.1 writes them: four tokens of up to 16 KiB.
pub(super) const LARGEST_HEADERS: usize = 96 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the caller's, if it is a plain one, else a new one.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// Applies the middleware to the routes, which have these paths; a request that takes longer than `longest` is ended.
pub(super) fn apply_middleware(
    routes: Router<AppState>,
    paths: Paths,
    longest: Duration,
) -> Router<AppState> {
    routes
        .fallback(async move |uri: Uri| paths.not_found(uri.path()))
        .method_not_allowed_fallback(async || {
            Problem::new(
                Code::MethodNotAllowed,
                "this path does not take this method; `Allow` lists those it takes",
            )
        })
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn(finish))
                .layer(middleware::from_fn_with_state(longest, with_deadline))
                .layer(TimeoutLayer::with_status_code(
                    StatusCode::SERVICE_UNAVAILABLE,
                    longest,
                ))
                .layer(CatchPanicLayer::custom(panicked))
                .layer(DefaultBodyLimit::max(LARGEST_BODY)),
        )
}

/// Makes these routes reject every query parameter, as routes with named parameters reject unknown ones.
pub(super) fn without_parameters(routes: Router<AppState>) -> Router<AppState> {
    let check = async |Query(NoParameters {}): Query<NoParameters>, request: Request, next: Next| {
        next.run(request).await
    };
    routes.route_layer(middleware::from_fn(check))
}

/// Sets the request's deadline for its calls to other services.
async fn with_deadline(State(longest): State<Duration>, request: Request, next: Next) -> Response {
    let end = tokio::time::Instant::now() + longest;
    deadline::until(Some(end), next.run(request)).await
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    // The payload may hold anything; the panic hook has logged it.
    Problem::internal().into_response()
}

/// Sets the request's id, logs its end, renders problems, and turns every error into one.
async fn finish(mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, version) = (request.method().clone(), request.version());
    // The route's pattern: a path may hold ids, and its query page tokens.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let begun_at = Instant::now();
    let span = tracing::info_span!("request", http.request_id = %id, otel.kind = "server");
    telemetry::continue_trace(&span, request.headers());
    let response = if size(request.headers()) > LARGEST_HEADERS {
        headers_too_large()
    } else if let Some(problem) = wrong_host(&request) {
        problem.into_response()
    } else {
        next.run(request).instrument(span.clone()).await
    };
    let (mut response, code) = as_problem(response, &id);
    add_headers(&mut response, &id, version);
    let status = response.status().as_u16();
    metrics::request_answered(
        route.as_deref().unwrap_or("none"),
        method.as_str(),
        status,
        code.as_deref(),
        begun_at.elapsed(),
    );
    tracing::info!(
        parent: &span,
        http.method = %method,
        http.route = route.as_deref().unwrap_or("none"),
        http.status = status,
        http.problem = code.as_deref(),
        http.duration_ms = u64::try_from(begun_at.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request ended"
    );
    response
}

/// The id that the caller gave, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_plain(id))
        .map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

/// Adds the headers of every response.
fn add_headers(response: &mut Response, id: &str, version: Version) {
    let has_timed_out = response.status() == StatusCode::REQUEST_TIMEOUT;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // A client that did not finish its request would continue it on this connection (RFC 9110, section 15.5.9). HTTP/2 has streams.
    if has_timed_out && version < Version::HTTP_2 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// The size of headers in bytes, as HTTP/1.1 writes them: `name: value` and the line's end.
fn size(headers: &HeaderMap) -> usize {
    let lines = headers.iter();
    lines
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum()
}

fn headers_too_large() -> Response {
    let detail = format!("the headers may have at most {LARGEST_HEADERS} bytes together");
    Problem::new(Code::HeadersTooLarge, detail).into_response()
}

/// Renders a problem, and turns an error that a layer or axum itself made into one; with its code.
fn as_problem(mut response: Response, id: &str) -> (Response, Option<String>) {
    let kept = |from: &Response, to: &mut Response| {
        for name in [header::ALLOW, header::LOCATION, header::ETAG, OPERATION_LOCATION] {
            if let Some(value) = from.headers().get(&name) {
                to.headers_mut().insert(name, value.clone());
            }
        }
    };
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None => match problem_for(&response) {
            Some(problem) => problem,
            None => return (response, None),
        },
    };
    let code = problem.code.clone();
    let mut rendered = problem.render(id);
    kept(&response, &mut rendered);
    (rendered, Some(code))
}

fn problem_for(response: &Response) -> Option<Problem> {
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == MEDIA_TYPE);
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    Some(match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => Problem::unavailable(
            Code::Timeout,
            "the request took too long; read what it changed before repeating it",
            None,
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::PayloadTooLarge, "the body is too large"),
        status if status.is_client_error() => Problem::new(Code::InvalidRequest, "the request can't be read"),
        _ => Problem::internal(),
    })
}

/// Letters, digits, hyphens, periods and underscores: nothing that could forge a log line or a header.
fn is_plain(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}
