//! The HTTP interface: routes, extractors, bodies of requests and responses, and problems (RFC 9457) on every path.
//! One file an endpoint. Calls the use cases and nothing behind them; decides only how results are represented.

mod admission;
mod consent;
mod docs;
mod entity_tag;
mod extract;
mod health;
mod host;
mod links;
mod load_shedding;
mod middleware;
mod models;
mod nearest_path;
mod openapi;
mod person_limit;
mod problem;
mod response;
mod server;
mod settings;
mod shares;
mod v1;

use crate::authz::TenantNames;
use crate::usecases::UseCases;
use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

pub use consent::consent_page;
pub use load_shedding::Load;
use nearest_path::Paths;
pub use openapi::{OPENAPI_3_0, OPENAPI_3_1, document};
pub use person_limit::PersonLimit;
pub use problem::Problem;
pub use server::{Limits, serve};
pub use settings::Settings;

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The use cases.
    pub usecases: Arc<UseCases>,
    /// How much a caller may ask for, and how links are written.
    pub server: Arc<Settings>,
    /// How tenants are called in responses.
    pub tenant_names: Arc<TenantNames>,
    /// The places for requests.
    pub load: Load,
    /// How many requests one person may send.
    pub person_limit: Arc<PersonLimit>,
    /// Cancelled when this replica is about to stop: it is not ready any more, and still answers.
    pub draining: CancellationToken,
}

/// The documented routes, each behind `guard`, and their document, which begins with `head`. A route can only be added together
/// with its description.
fn api(
    head: OpenApi,
    guard: impl Fn(MethodRouter<AppState>) -> MethodRouter<AppState>,
) -> OpenApiRouter<AppState> {
    let guarded = |(schemas, paths, methods): UtoipaMethodRouter<AppState>| (schemas, paths, guard(methods));
    OpenApiRouter::with_openapi(head)
        .routes(guarded(routes!(v1::create::create, v1::list::list)))
        .routes(guarded(routes!(v1::get::get, v1::remove::remove)))
        .routes(guarded(routes!(v1::events::events)))
        .routes(guarded(routes!(v1::feed::feed)))
        .routes(guarded(routes!(v1::operation::get)))
        .routes(guarded(routes!(v1::continue_operation::continue_operation)))
}

/// The whole service as one router.
pub fn router(state: AppState) -> Router {
    let admit = axum::middleware::from_fn_with_state(state.clone(), admission::admit);
    // An unsupported method is answered without authentication.
    let guard = |methods: MethodRouter<AppState>| methods.route_layer(admit.clone());
    let (documented, document) = api(OpenApi::default(), guard).split_for_parts();
    let public_url = state.server.public_url.as_ref();
    let plain = health::routes()
        .route("/openapi.json", openapi::serving(OPENAPI_3_1, public_url))
        .route("/openapi-3.0.json", openapi::serving(OPENAPI_3_0, public_url))
        .route("/", get(docs::to_page))
        .route("/docs", get(docs::to_page))
        .route("/docs/", get(docs::page))
        .route("/docs/{file}", get(docs::file));
    let plain = middleware::without_parameters(plain).route(consent::PATH, get(consent::page));
    let undocumented = ["/docs", "/openapi.json", "/openapi-3.0.json", consent::PATH];
    let paths = document.paths.paths.into_keys();
    let paths = paths.chain(undocumented.into_iter().chain(health::PATHS).map(str::to_owned));
    let longest = state.server.longest_request;
    middleware::apply_middleware(documented.merge(plain), Paths::new(paths), longest).with_state(state)
}

/// The health alone, for a listener that callers can't fill.
pub fn probes(state: AppState) -> Router {
    let longest = state.server.longest_request;
    let routes = middleware::without_parameters(health::routes());
    let paths = Paths::new(health::PATHS.map(str::to_owned));
    middleware::apply_middleware(routes, paths, longest).with_state(state)
}
