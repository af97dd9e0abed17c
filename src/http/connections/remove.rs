//! `DELETE /v1/connections/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use uuid::Uuid;

use super::create::axum_json;
use crate::connection::{ConnectionId, State as ConnectionState};
use crate::http::extract::{Authenticated, Path, Prefer};
use crate::http::shapes::Connection;
use crate::http::{AppState, Problem, link};

/// Remove a connection
///
/// Deletes the data connection at Azure and keeps the record. Needs a token for the target's tenant alone: the access to the
/// source may be what was revoked. Repeating it is harmless, and brings a removal that waits for a token forward.
#[utoipa::path(
    delete,
    path = "/v1/connections/{id}",
    operation_id = "removeConnection",
    tag = "connections",
    params(
        ("id" = Uuid, Path, description = "The connection's id"),
        ("Prefer" = Option<String>, Header, description = "`wait=n` waits up to n seconds for Azure; `respond-async` does not wait"),
        ("x-ms-authorization-auxiliary" = Option<String>, Header, description = "`Bearer <token>` of further accounts of the same person, one a tenant, parted by commas; at most three")
    ),
    responses(
        (status = 200, description = "The connection is removed, or was never made", body = Connection),
        (status = 202, description = "The removal is under way", body = Connection),
        (status = 400, description = "The auxiliary tokens don't fit", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A token is missing or not accepted", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Access is missing", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none, or not for this caller", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another change is under way", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Azure refused this service", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Azure or the database can't answer now", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Authenticated(caller): Authenticated,
    prefer: Prefer,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let id = ConnectionId::new(id);
    state.broker.remove(&caller, id).await?;
    let record = state.broker.wait_for(&caller, id, prefer.wait).await?;
    let status = match record.state() {
        ConnectionState::Removed | ConnectionState::Failed => StatusCode::OK,
        _ => StatusCode::ACCEPTED,
    };
    let operation = record.last_operation.as_ref().map(Into::into);
    Ok((
        status,
        link::follow(&state, operation.as_ref()),
        axum_json(&Connection::from(&record)),
    )
        .into_response())
}
