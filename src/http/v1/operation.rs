//! `GET /v1/operations/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::domain::{Code, OperationId};
use crate::http::extract::{Authorized, NoParameters, Path, Query, Read};
use crate::http::models::Operation;
use crate::http::openapi::{AuxiliaryHeader, ErrorCodes, ErrorResponses, examples};
use crate::http::{AppState, Problem, links, response};

struct OperationErrors;

impl ErrorCodes for OperationErrors {
    const CODES: &'static [Code] = &[Code::NotFound];
}

/// Read an operation
///
/// The status monitor: always 200 while the operation is visible, with `Retry-After` (seconds) until it has ended. It changes nothing:
/// an operation that is `awaitingCaller` waits for `continue`, or for its request to be repeated.
#[utoipa::path(
    get,
    path = "/v1/operations/{id}",
    operation_id = "getOperation",
    tag = "operations",
    params(("id" = Uuid, Path, description = "The operation's id, from `Operation-Location`"), AuxiliaryHeader),
    responses(
        (status = 200, description = "The operation", body = Operation,
            headers(("Operation-Location" = String, description = "Where the change is followed: a path, or an absolute URL"), ("Retry-After" = u32, description = "When to read it again: seconds from now")),
            examples(
                ("running" = (summary = "Running", value = json!(examples::running()))),
                ("waiting" = (summary = "Waits for a caller who signs in with more proof", value = json!(examples::awaiting()))),
                ("succeeded" = (summary = "Done", value = json!(examples::succeeded("create")))),
                ("failed" = (summary = "Ended without the change", value = json!(examples::failed())))
            )),
        ErrorResponses<OperationErrors>,
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Read>,
    Query(NoParameters {}): Query<NoParameters>,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let view = state
        .usecases
        .queries
        .operation(&caller, OperationId::new(id))
        .await?;
    let operation = Operation::of(&view.operation, &state.tenant_names);
    Ok((links::follow(&state, &view.operation), response::json(&operation)).into_response())
}
