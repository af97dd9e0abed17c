//! Whether the process lives, and whether it can do its work.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::AppState;
use super::problem::Problem;
use crate::connection::Code;

/// `/livez` and `/readyz`.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
}

/// The process answers.
async fn livez() -> &'static str {
    "ok\n"
}

/// The database answers, so that requests can be recorded.
async fn readyz(State(state): State<AppState>) -> Response {
    match state.broker.ready().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            state.broker.database_failed(&error, "not ready");
            Problem::unavailable(Code::DatabaseUnavailable, "the database does not answer", None)
                .into_response()
        }
    }
}
