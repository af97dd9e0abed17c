//! `GET /v1/operations/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::connection::{Code, OperationId};
use crate::http::extract::{Authorized, NoParameters, Path, Query, Read};
use crate::http::openapi::{AuxiliaryHeader, Refuses, Refusing, samples};
use crate::http::shapes::Operation;
use crate::http::{AppState, Problem, answer, link};

struct OperationRefuses;

impl Refuses for OperationRefuses {
    const CODES: &'static [Code] = &[Code::NotFound];
}

/// Follow an operation
///
/// The status monitor: always 200 while the operation is visible, with `Retry-After` (seconds) until it has ended. An operation
/// that waits for a token to read with goes on with the caller's.
#[utoipa::path(
    get,
    path = "/v1/operations/{id}",
    operation_id = "getOperation",
    tag = "operations",
    params(("id" = Uuid, Path, description = "The operation's id, from `Operation-Location`"), AuxiliaryHeader),
    responses(
        (status = 200, description = "How far it is", body = Operation,
            headers(("Operation-Location" = String, description = "Where the change is followed: a path, or an absolute URL"), ("Retry-After" = u32, description = "When to ask again: seconds from now")),
            examples(
                ("running" = (summary = "Under way", value = json!(samples::running()))),
                ("waiting" = (summary = "Waits for somebody who signs in with more", value = json!(samples::awaiting()))),
                ("succeeded" = (summary = "Done", value = json!(samples::succeeded("create")))),
                ("failed" = (summary = "Ended without the change", value = json!(samples::failed())))
            )),
        Refusing<OperationRefuses>,
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Read>,
    Query(NoParameters {}): Query<NoParameters>,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let view = state.broker.operation(&caller, OperationId::new(id)).await?;
    let operation = Operation::from(&view.operation);
    Ok((link::follow(&state, &operation), answer::json(&operation)).into_response())
}
