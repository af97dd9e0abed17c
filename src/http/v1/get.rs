//! `GET /v1/connections/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::domain::Code;
use crate::domain::ConnectionId;
use crate::http::AppState;
use crate::http::Problem;
use crate::http::entity_tag::{EntityTag, IfNoneMatch};
use crate::http::extract::{Authorized, NoParameters, Path, Query, Read};
use crate::http::models::Connection;
use crate::http::openapi::IfNoneMatchHeader;
use crate::http::openapi::Refuses;
use crate::http::openapi::Refusing;
use crate::http::openapi::examples;
use crate::http::response;

struct GetRefuses;

impl Refuses for GetRefuses {
    const CODES: &'static [Code] = &[Code::NotFound];
}

/// Read a connection
///
/// Its record, as far as it is visible to the caller: to those who made it or took part in it, to those whom one of its tenants has
/// given the app role `Connections.Read.All`, to those whom Azure lets read the data connection or the event hub, and, while it is
/// unsettled, to operators of the service. With the tag of what the
/// caller has in `If-None-Match`, an answer without a body says that it still stands.
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
        Refusing<GetRefuses>,
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
        (tag, response::json(&Connection::from(&record))).into_response()
    })
}
