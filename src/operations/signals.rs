//! Hints within one replica: a record changed, an operation may be due, the feed advanced. A missed hint costs time and nothing else.

use std::sync::Arc;

use tokio::sync::{Notify, broadcast, watch};

use crate::db::feed::FeedPosition;
use crate::domain::ConnectionId;

/// How many changed connections a slow waiter may lag behind before it reads its own anyway.
const MAX_LAG: usize = 256;

/// Hints between the parts of one replica. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Signals {
    changes: broadcast::Sender<ConnectionId>,
    queue: Arc<Notify>,
    feed: Arc<Notify>,
    /// The last position of the feed, as far as this replica knows.
    head: watch::Sender<FeedPosition>,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            changes: broadcast::Sender::new(MAX_LAG),
            queue: Arc::default(),
            feed: Arc::default(),
            head: watch::Sender::new(FeedPosition::default()),
        }
    }
}

impl Signals {
    /// Announces that the record of a connection changed.
    pub(crate) fn changed(&self, connection: ConnectionId) {
        // An error only means that no task waits.
        let _ = self.changes.send(connection);
    }

    /// The connections that change from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ConnectionId> {
        self.changes.subscribe()
    }

    /// Wakes the job that claims due operations.
    pub(crate) fn wake(&self) {
        self.queue.notify_one();
    }

    /// Ends when the job was woken since the last time.
    pub(crate) async fn woken(&self) {
        self.queue.notified().await;
    }

    /// Announces that the feed may have advanced, to who reads how far.
    pub(crate) fn feed_advanced(&self) {
        self.feed.notify_one();
    }

    /// Ends when that was announced since the last time.
    pub(crate) async fn feed_may_have_advanced(&self) {
        self.feed.notified().await;
    }

    /// Announces the last position of the feed.
    pub(crate) fn set_feed_head(&self, head: FeedPosition) {
        self.head.send_if_modified(|known| {
            let is_later = head > *known;
            *known = head.max(*known);
            is_later
        });
    }

    /// Whether a request waits for the feed to advance.
    pub(crate) fn has_feed_readers(&self) -> bool {
        self.head.receiver_count() > 0
    }

    /// The last position of the feed, from now on.
    pub(crate) fn subscribe_feed(&self) -> watch::Receiver<FeedPosition> {
        self.head.subscribe()
    }
}
