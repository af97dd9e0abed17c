//! The edge: routes, extractors, what requests and answers look like, and problems (RFC 9457) on every path.
//! One file an endpoint. Knows the broker and nothing behind it; decides nothing but how things are said.

mod answer;
mod connections;
mod consent;
mod docs;
mod entity_tag;
mod extract;
mod health;
mod layers;
mod link;
mod load;
mod openapi;
mod operations;
mod problem;
mod server;
mod shapes;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use consent::consent_page;
pub use load::Load;
pub use openapi::{ConvertError, document, document_3_0};
pub use problem::Problem;
pub use server::{Limits, serve};

use crate::broker::Broker;
use crate::config::ServerSection;

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The use cases.
    pub broker: Broker,
    /// How much a caller may ask for, and how links are written.
    pub server: Arc<ServerSection>,
    /// The places for requests.
    pub load: Load,
}

/// The documented routes. A route can only be added together with its description.
fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::info())
        .routes(routes!(connections::create::create, connections::list::list))
        .routes(routes!(connections::get::get, connections::remove::remove))
        .routes(routes!(connections::events::events))
        .routes(routes!(operations::get::get))
        .routes(routes!(operations::go_on::go_on))
}

/// The whole service as one router.
pub fn router(state: AppState) -> Router {
    let (documented, _) = api().split_for_parts();
    let public_url = state.server.public_url.as_ref();
    let plain = health::routes()
        .route("/openapi.json", openapi::serving(public_url))
        .route("/docs", get(docs::to_page))
        .route("/docs/", get(docs::page))
        .route("/docs/{file}", get(docs::file));
    let plain = layers::without_parameters(plain).route(consent::PATH, get(consent::page));
    let longest = state.server.longest_request;
    let limit = middleware::from_fn_with_state(state.load.clone(), load::within);
    let documented = documented.route_layer(limit);
    layers::around(documented.merge(plain), longest).with_state(state)
}

/// The health alone, for a listener that callers can't fill.
pub fn probes(state: AppState) -> Router {
    let longest = state.server.longest_request;
    layers::around(layers::without_parameters(health::routes()), longest).with_state(state)
}
