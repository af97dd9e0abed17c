//! `GET /v1/connections`

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::list_parameters::{ListParameters, list_of};
use crate::domain::{Code, ListFilter, ListPosition};
use crate::http::extract::{Authorized, Query, Read};
use crate::http::models::Connection;
use crate::http::openapi::{ErrorCodes, ErrorResponses, examples};
use crate::http::{AppState, Problem, links, response};

/// A page of connections, in the order of the list.
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

struct ListErrors;

impl ErrorCodes for ListErrors {
    const CODES: &'static [Code] = &[];
}

/// List connections
///
/// In pages, newest first or by name: those that the caller made or took part in, and all that involve the caller's tenant if it has
/// given them the app role `Connections.Read.All`. With `database` or `source` also those that Azure lets the caller read there. All
/// filters together hold for each connection. Connections that are removed or failed are listed only on request.
#[utoipa::path(
    get,
    path = "/v1/connections",
    operation_id = "listConnections",
    tag = "connections",
    params(ListParameters),
    responses(
        (status = 200, description = "A page", body = ConnectionList, example = json!(examples::connections(&list_of(&ListFilter::default())))),
        ErrorResponses<ListErrors>,
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Read>,
    Query(parameters): Query<ListParameters>,
) -> Result<Response, Problem> {
    let limit = links::page_size(parameters.limit)?;
    let filter = parameters.filter()?;
    let list = list_of(&filter);
    let after: Option<ListPosition> = links::page_position(&list, parameters.page_token.as_deref())?;
    let page = state
        .usecases
        .queries
        .connections(&caller, &filter, after, limit)
        .await?;
    let next_link = page.next.map(|last| {
        let mut query = parameters.of_next(limit);
        query.append_pair("pageToken", &links::page_token(&list, &last.to_string()));
        links::to(&state, &format!("/v1/connections?{}", query.finish()))
    });
    Ok(response::json(&ConnectionList {
        value: page
            .connections
            .iter()
            .map(|connection| Connection::of(connection, &state.tenant_names))
            .collect(),
        next_link,
    }))
}
