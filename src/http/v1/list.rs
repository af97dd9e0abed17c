//! `GET /v1/connections`

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use crate::domain::{Code, ConnectionId, hex};
use crate::http::extract::{Authorized, Query, Read, optional};
use crate::http::models::Connection;
use crate::http::openapi::{ErrorCodes, ErrorResponses, examples};
use crate::http::{AppState, Problem, links, response};
use crate::usecases::ListFilter;

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only the connections into this database (resource id): also those of others, if Azure lets you read its data connections.
    #[param(
        max_length = 2048,
        pattern = r"^/subscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/resourceGroups/\w[\w().-]{0,89}/providers/Microsoft\.Kusto/clusters/\w[\w-]{0,62}/databases/\w([\w .-]{0,258}[\w-])?$",
        example = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1/databases/telemetry"
    )]
    database: Option<String>,
    /// Only the connections from this event hub (resource id): also those of others, if Azure lets you read it.
    #[param(
        max_length = 2048,
        pattern = r"^/subscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/resourceGroups/\w[\w().-]{0,89}/providers/Microsoft\.EventHub/namespaces/\w[\w-]{0,49}/eventhubs/\w[\w.-]{0,255}$",
        example = "/subscriptions/50000000-0000-4000-8000-000000000002/resourceGroups/rg-streams/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub1"
    )]
    source: Option<String>,
    /// Only the connections in this state. An unsettled connection may or may not have been changed at Azure, and no read has decided
    /// yet; it is never deleted on a guess. An operator of the service (app role `Operator` of its home tenant) sees all of them.
    #[param(inline)]
    state: Option<ListedState>,
    /// The most connections in a page: 1 to 200, by default 50.
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u32>,
    /// Where the page begins: taken from `nextLink`.
    page_token: Option<String>,
}

/// The states that a list can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ListedState {
    /// A change may or may not have happened, and no read has decided yet.
    Unsettled,
}

impl ListedState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unsettled => "unsettled",
        }
    }
}

impl ListParameters {
    fn filter(&self) -> Result<ListFilter, Problem> {
        let mut errors = Vec::new();
        let filter = ListFilter {
            database: optional(&mut errors, "database", self.database.as_deref()),
            source: optional(&mut errors, "source", self.source.as_deref()),
            unsettled: self.state == Some(ListedState::Unsettled),
        };
        if errors.is_empty() {
            Ok(filter)
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

/// The name of the list that a page token belongs to: another filter makes another list. It protects nothing: visibility is checked for
/// each page.
fn list_of(filter: &ListFilter) -> String {
    let database = filter.database.as_ref().map(|id| id.resource().canonical());
    let source = filter.source.as_ref().map(|id| id.resource().canonical());
    let state = if filter.unsettled { "unsettled" } else { "" };
    if database.is_none() && source.is_none() && state.is_empty() {
        return "connections".to_owned();
    }
    let (database, source) = (database.unwrap_or(""), source.unwrap_or(""));
    let digest = Sha256::digest(format!("{database}\n{source}\n{state}"));
    format!("connections-{}", hex(&digest))
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

struct ListErrors;

impl ErrorCodes for ListErrors {
    const CODES: &'static [Code] = &[];
}

/// List connections
///
/// Newest first, in pages: those that the caller made or took part in, and all that touch the caller's tenant if it has given
/// them the app role `Connections.Read.All`. With `database` or `source` also those that Azure lets the caller read there.
#[utoipa::path(
    get,
    path = "/v1/connections",
    operation_id = "listConnections",
    tag = "connections",
    params(ListParameters),
    responses(
        (status = 200, description = "A page", body = ConnectionList, example = json!(examples::connections())),
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
    let before: Option<ConnectionId> = links::page_position(&list, parameters.page_token.as_deref())?;
    let page = state
        .usecases
        .queries
        .connections(&caller, &filter, before, limit)
        .await?;
    let next_link = page.next.map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let listed = parameters.state.map(ListedState::as_str);
        for (name, value) in [
            ("database", parameters.database.as_deref()),
            ("source", parameters.source.as_deref()),
            ("state", listed),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("limit", &limit.to_string());
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
