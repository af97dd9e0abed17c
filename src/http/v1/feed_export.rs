//! The feed as lines (`application/x-ndjson`): each an event, and a last one that says how far the response came.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::{HeaderValue, header};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::feed::{FeedEvent, token};
use crate::authz::Caller;
use crate::http::server::UnderWay;
use crate::http::shares::Place;
use crate::http::{AppState, Problem};
use crate::usecases::{FeedCursor, FeedFilter, FeedPage};

/// The format with an event a line.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// How many events are read at once.
const PAGE: u32 = 200;

/// How many pages wait for the client to read them.
const PAGES_AHEAD: usize = 1;

/// Events as lines, up to the newest. Runs beside the response, so that it ends at its deadline also if the client reads nothing.
pub(super) struct Export {
    state: AppState,
    caller: Caller,
    filter: FeedFilter,
    deadline: Instant,
    /// None if others need the place more: then one page is all.
    place: Option<Place>,
    /// The connection is in use until this ends.
    _under_way: Option<UnderWay>,
}

/// The last line: how far the response came.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct End {
    #[serde(serialize_with = "as_token")]
    cursor: FeedCursor,
    is_at_head: bool,
}

fn as_token<S: serde::Serializer>(cursor: &FeedCursor, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&token(*cursor))
}

impl Export {
    pub(super) fn new(
        state: AppState,
        caller: Caller,
        filter: FeedFilter,
        under_way: Option<UnderWay>,
    ) -> Self {
        Self {
            deadline: Instant::now() + state.server.longest_request,
            place: state.load.place_to_wait((&caller).into()),
            state,
            caller,
            filter,
            _under_way: under_way,
        }
    }

    /// The response, which begins with this page; nothing follows if that is all that was asked for.
    pub(super) fn lines(self, first: FeedPage, is_whole: bool) -> Response {
        let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
        let replica = self.state.usecases.driver.replica.clone();
        replica.spawn(self.run(first, is_whole, sender));
        let lines = stream::unfold(receiver, |mut receiver| async {
            let lines = receiver.recv().await?;
            Some((Ok::<Bytes, Infallible>(lines), receiver))
        });
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
        ([content_type], Body::from_stream(lines)).into_response()
    }

    async fn run(self, first: FeedPage, is_whole: bool, lines: mpsc::Sender<Bytes>) {
        let mut end = None;
        let sent = timeout_at(self.deadline, self.send(first, is_whole, &lines, &mut end));
        let stopped = self.state.usecases.driver.replica.stopped();
        let is_complete = tokio::select! {
            sent = sent => sent.is_ok(),
            () = stopped => false,
        };
        // A client that reads too slowly to take even this resumes after the last line that it has.
        if let Some(end) = end.filter(|_| !is_complete) {
            let _ = lines.try_send(line(&end).into());
        }
    }

    /// Sends pages and the last line; `end` says how far they were sent.
    async fn send(
        &self,
        first: FeedPage,
        is_whole: bool,
        lines: &mpsc::Sender<Bytes>,
        end: &mut Option<End>,
    ) {
        let mut page = Some(first);
        while let Some(current) = page.take() {
            let reached = End {
                cursor: current.cursor,
                is_at_head: current.is_at_head,
            };
            let text = current
                .entries
                .into_iter()
                .flat_map(|entry| line(&FeedEvent::of(entry, reached.cursor)));
            if lines.send(text.collect()).await.is_err() {
                // The client is gone.
                return;
            }
            *end = Some(reached);
            if !(reached.is_at_head || is_whole || self.place.is_none()) {
                page = self.next(reached.cursor).await;
            }
        }
        if let Some(end) = end {
            let _ = lines.send(line(end).into()).await;
        }
    }

    /// The page after a cursor. None if it can't be read: the last line has the cursor of the next read.
    async fn next(&self, after: FeedCursor) -> Option<FeedPage> {
        let feed = &self.state.usecases.feed;
        let next = feed.page(&self.caller, self.filter, Some(after), PAGE, Duration::ZERO);
        let next = next.await.map_err(Problem::from);
        next.inspect_err(|problem| {
            tracing::warn!(http.problem = %problem.code, "an export of the feed ends early; its client reads on from its last cursor");
        })
        .ok()
    }
}

/// One value as a line.
fn line(value: &impl Serialize) -> Vec<u8> {
    // Writing into memory does not fail, and every key is text.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}
