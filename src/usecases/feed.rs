//! The feed: the ledger's events in one order, as far as a caller may see them.

mod cursor;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgConnection;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::authz::{Caller, Scope};
use crate::db::feed::{
    FeedEntry, FeedPosition, FeedRange, FeedRead, FeedState, FeedViewer, WINDOW, WINDOW_OF_CONNECTIONS,
};
use crate::db::{Db, DbError, feed, principals};
use crate::domain::{Code, ConnectionId, Error, EventKind, Refusal};
use crate::operations::replica::Replica;
use crate::operations::signals::Signals;
use crate::usecases::queries::Queries;
use crate::visibility::{ViewerRole, audited_tenant, role_in_feed};

pub use cursor::FeedCursor;

/// How long one request looks through the feed for what its caller may see, before it returns how far it came.
const MAX_SCAN_TIME: Duration = Duration::from_millis(300);

/// How many requests look at more than one window at once; the others return how far they came.
const MAX_SCANS: usize = 2;

/// How many requests that waited read at once: creates need the connections to the database more.
const MAX_READS_AFTER_WAITING: usize = 2;

/// The shortest time between two reads of one request that waits, however often the feed advances for others.
const MIN_READ_INTERVAL: Duration = Duration::from_millis(300);

/// Which events are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct FeedFilter {
    /// Those of this connection.
    pub connection: Option<ConnectionId>,
    /// Those of this kind.
    pub kind: Option<EventKind>,
}

/// A part of the feed.
#[derive(Debug)]
pub struct FeedPage {
    /// The events, oldest first.
    pub entries: Vec<FeedEntry>,
    /// Where the next part begins.
    pub cursor: FeedCursor,
    /// Whether everything was read that is there.
    pub is_at_head: bool,
}

/// What one request reads.
struct Reader<'a> {
    caller: &'a Caller,
    view: View,
    kind: Option<EventKind>,
    /// Of the cursors that it may continue.
    selection: u64,
    limit: i64,
}

/// Whose events a request reads.
#[derive(Clone, Copy)]
enum View {
    /// Those of one connection, seen from this side.
    Connection(ConnectionId, ViewerRole),
    /// Those that the caller may see by the record or by a role.
    Own,
}

/// Reads the feed for callers. Cheap to clone; clones share the limits.
#[derive(Clone)]
pub struct Feed {
    db: Db,
    queries: Queries,
    signals: Signals,
    replica: Replica,
    scans: Arc<Semaphore>,
    reads_after_waiting: Arc<Semaphore>,
}

impl Feed {
    pub(super) fn new(db: Db, queries: Queries, signals: Signals, replica: Replica) -> Self {
        Self {
            db,
            queries,
            signals,
            replica,
            scans: Arc::new(Semaphore::new(MAX_SCANS)),
            reads_after_waiting: Arc::new(Semaphore::new(MAX_READS_AFTER_WAITING)),
        }
    }

    /// Reads how far the feed is, if a request waits for that: once for all.
    ///
    /// # Errors
    /// When the database can't answer.
    pub(crate) async fn follow(&self) -> Result<(), DbError> {
        if self.signals.has_feed_readers() {
            let state = self.db.background(feed::state).await?;
            self.signals.set_feed_head(state.last());
        }
        Ok(())
    }

    /// The events after a cursor, from the beginning without one, at most `limit`. Where there are none, waits for some for as long as
    /// `max_wait`, unless this replica stops.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a connection that the caller may not see, [`Code::InvalidRequest`] for a cursor of another filter or
    /// caller, [`Code::FeedRestarted`] for one of another epoch.
    pub async fn page(
        &self,
        caller: &Caller,
        filter: FeedFilter,
        after: Option<FeedCursor>,
        limit: u32,
        max_wait: Duration,
    ) -> Result<FeedPage, Error> {
        caller.require(Scope::Read)?;
        let reader = Reader {
            caller,
            view: match filter.connection {
                Some(id) => View::Connection(id, self.queries.role_for_events(caller, id).await?),
                None => View::Own,
            },
            kind: filter.kind,
            selection: cursor::selection(caller, filter),
            limit: i64::from(limit),
        };
        let deadline = Instant::now() + max_wait;
        // Subscribed before the first read, so that nothing is missed between the two.
        let mut head = self.signals.subscribe_feed();
        let mut page = self.db.for_a_request(self.read(&reader, after)).await?;
        while page.entries.is_empty() && page.is_at_head {
            let Some(_turn) = self.turn(&mut head, page.cursor.at, deadline).await else {
                break;
            };
            // A long wait reads often; each read has a request's time for itself.
            page = self
                .db
                .for_a_request(self.read(&reader, Some(page.cursor)))
                .await?;
        }
        Ok(page)
    }

    /// Waits until there is more after a position, and it is this request's turn to read it; none if the wait ends before.
    async fn turn(
        &self,
        head: &mut watch::Receiver<FeedPosition>,
        after: FeedPosition,
        deadline: Instant,
    ) -> Option<SemaphorePermit<'_>> {
        let not_before = Instant::now() + MIN_READ_INTERVAL;
        let turn = async {
            head.wait_for(|head| *head > after).await.ok()?;
            sleep_until(not_before).await;
            self.reads_after_waiting.acquire().await.ok()
        };
        tokio::select! {
            turn = timeout_at(deadline, turn) => turn.ok().flatten(),
            () = self.replica.stopped() => None,
        }
    }

    /// Looks through the feed, window by window, until there is something for the caller, or for as long as one request may.
    async fn read(&self, reader: &Reader<'_>, after: Option<FeedCursor>) -> Result<FeedPage, Error> {
        let until = Instant::now() + MAX_SCAN_TIME;
        self.db
            .read(async |db| {
                let state = feed::state(db).await?;
                let mut position = beginning(after, reader.selection, &state)?;
                let viewer = FeedViewer {
                    person: principals::find(db, reader.caller.actor()).await?,
                    tenant: audited_tenant(reader.caller),
                };
                let (mut entries, mut scan) = (Vec::new(), None);
                while position < state.head {
                    let read;
                    (read, position) = reader.window(db, position, &state, viewer).await?;
                    entries = read.entries;
                    if !entries.is_empty() || Instant::now() >= until {
                        break;
                    }
                    scan = scan.or_else(|| self.scans.try_acquire().ok());
                    if scan.is_none() {
                        break;
                    }
                }
                Ok(FeedPage {
                    entries: entries.into_iter().map(|entry| reader.redact(entry)).collect(),
                    cursor: FeedCursor {
                        at: FeedPosition {
                            position,
                            ..state.last()
                        },
                        selection: reader.selection,
                    },
                    is_at_head: position >= state.head,
                })
            })
            .await
    }
}

impl Reader<'_> {
    /// What a window of the feed has for the caller, and the position up to which it was read.
    async fn window(
        &self,
        db: &mut PgConnection,
        after: i64,
        state: &FeedState,
        viewer: FeedViewer,
    ) -> Result<(FeedRead, i64), DbError> {
        let range = |length: i64| FeedRange {
            epoch: state.epoch,
            after,
            up_to: state.head.min(after.saturating_add(length)),
        };
        // What is new is cheaper to find among everybody's than connection by connection.
        let is_new = state.head - after <= WINDOW;
        let (kind, limit) = (self.kind, self.limit);
        let (read, range) = match (self.view, viewer.person, viewer.tenant) {
            (View::Connection(id, _), ..) => {
                let range = range(WINDOW_OF_CONNECTIONS);
                (feed::of_connection(db, range, id, kind, limit).await?, range)
            }
            (View::Own, Some(person), None) if !is_new => {
                let range = range(WINDOW_OF_CONNECTIONS);
                (feed::of_person(db, range, person, kind, limit).await?, range)
            }
            // Who was never recorded has no connections.
            (View::Own, None, None) => (FeedRead::default(), range(i64::MAX)),
            (View::Own, ..) => {
                let range = range(WINDOW);
                (feed::of_viewer(db, range, viewer, kind, limit).await?, range)
            }
        };
        let position = match read.entries.last() {
            Some(last) if read.has_more => last.position,
            _ => range.up_to,
        };
        Ok((read, position))
    }

    fn redact(&self, mut entry: FeedEntry) -> FeedEntry {
        let role = match self.view {
            View::Connection(_, role) => role,
            View::Own => role_in_feed(self.caller, entry.part, &entry.recorded.event),
        };
        role.redact_event(self.caller, &mut entry.recorded.event);
        entry
    }
}

/// The position after which to read.
fn beginning(after: Option<FeedCursor>, selection: u64, state: &FeedState) -> Result<i64, Error> {
    let Some(after) = after else { return Ok(0) };
    if after.selection != selection {
        let detail = "is a cursor of other events: it continues reads of the same person, with the same `connection` and `kind`, and \
                      with or without the app role `Auditor` as before; to read others, begin without `after`";
        return Err(Refusal::new(Code::InvalidRequest, format!("`after` {detail}"))
            .at("after", detail)
            .into());
    }
    // A position that was never assigned is of a database that lost it.
    if after.at.epoch == state.epoch && after.at.position <= state.head {
        return Ok(after.at.position);
    }
    Err(Refusal::new(Code::FeedRestarted, FEED_RESTARTED)
        .at("after", FEED_RESTARTED)
        .into())
}

/// What to do about a cursor of another epoch.
pub(crate) const FEED_RESTARTED: &str = "the feed was restarted since this cursor was returned, and later events may have other positions now: \
                                    read from the beginning, without `after`, and leave out events whose `id` you have already";
