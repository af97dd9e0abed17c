//! Whether the process lives, and whether it can do its work.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::AppState;
use super::problem::Problem;
use crate::domain::Code;

const LIVEZ: &str = "/livez";
const READYZ: &str = "/readyz";
/// The paths of these routes.
pub(super) const PATHS: [&str; 2] = [LIVEZ, READYZ];

/// `/livez` and `/readyz`.
pub(super) fn routes() -> Router<AppState> {
    Router::new().route(LIVEZ, get(livez)).route(READYZ, get(readyz))
}

/// The process answers.
async fn livez() -> &'static str {
    "ok\n"
}

/// The database answers, so that requests can be recorded, and this replica is not about to stop.
async fn readyz(State(state): State<AppState>) -> Response {
    if state.draining.is_cancelled() {
        let detail = "this replica is about to stop; ask another";
        return Problem::unavailable(Code::Overloaded, detail, None).into_response();
    }
    match state.usecases.driver.db.ready().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            state.usecases.driver.db.failed(&error, "not ready");
            Problem::unavailable(Code::DatabaseUnavailable, "the database does not answer", None)
                .into_response()
        }
    }
}
