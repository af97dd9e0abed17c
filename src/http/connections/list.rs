//! `GET /v1/connections`

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::connection::{Code, ConnectionId};
use crate::http::extract::{Authenticated, Query};
use crate::http::openapi::{Refuses, Refusing, samples};
use crate::http::shapes::Connection;
use crate::http::{AppState, Problem, answer, link};

/// The list that page tokens are for.
const LIST: &str = "connections";

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// How many connections at the most: 1 to 200, 50 if not given.
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u32>,
    /// Where to go on: taken from `nextLink`.
    page_token: Option<String>,
}

/// A page of connections, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectionList {
    /// The connections.
    value: Vec<Connection>,
    /// The next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

struct ListRefuses;

impl Refuses for ListRefuses {
    const CODES: &'static [Code] = &[Code::InvalidRequest];
}

/// List connections
///
/// Those that are visible to the caller, newest first, in pages.
#[utoipa::path(
    get,
    path = "/v1/connections",
    operation_id = "listConnections",
    tag = "connections",
    params(ListParameters),
    responses(
        (status = 200, description = "A page", body = ConnectionList, example = json!(samples::connections())),
        Refusing<ListRefuses>,
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Authenticated(caller): Authenticated,
    Query(parameters): Query<ListParameters>,
) -> Result<Response, Problem> {
    let limit = link::page_size(parameters.limit)?;
    let before: Option<ConnectionId> = link::page_position(LIST, parameters.page_token.as_deref())?;
    let page = state.broker.connections(&caller, before, limit).await?;
    let next_link = page.next.map(|last| {
        let token = link::page_token(LIST, &last.to_string());
        link::to(
            &state,
            &format!("/v1/connections?limit={limit}&pageToken={token}"),
        )
    });
    Ok(answer::json(&ConnectionList {
        value: page.connections.iter().map(Connection::from).collect(),
        next_link,
    }))
}
