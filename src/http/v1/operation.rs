//! `GET /v1/operations/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::domain::{Code, OperationId};
use crate::http::extract::{Authorized, NoParameters, Path, Prefer, Query, Read};
use crate::http::models::Operation;
use crate::http::openapi::{AuxiliaryHeader, ErrorCodes, ErrorResponses, WaitHeader, examples};
use crate::http::{AppState, Problem, links, response};

struct OperationErrors;

impl ErrorCodes for OperationErrors {
    const CODES: &'static [Code] = &[Code::NotFound];
}

/// Read an operation
///
/// The status monitor: always 200 while the operation is visible, with `Retry-After` (seconds) until it has ended. It changes nothing:
/// an operation that is `awaitingCaller` waits for `continue`, or for its request to be repeated. With `Prefer: wait=n` the response
/// comes when the operation has ended or waits for a caller, or after n seconds.
#[utoipa::path(
    get,
    path = "/v1/operations/{id}",
    operation_id = "getOperation",
    tag = "operations",
    params(("id" = Uuid, Path, description = "The operation's id, from `Operation-Location`"), WaitHeader, AuxiliaryHeader),
    responses(
        (status = 200, description = "The operation", body = Operation,
            headers(("Operation-Location" = String, description = "Where the change is followed: a path, or an absolute URL"), ("Retry-After" = u32, description = "When to read it again: seconds from now"), ("Preference-Applied" = String, description = "How long the response could wait, if it could")),
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
    prefer: Prefer,
) -> Result<Response, Problem> {
    let allowed_wait = prefer.allowed_read(&state.load, &caller);
    let view = state
        .usecases
        .queries
        .operation_at_rest(&caller, OperationId::new(id), allowed_wait.wait)
        .await?;
    let view = state.usecases.queries.with_remedy(&caller, view).await;
    let followed = links::follow(&state, &view.operation);
    let operation = Operation::of(&view.operation, &state.tenant_names);
    Ok((followed, allowed_wait.applied(), response::json(&operation)).into_response())
}
