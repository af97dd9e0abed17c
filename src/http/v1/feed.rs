//! `GET /v1/events`

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::events::LedgerEvent;
use super::feed_export::{Export, NDJSON};
use crate::db::feed::{FeedEntry, FeedPosition};
use crate::domain::{Code, ConnectionId, EventKind, FieldError};
use crate::http::extract::{Authorized, Prefer, Query, Read};
use crate::http::openapi::{ErrorCodes, ErrorResponses, WaitHeader, examples};
use crate::http::server::UnderWay;
use crate::http::{AppState, Problem, links, response};
use crate::usecases::{FeedCursor, FeedFilter};

/// The list that cursors are for.
const LIST: &str = "feed";

/// Which part of the feed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedParameters {
    /// After which event to begin: a `cursor` of an earlier response to the same person, with the same `connection` and `kind`. Without
    /// it, at the beginning.
    // No example: a cursor is of one database.
    after: Option<String>,
    /// Only the events of this connection: also one of others, if you can see it.
    #[param(value_type = Option<Uuid>)]
    connection: Option<String>,
    /// Only the events of this kind.
    #[param(value_type = Option<EventKind>)]
    kind: Option<String>,
    /// The most events in a response: 1 to 200, by default 50. Lines (`application/x-ndjson`) have no limit if none is given.
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u32>,
}

/// Parsed parameters.
struct ParsedQuery {
    after: Option<FeedCursor>,
    filter: FeedFilter,
    limit: u32,
}

impl FeedParameters {
    fn parse(&self) -> Result<ParsedQuery, Problem> {
        let mut errors = Vec::new();
        let mut parse = |pointer: &str, detail: &str| {
            errors.push(FieldError {
                pointer: pointer.to_owned(),
                detail: detail.to_owned(),
            });
        };
        let after = self.after.as_deref().map(|token| links::position(LIST, token));
        if after == Some(None) {
            parse("after", "must be a `cursor` returned by GET /v1/events");
        }
        let connection = self.connection.as_deref().map(hyphenated);
        if connection == Some(None) {
            parse("connection", "must be the id of a connection: a UUID");
        }
        let kind = self.kind.as_deref().map(|word| word.parse::<EventKind>().ok());
        if kind == Some(None) {
            let words: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
            parse("kind", &format!("must be one of {}", words.join(", ")));
        }
        let limit = links::page_size(self.limit);
        errors.extend(
            limit
                .as_ref()
                .err()
                .into_iter()
                .flat_map(|problem| problem.errors.clone()),
        );
        match limit {
            Ok(limit) if errors.is_empty() => Ok(ParsedQuery {
                after: after.flatten(),
                filter: FeedFilter {
                    connection: connection.flatten().map(ConnectionId::new),
                    kind: kind.flatten(),
                },
                limit,
            }),
            _ => Err(Problem::invalid(errors)),
        }
    }
}

/// A UUID as the API writes it.
fn hyphenated(text: &str) -> Option<Uuid> {
    (text.len() == uuid::fmt::Hyphenated::LENGTH)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

/// A part of the feed, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventFeed {
    /// The events.
    value: Vec<FeedEvent>,
    /// Cursor of the next read: pass it as `after`. Also there if there are no events, which may only mean that none of those that were
    /// looked through concerns you.
    cursor: String,
    /// Whether everything was read that is there now.
    is_at_head: bool,
    /// The same as a link. There is always one: more may come.
    next_link: String,
}

/// An event and its place in the feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedEvent {
    /// Its position: later events have higher ones. Those of events that you can't see are missing.
    position: i64,
    /// Cursor of the read after it: pass it as `after`.
    cursor: String,
    /// The event.
    event: LedgerEvent,
}

impl FeedEvent {
    /// An entry of the response that ends at a cursor.
    pub(super) fn of(entry: FeedEntry, end: FeedCursor) -> Self {
        let position = entry.position;
        let at = FeedPosition { position, ..end.at };
        Self {
            position,
            cursor: token(FeedCursor { at, ..end }),
            event: entry.recorded.into(),
        }
    }
}

/// A cursor as callers see it.
pub(super) fn token(cursor: FeedCursor) -> String {
    links::page_token(LIST, &cursor.to_string())
}

struct FeedErrors;

impl ErrorCodes for FeedErrors {
    const CODES: &'static [Code] = &[Code::NotFound, Code::FeedRestarted];
}

/// Read the feed of events
///
/// What was requested, decided, sent and answered, in one order, oldest first: the events of connections that the caller made or took
/// part in, and for users with the app role `Auditor` all that touch their tenant. With `connection`, those of any connection that
/// the caller can see: also the earlier ones, of one that becomes visible to the caller later. Read on with `cursor`, with the same
/// filter: no event is left out and none comes twice. With `Prefer: wait=n` a response without events waits up to n seconds for some.
/// With `Accept: application/x-ndjson` the response has an event a line, each as in `value`, up to the newest one, and a last line
/// `{"cursor", "isAtHead"}`: without that line it is incomplete, and if `isAtHead` is false, there is more after its cursor. A 410 says
/// that the feed was restarted: read it from the beginning.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "listEvents",
    tag = "events",
    params(FeedParameters, WaitHeader),
    responses(
        (status = 200, description = "A part of the feed",
            headers(("Preference-Applied" = String, description = "How long the response could wait, if it could")),
            content((EventFeed = "application/json", example = json!(examples::feed())), (String = "application/x-ndjson", example = json!(examples::feed_lines())))),
        ErrorResponses<FeedErrors>,
    )
)]
pub(crate) async fn feed(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Read>,
    Query(parameters): Query<FeedParameters>,
    prefer: Prefer,
    under_way: Option<Extension<UnderWay>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted = parameters.parse()?;
    let as_lines = prefers_lines(&headers);
    let allowed_wait = prefer.allowed_read(&state.load, &caller);
    let (after, limit) = (wanted.after, wanted.limit);
    let feed = &state.usecases.feed;
    let page = feed
        .page(&caller, wanted.filter, after, limit, allowed_wait.wait)
        .await?;
    let applied = allowed_wait.applied();
    // A stream takes a place of its own.
    drop(allowed_wait);
    let vary = (header::VARY, HeaderValue::from_static("accept"));
    if as_lines {
        // What was asked for is there, if it was so many events.
        let is_whole = parameters.limit.is_some();
        let export = Export::new(
            state,
            caller,
            wanted.filter,
            under_way.map(|Extension(counted)| counted),
        );
        return Ok(([vary], applied, export.lines(page, is_whole)).into_response());
    }
    let cursor = token(page.cursor);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("connection", &parameters.connection), ("kind", &parameters.kind)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.append_pair("limit", &limit.to_string());
    query.append_pair("after", &cursor);
    let end = page.cursor;
    let entries = page.entries.into_iter();
    let body = response::json(&EventFeed {
        value: entries.map(|entry| FeedEvent::of(entry, end)).collect(),
        is_at_head: page.is_at_head,
        next_link: links::to(&state, &format!("/v1/events?{}", query.finish())),
        cursor,
    });
    Ok(([vary], applied, body).into_response())
}

/// Whether the caller prefers a line for each event to one JSON document (RFC 9110, section 12.5.1).
fn prefers_lines(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    let ranges: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .collect();
    let weight = |name: &str| {
        let of_name = ranges.iter().filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next()?.eq_ignore_ascii_case(name);
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            named.then_some(weight.unwrap_or(1.0))
        });
        of_name.fold(0.0, f32::max)
    };
    weight(NDJSON) > weight("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sent_to_callers_who_prefer_them() {
        let prefers = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            prefers_lines(&headers)
        };
        assert!(prefers("application/x-ndjson"));
        assert!(prefers("Application/X-NDJSON, */*;q=0.1"));
        assert!(prefers("application/json;q=0.5, application/x-ndjson"));
        assert!(!prefers("application/json, application/x-ndjson"));
        assert!(!prefers("application/x-ndjson;q=0"));
        assert!(!prefers("*/*"));
        assert!(!prefers_lines(&HeaderMap::new()));
    }
}
