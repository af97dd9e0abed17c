//! `GET /v1/connections/{id}`

use axum::extract::State;
use axum::response::Response;
use uuid::Uuid;

use crate::connection::{Code, ConnectionId};
use crate::http::extract::{Authenticated, Path};
use crate::http::openapi::{Refuses, Refusing, samples};
use crate::http::shapes::Connection;
use crate::http::{AppState, Problem, answer};

struct GetRefuses;

impl Refuses for GetRefuses {
    const CODES: &'static [Code] = &[Code::NotFound];
}

/// Read a connection
///
/// Its record, as far as it is visible to the caller: to those who made it, to those whom one of its tenants has given the app
/// role `Connections.Read.All`, and to those whom Azure lets read the data connection or the event hub.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}",
    operation_id = "getConnection",
    tag = "connections",
    params(("id" = Uuid, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "The record", body = Connection, example = json!(samples::active())),
        Refusing<GetRefuses>,
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let record = state.broker.connection(&caller, ConnectionId::new(id)).await?;
    Ok(answer::json(&Connection::from(&record)))
}
