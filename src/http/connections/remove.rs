//! `DELETE /v1/connections/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use uuid::Uuid;

use crate::broker::Removal;
use crate::connection::{Code, ConnectionId, State as ConnectionState};
use crate::http::entity_tag::EntityTag;
use crate::http::extract::{Authorized, Conditions, Idempotency, NoParameters, Path, Prefer, Query, Write};
use crate::http::openapi::{AuxiliaryHeader, IdempotencyKeyHeader, PreferHeader, Refuses, Refusing, samples};
use crate::http::shapes::{Connection, Operation};
use crate::http::{AppState, Problem, answer, link};

struct RemoveRefuses;

impl Refuses for RemoveRefuses {
    const CODES: &'static [Code] = &[
        Code::TenantNotAllowed,
        Code::AzureRefused,
        Code::NotFound,
        Code::PreconditionFailed,
        Code::ChangeInProgress,
    ];
}

/// Remove a connection
///
/// Deletes the data connection at Azure and keeps the record. Needs a token for the target's tenant alone: the access to the
/// source may be what was revoked. Repeating it is harmless, and brings a removal that waits for a token forward. After a
/// removal that failed, a repeat begins another; with the `Idempotency-Key` of the one that failed, it gives that one.
#[utoipa::path(
    delete,
    path = "/v1/connections/{id}",
    operation_id = "removeConnection",
    tag = "connections",
    params(("id" = Uuid, Path, description = "The connection's id"), IdempotencyKeyHeader, PreferHeader, AuxiliaryHeader),
    responses(
        (status = 200, description = "The connection is removed, or was never made", body = Connection,
            headers(("ETag" = String, description = "The tag of this representation, for `If-None-Match`"), ("Operation-Location" = String, description = "Where the change is followed: a path, or an absolute URL")),
            example = json!(samples::removed())),
        (status = 202, description = "The removal is under way, or could not be carried out: see `lastOperation`", body = Connection,
            headers(("ETag" = String, description = "The tag of this representation, for `If-None-Match`"), ("Operation-Location" = String, description = "Where the change is followed: a path, or an absolute URL"), ("Retry-After" = u32, description = "When to ask again: seconds from now")),
            example = json!(samples::removing())),
        Refusing<RemoveRefuses>,
    )
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Write>,
    Query(NoParameters {}): Query<NoParameters>,
    conditions: Conditions,
    prefer: Prefer,
    Idempotency(key): Idempotency,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let id = ConnectionId::new(id);
    if conditions.need_a_tag() {
        let record = state.broker.connection(&caller, id).await?;
        conditions.hold_for(&EntityTag::of(&record))?;
    }
    let Removal { operation, seen_from } = state.broker.remove(&caller, id, key).await?;
    let view = state
        .broker
        .wait_for(&caller, &operation, seen_from, prefer.wait)
        .await?;
    let record = view.connection;
    let status = match record.state() {
        ConnectionState::Removed | ConnectionState::Failed => StatusCode::OK,
        _ => StatusCode::ACCEPTED,
    };
    Ok((
        status,
        EntityTag::of(&record),
        link::follow(&state, &Operation::from(&view.operation)),
        answer::json(&Connection::from(&record)),
    )
        .into_response())
}
