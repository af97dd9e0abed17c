//! `GET /v1/connections/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::domain::{Code, ConnectionId};
use crate::http::entity_tag::{EntityTag, IfNoneMatch};
use crate::http::extract::{Authorized, NoParameters, Path, Query, Read};
use crate::http::models::Connection;
use crate::http::openapi::{ErrorCodes, ErrorResponses, IfNoneMatchHeader, examples};
use crate::http::{AppState, Problem, response};

struct GetErrors;

impl ErrorCodes for GetErrors {
    const CODES: &'static [Code] = &[Code::NotFound];
}

/// Read a connection
///
/// The record, as far as it is visible to the caller: to its requester and participants, to users with the app role
/// `Connections.Read.All` of one of its tenants, to users whom Azure allows to read the data connection or the event hub, and, while it
/// is unsettled, to operators of the service. If the tag in `If-None-Match` is current, the response is 304 without a body.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}",
    operation_id = "getConnection",
    tag = "connections",
    params(("id" = Uuid, Path, description = "The connection's id"), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The record", body = Connection,
            headers(("ETag" = String, description = "The tag of this representation, for `If-None-Match`")),
            example = json!(examples::active())),
        (status = 304, description = "The caller has it: nothing changed but perhaps `observedAt`",
            headers(("ETag" = String, description = "The tag of the representation that the caller has"))),
        ErrorResponses<GetErrors>,
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Read>,
    Query(NoParameters {}): Query<NoParameters>,
    Path(id): Path<Uuid>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let record = state
        .usecases
        .queries
        .connection(&caller, ConnectionId::new(id))
        .await?;
    let tag = EntityTag::of(&record);
    Ok(if known.has(&tag) {
        (tag, response::not_modified()).into_response()
    } else {
        (tag, response::json(&Connection::of(&record, &state.tenant_names))).into_response()
    })
}
