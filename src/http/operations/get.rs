//! `GET /v1/operations/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::connection::OperationId;
use crate::http::connections::create::axum_json;
use crate::http::extract::{Authenticated, Path};
use crate::http::shapes::Operation;
use crate::http::{AppState, Problem, link};

/// Follow an operation
///
/// The status monitor: always 200 while the operation is visible, with `Retry-After` (seconds) until it has ended. An operation
/// that waits for a token to read with goes on with the caller's.
#[utoipa::path(
    get,
    path = "/v1/operations/{id}",
    operation_id = "getOperation",
    tag = "operations",
    params(("id" = Uuid, Path, description = "The operation's id, from `Operation-Location`")),
    responses(
        (status = 200, description = "How far it is", body = Operation),
        (status = 401, description = "A token is missing or not accepted", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token lacks the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none, or not for this caller", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database can't answer now", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let view = state.broker.operation(&caller, OperationId::new(id)).await?;
    let operation = Operation::from(&view.operation);
    Ok((link::follow(&state, Some(&operation)), axum_json(&operation)).into_response())
}
