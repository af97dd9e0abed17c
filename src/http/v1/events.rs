//! `GET /v1/connections/{id}/events`

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::{ActorId, Code, ConnectionId, EventKind, OperationId, RecordedEvent, TenantId};
use crate::http::extract::{Authorized, Path, Query, Read};
use crate::http::openapi::event_details;
use crate::http::openapi::{ErrorCodes, ErrorResponses, examples};
use crate::http::{AppState, Problem, links, response};

/// The list that page tokens are for.
const LIST: &str = "events";

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParameters {
    /// How many events at the most: 1 to 200, 50 if not given.
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u32>,
    /// Where the page begins: taken from `nextLink`.
    page_token: Option<String>,
}

/// A page of events, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventList {
    /// The events.
    value: Vec<LedgerEvent>,
    /// The next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_link: Option<String>,
}

/// One event of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LedgerEvent {
    /// Its own id.
    id: Uuid,
    /// Its place in the ledger: later events have higher numbers, with gaps.
    sequence: i64,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// What happened.
    #[schema(value_type = EventKind)]
    kind: String,
    /// The connection that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    connection_id: Option<Uuid>,
    /// The operation that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    operation_id: Option<Uuid>,
    /// Who caused it, by pseudonym.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    actor_id: Option<Uuid>,
    /// The app that acted in their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    app_id: Option<Uuid>,
    /// The HTTP request it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<String>,
    /// The tenant of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    target_tenant_id: Option<Uuid>,
    /// The tenants of the source, where they are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    source_tenant_ids: Vec<Uuid>,
    #[schema(schema_with = event_details)]
    details: Value,
}

impl From<RecordedEvent> for LedgerEvent {
    fn from(recorded: RecordedEvent) -> Self {
        let event = recorded.event;
        Self {
            id: event.id,
            sequence: recorded.sequence,
            occurred_at: event.occurred_at,
            kind: event.kind,
            connection_id: event.connection.map(ConnectionId::uuid),
            operation_id: event.operation.map(OperationId::uuid),
            actor_id: event.actor.map(ActorId::uuid),
            app_id: event.app,
            request_id: event.request_id,
            target_tenant_id: event.target_tenant.map(TenantId::uuid),
            source_tenant_ids: event.source_tenant.map(TenantId::uuid).into_iter().collect(),
            details: event.details,
        }
    }
}

struct EventsErrors;

impl ErrorCodes for EventsErrors {
    const CODES: &'static [Code] = &[Code::NotFound];
}

/// Read a connection's events
///
/// The connection's part of the ledger: what was requested, decided, sent and answered, oldest first, in pages.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/events",
    operation_id = "listConnectionEvents",
    tag = "connections",
    params(("id" = Uuid, Path, description = "The connection's id"), EventParameters),
    responses(
        (status = 200, description = "A page", body = EventList, example = json!(examples::events())),
        ErrorResponses<EventsErrors>,
    )
)]
pub(crate) async fn events(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Read>,
    Path(id): Path<Uuid>,
    Query(parameters): Query<EventParameters>,
) -> Result<Response, Problem> {
    let limit = links::page_size(parameters.limit)?;
    let after: Option<i64> = links::page_position(LIST, parameters.page_token.as_deref())?;
    let page = state
        .usecases
        .queries
        .events(&caller, ConnectionId::new(id), after.unwrap_or(0), limit)
        .await?;
    let next_link = page.next.map(|last| {
        let token = links::page_token(LIST, &last.to_string());
        links::to(
            &state,
            &format!("/v1/connections/{id}/events?limit={limit}&pageToken={token}"),
        )
    });
    Ok(response::json(&EventList {
        value: page.events.into_iter().map(Into::into).collect(),
        next_link,
    }))
}
