//! `GET /v1/events`

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::events::LedgerEvent;
use crate::authz::Caller;
use crate::db::feed::FeedEntry;
use crate::domain::{Code, ConnectionId, EventKind, FieldError};
use crate::http::extract::{Authorized, Prefer, Query, Read};
use crate::http::openapi::{ErrorCodes, ErrorResponses, WaitHeader, examples};
use crate::http::shares::Place;
use crate::http::{AppState, Problem, links, response};
use crate::usecases::{FeedCursor, FeedFilter, FeedPage};

/// The list that cursors are for.
const LIST: &str = "feed";

/// The format with an event a line.
const NDJSON: &str = "application/x-ndjson";

/// Which part of the feed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedParameters {
    /// After which event to begin: a `cursor` of an earlier response. Without it, at the beginning.
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
            parse(
                "after",
                "is no cursor of the feed; take it from `cursor` of a response",
            );
        }
        let connection = self.connection.as_deref().map(hyphenated);
        if connection == Some(None) {
            parse("connection", "must be the id of a connection: a UUID");
        }
        let kind = self.kind.as_deref().map(|word| word.parse::<EventKind>().ok());
        if kind == Some(None) {
            parse(
                "kind",
                "is no kind of event; `kind` of an event shows how they are written",
            );
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
    /// Where to go on: pass it as `after`. Also there if there are no events, which may only mean that none of those that were looked
    /// through concerns you.
    cursor: String,
    /// The same as a link. There is always one: more may come.
    next_link: String,
}

/// An event and its place in the feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FeedEvent {
    /// Its position: later events have higher ones. Those of events that you can't see are missing.
    position: i64,
    /// Where to go on after it: pass it as `after`.
    cursor: String,
    /// The event.
    event: LedgerEvent,
}

impl FeedEvent {
    fn of(entry: FeedEntry, epoch: i64) -> Self {
        let position = entry.position;
        Self {
            position,
            cursor: token(FeedCursor { epoch, position }),
            event: entry.recorded.into(),
        }
    }
}

fn token(cursor: FeedCursor) -> String {
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
/// the caller can see. Read on with `cursor`: no event is left out and none comes twice. With `Prefer: wait=n` a response without
/// events waits up to n seconds for some. With `Accept: application/x-ndjson` the response has an event a line, each as in `value`, up
/// to the newest one. A 410 says that the feed was begun anew: read it from the beginning.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "listEvents",
    tag = "events",
    params(FeedParameters, WaitHeader),
    responses(
        (status = 200, description = "A part of the feed", body = EventFeed,
            headers(("Preference-Applied" = String, description = "How long the response could wait, if it could")),
            example = json!(examples::feed())),
        ErrorResponses<FeedErrors>,
    )
)]
pub(crate) async fn feed(
    State(state): State<AppState>,
    Authorized { caller, .. }: Authorized<Read>,
    Query(parameters): Query<FeedParameters>,
    prefer: Prefer,
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
        let place = state.load.place_to_wait((&caller).into());
        let export = Export {
            deadline: Instant::now() + state.server.longest_request,
            // What was asked for is there, or others need the place more.
            is_whole: parameters.limit.is_some() || place.is_none(),
            _place: place,
            state,
            caller,
            filter: wanted.filter,
        };
        return Ok(([vary], applied, export.lines(page)).into_response());
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
    let epoch = page.cursor.epoch;
    let entries = page.entries.into_iter();
    let body = response::json(&EventFeed {
        value: entries.map(|entry| FeedEvent::of(entry, epoch)).collect(),
        next_link: links::to(&state, &format!("/v1/events?{}", query.finish())),
        cursor,
    });
    Ok(([vary], applied, body).into_response())
}

/// Events as lines, up to the newest.
struct Export {
    state: AppState,
    caller: Caller,
    filter: FeedFilter,
    /// When it ends: its reader goes on after the last line.
    deadline: Instant,
    /// Whether the first page is all of it.
    is_whole: bool,
    _place: Option<Place>,
}

/// How many events are read at once for lines.
const LINES_AT_ONCE: u32 = 200;

impl Export {
    fn lines(self, first: FeedPage) -> Response {
        let stream = stream::try_unfold((self, Some(first)), |(export, page)| async move {
            let Some(page) = page else { return Ok(None) };
            let lines = lines(&page);
            let next = export.next(&page).await?;
            Ok::<_, io::Error>(Some((lines?, (export, next))))
        });
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
        ([content_type], Body::from_stream(stream)).into_response()
    }

    /// The page after this one; none at the end. A failure ends the response before its end, which its reader notices.
    async fn next(&self, page: &FeedPage) -> io::Result<Option<FeedPage>> {
        let stops = self.state.usecases.driver.replica.is_stopping() || Instant::now() >= self.deadline;
        if page.is_at_head || self.is_whole || stops {
            return Ok(None);
        }
        let no_wait = std::time::Duration::ZERO;
        let feed = &self.state.usecases.feed;
        let next = feed.page(
            &self.caller,
            self.filter,
            Some(page.cursor),
            LINES_AT_ONCE,
            no_wait,
        );
        next.await.map(Some).map_err(|error| {
            let code = Problem::from(error).code;
            tracing::warn!(http.problem = %code, "an export of events ends before its end; its reader can go on after the last line");
            io::Error::other("the export was interrupted")
        })
    }
}

fn lines(page: &FeedPage) -> io::Result<Bytes> {
    let mut text = Vec::new();
    for entry in &page.entries {
        serde_json::to_writer(&mut text, &FeedEvent::of(entry.clone(), page.cursor.epoch))?;
        text.push(b'\n');
    }
    Ok(text.into())
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
