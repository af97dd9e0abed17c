//! Hints within one replica: a record changed, an operation may be due, the feed has more. A missed hint costs time and nothing else.

use std::sync::Arc;

use tokio::sync::{Notify, broadcast, watch};

use crate::domain::ConnectionId;

/// How many changed connections a slow waiter may lag behind before it reads its own anyway.
const MAX_LAG: usize = 256;

/// Hints between the parts of one replica. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Signals {
    changes: broadcast::Sender<ConnectionId>,
    queue: Arc<Notify>,
    feed: watch::Sender<()>,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            changes: broadcast::Sender::new(MAX_LAG),
            queue: Arc::default(),
            feed: watch::Sender::new(()),
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

    /// Announces that events were given positions in the feed.
    pub(crate) fn feed_advanced(&self) {
        self.feed.send_replace(());
    }

    /// Changes whenever the feed may have more from now on.
    pub(crate) fn subscribe_feed(&self) -> watch::Receiver<()> {
        self.feed.subscribe()
    }
}
