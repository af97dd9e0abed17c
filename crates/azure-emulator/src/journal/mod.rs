//! The journal: every call to the login host and to ARM, in order of arrival, with tokens decoded for reading.
//! `entry` is what is kept, `view` what a token says, `redact` what may leave the process.

mod entry;
mod redact;
mod view;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;

pub use entry::{Entry, Host};
pub use view::{GrantView, TokenKind, TokenView};

/// How many entries are kept; the oldest go first.
const CAPACITY: usize = 20_000;

/// The list of exchanges. Tests compare tokens in it, so entries hold them; `Debug` and the admin API don't show them.
#[derive(Debug)]
pub struct Journal {
    entries: Mutex<VecDeque<Entry>>,
    next: std::sync::atomic::AtomicU64,
    news: broadcast::Sender<Entry>,
}

impl Default for Journal {
    fn default() -> Journal {
        let (news, _) = broadcast::channel(256);
        Journal {
            entries: Mutex::default(),
            next: std::sync::atomic::AtomicU64::new(1),
            news,
        }
    }
}

impl Journal {
    /// All entries, in the order in which their calls arrived.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.lock().iter().cloned().collect();
        entries.sort_by_key(|entry| entry.sequence);
        entries
    }

    /// Forgets everything so far. Numbers go on.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// New entries from now on, as they are finished.
    pub fn subscribe(&self) -> broadcast::Receiver<Entry> {
        self.news.subscribe()
    }

    /// The first entry that fits, waiting for it at most `timeout`.
    pub async fn wait_for(&self, fits: impl Fn(&Entry) -> bool, timeout: Duration) -> Option<Entry> {
        // Subscribed before the look, so that nothing falls between the two.
        let mut news = self.subscribe();
        let search = async {
            loop {
                if let Some(entry) = self.entries().into_iter().find(&fits) {
                    return Some(entry);
                }
                // A receiver that fell behind has simply to look again.
                if let Err(broadcast::error::RecvError::Closed) = news.recv().await {
                    return None;
                }
            }
        };
        tokio::time::timeout(timeout, search).await.ok().flatten()
    }

    /// A number for a call that has just arrived.
    pub(crate) fn arrive(&self) -> u64 {
        self.next.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
    }

    pub(crate) fn push(&self, entry: Entry) {
        let mut entries = self.lock();
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        entries.push_back(entry.clone());
        drop(entries);
        // Nobody listening is no failure.
        let _ = self.news.send(entry);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
