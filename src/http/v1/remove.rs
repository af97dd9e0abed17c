//! `DELETE /v1/connections/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::domain::{Code, ConnectionId, OperationKind};
use crate::http::entity_tag::EntityTag;
use crate::http::extract::{Authorized, Conditions, Idempotency, Path, Prefer, Query, Write};
use crate::http::openapi::{
    Answer, Answers, AuxiliaryHeader, ChangeResponses, ErrorCodes, ErrorResponses, IdempotencyKeyHeader,
    IfMatchHeader, PreferHeader, examples,
};
use crate::http::v1::changed::Changed;
use crate::http::v1::ended;
use crate::http::{AppState, Problem};
use crate::usecases::{Removal, RemovalRequest};

/// The options of a removal.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemoveParameters {
    /// Only the record is to be closed, and nothing sent to Azure: for a data connection that is gone there, or was replaced by
    /// another.
    #[serde(default)]
    #[param(default = false)]
    record_only: bool,
}

struct RemoveResponses;

impl ErrorCodes for RemoveResponses {
    const CODES: &'static [Code] = &[
        Code::TenantNotAllowed,
        Code::AzureRefused,
        Code::NotFound,
        Code::ChangeInProgress,
        Code::IdempotencyKeyReused,
        Code::PreconditionFailed,
        Code::Drifted,
        Code::Contested,
        Code::StillPresent,
        Code::ParentMissing,
        Code::RemoveFailed,
    ];
}

impl Answers for RemoveResponses {
    const ANSWERS: &'static [Answer] = &[
        Answer {
            status: 200,
            description: "The connection is removed, or was never created",
            body: "Connection",
            headers: &["ETag", "Operation-Location"],
            example: examples::removed,
        },
        Answer {
            status: 202,
            description: "The removal is running: see `lastOperation`",
            body: "Connection",
            headers: &["ETag", "Operation-Location", "Retry-After"],
            example: examples::removing,
        },
    ];
}

/// Remove a connection
///
/// Deletes the data connection at Azure and keeps the record. Needs a token for the target's tenant only: the access to the source may
/// be what was revoked. Repeating it is harmless, and resumes a removal that waits for a caller. After a removal that failed, a
/// repeat starts another one; with the `Idempotency-Key` of the failed one, it is answered with the same failure: 409 `drifted`,
/// `contested` or `parentMissing`, else 422 `removeFailed`.
///
/// What Azure holds is compared with the record first, and nothing else is deleted. If another data connection has the name, the
/// response is 409 `drifted`, and the connection's `found` shows it: the same request with the connection's ETag in `If-Match` removes
/// exactly that. `recordOnly=true` closes the record instead and sends nothing.
#[utoipa::path(
    delete,
    path = "/v1/connections/{id}",
    operation_id = "removeConnection",
    tag = "connections",
    params(("id" = Uuid, Path, description = "The connection's id"), IdempotencyKeyHeader, PreferHeader, AuxiliaryHeader, IfMatchHeader, RemoveParameters),
    responses(
        ChangeResponses<RemoveResponses>,
        ErrorResponses<RemoveResponses>,
    )
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Write>,
    Query(parameters): Query<RemoveParameters>,
    conditions: Conditions,
    prefer: Prefer,
    Idempotency(key): Idempotency,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let allowed_wait = prefer.allowed_wait(&state.load, &caller);
    let id = ConnectionId::new(id);
    if conditions.need_a_tag() {
        let record = state.usecases.queries.connection(&caller, id).await?;
        conditions.hold_for(&EntityTag::of(&record))?;
    }
    let request = RemovalRequest {
        key,
        expected: conditions.expected,
        record_only: parameters.record_only,
    };
    let Removal {
        operation,
        viewer_role,
    } = state.usecases.remove.run(&caller, id, request).await?;
    let view = state
        .usecases
        .queries
        .wait_for(&caller, &operation, viewer_role, allowed_wait.wait)
        .await?;
    let view = state.usecases.remedies.explain(&caller, view).await;
    // Otherwise the create failed, so that nothing is there to be removed.
    if view.operation.kind == OperationKind::Remove
        && let Some(failed) = ended::response(&state, &view)
    {
        return Ok(failed);
    }
    let status = if view.operation.phase.is_terminal() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok(Changed::connection(&state, status, &view).into_response())
}
