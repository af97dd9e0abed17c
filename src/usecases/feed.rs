//! The feed: the ledger's events in one order, as far as a caller may see them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::authz::{Caller, Scope};
use crate::db::feed::{FeedEntry, FeedRange, FeedState, FeedViewer, WINDOW};
use crate::db::{Db, feed, principals};
use crate::domain::{Code, ConnectionId, Error, EventKind, Refusal};
use crate::operations::replica::Replica;
use crate::operations::signals::Signals;
use crate::usecases::queries::Queries;
use crate::visibility::{ViewerRole, audited_tenant, role_in_feed};

/// How many windows one request looks through for what its caller may see, before it returns how far it came.
const MAX_WINDOWS: usize = 20;

/// The shortest time between two reads of one request that waits, however often the feed advances for others.
const MIN_PAUSE: Duration = Duration::from_millis(300);

/// Where a reader is in the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedCursor {
    /// The epoch of the position.
    pub epoch: i64,
    /// The position of the last event that was read or passed over.
    pub position: i64,
}

impl fmt::Display for FeedCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.epoch, self.position)
    }
}

impl FromStr for FeedCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (epoch, position) = text.split_once('.').ok_or(())?;
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or(());
        Ok(Self {
            epoch: number(epoch)?,
            position: number(position)?,
        })
    }
}

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

/// Whose events a request reads.
enum View {
    /// Those of one connection, seen from this side.
    Connection(ConnectionId, ViewerRole),
    /// Those that the caller may see by the record or by a role.
    Own,
}

/// Reads the feed for callers. Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    pub(super) db: Db,
    pub(super) queries: Queries,
    pub(super) signals: Signals,
    pub(super) replica: Replica,
}

impl Feed {
    /// The events after a cursor, from the beginning without one, at most `limit`. Where there are none, waits for some for as long as
    /// `longest`, unless this replica stops.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a connection that the caller may not see, [`Code::FeedRestarted`] for a cursor of another epoch.
    pub async fn page(
        &self,
        caller: &Caller,
        filter: FeedFilter,
        after: Option<FeedCursor>,
        limit: u32,
        longest: Duration,
    ) -> Result<FeedPage, Error> {
        caller.require(Scope::Read)?;
        let view = match filter.connection {
            Some(id) => View::Connection(id, self.queries.role_for_events(caller, id).await?),
            None => View::Own,
        };
        let deadline = Instant::now() + longest;
        // Subscribed before the first read, so that nothing is missed between the two.
        let mut advanced = self.signals.subscribe_feed();
        let mut after = after;
        loop {
            let read_at = Instant::now();
            let read = self.read(caller, &view, filter.kind, after, limit);
            // A long wait reads often; each read has a request's time for itself.
            let page = self.db.for_a_request(read).await?;
            if !page.entries.is_empty()
                || !page.is_at_head
                || read_at >= deadline
                || self.replica.is_stopping()
            {
                return Ok(page);
            }
            after = Some(page.cursor);
            let wait = async {
                // It never fails: the sender is here.
                let _ = advanced.changed().await;
                sleep_until(read_at + MIN_PAUSE).await;
            };
            tokio::select! {
                _ = timeout_at(deadline, wait) => {}
                () = self.replica.stopped() => {}
            }
        }
    }

    /// Looks through the feed, window by window, until there is something for the caller.
    async fn read(
        &self,
        caller: &Caller,
        view: &View,
        kind: Option<EventKind>,
        after: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, Error> {
        self.db
            .read(async |db| {
                let state = feed::state(db).await?;
                let mut position = beginning(after, &state)?;
                let viewer = FeedViewer {
                    person: principals::find(db, caller.actor()).await?,
                    tenant: audited_tenant(caller),
                };
                let mut entries = Vec::new();
                for _ in 0..MAX_WINDOWS {
                    let up_to = match view {
                        View::Connection(..) => state.head,
                        View::Own => state.head.min(position.saturating_add(WINDOW)),
                    };
                    let range = FeedRange {
                        epoch: state.epoch,
                        after: position,
                        up_to,
                    };
                    let most = i64::from(limit);
                    let read = match view {
                        View::Connection(id, _) => feed::of_connection(db, range, *id, kind, most).await?,
                        View::Own => feed::of_viewer(db, range, viewer, kind, most).await?,
                    };
                    entries = read.entries;
                    position = match entries.last() {
                        Some(last) if read.has_more => last.position,
                        _ => up_to,
                    };
                    if !entries.is_empty() || position >= state.head {
                        break;
                    }
                }
                Ok(FeedPage {
                    entries: entries
                        .into_iter()
                        .map(|entry| redact(caller, view, entry))
                        .collect(),
                    cursor: FeedCursor {
                        epoch: state.epoch,
                        position,
                    },
                    is_at_head: position >= state.head,
                })
            })
            .await
    }
}

/// The position after which to read.
fn beginning(after: Option<FeedCursor>, state: &FeedState) -> Result<i64, Error> {
    let Some(after) = after else { return Ok(0) };
    // A position that was never given is of a database that lost it.
    if after.epoch == state.epoch && after.position <= state.head {
        return Ok(after.position);
    }
    let detail = "the feed was begun anew since this cursor was given, and what came after it may have other positions now: read from \
                  the beginning, without `after`, and leave out events whose `id` you have already";
    Err(Refusal::new(Code::FeedRestarted, detail)
        .at("after", detail)
        .into())
}

fn redact(caller: &Caller, view: &View, mut entry: FeedEntry) -> FeedEntry {
    let role = match view {
        View::Connection(_, role) => *role,
        View::Own => role_in_feed(caller, entry.part, &entry.recorded.event),
    };
    role.redact_event(caller, &mut entry.recorded.event);
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_anything_else_is_none() {
        let cursor = FeedCursor {
            epoch: 1_700_000_000_000,
            position: 42,
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in [
            "",
            "1",
            "1.",
            ".1",
            "1.-2",
            "-1.2",
            "1.2.3",
            "1.99999999999999999999",
        ] {
            assert_eq!(text.parse::<FeedCursor>(), Err(()), "{text}");
        }
    }
}
