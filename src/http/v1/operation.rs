//! `GET /v1/operations/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::domain::Code;
use crate::domain::OperationId;
use crate::http::AppState;
use crate::http::Problem;
use crate::http::extract::{Authorized, NoParameters, Path, Query, Read};
use crate::http::links;
use crate::http::models::Operation;
use crate::http::openapi::AuxiliaryHeader;
use crate::http::openapi::Refuses;
use crate::http::openapi::Refusing;
use crate::http::openapi::examples;
use crate::http::response;

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
                ("running" = (summary = "Under way", value = json!(examples::running()))),
                ("waiting" = (summary = "Waits for somebody who signs in with more", value = json!(examples::awaiting()))),
                ("succeeded" = (summary = "Done", value = json!(examples::succeeded("create")))),
                ("failed" = (summary = "Ended without the change", value = json!(examples::failed())))
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
    let view = state
        .usecases
        .queries
        .operation(&caller, OperationId::new(id))
        .await?;
    let operation = Operation::from(&view.operation);
    Ok((links::follow(&state, &operation), response::json(&operation)).into_response())
}
