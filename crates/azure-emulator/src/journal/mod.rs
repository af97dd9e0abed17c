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
/// How many bytes of headers and bodies they may hold together, so that large bodies don't fill the memory.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// The list of exchanges. Tests compare tokens in it, so entries hold them; `Debug` and the admin API don't show them.
#[derive(Debug)]
pub struct Journal {
    kept: Mutex<Kept>,
    next: std::sync::atomic::AtomicU64,
    news: broadcast::Sender<Entry>,
}

/// Entries in the order in which they were finished, which is not the order of their numbers.
#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Entry>,
    /// Their bytes together.
    bytes: usize,
    /// How many were ever finished.
    finished: u64,
}

impl Default for Journal {
    fn default() -> Journal {
        let (news, _) = broadcast::channel(256);
        Journal {
            kept: Mutex::default(),
            next: std::sync::atomic::AtomicU64::new(1),
            news,
        }
    }
}

impl Kept {
    fn take(&mut self, entry: Entry) {
        self.bytes += entry.bytes;
        while (self.entries.len() >= CAPACITY || self.bytes > MOST_BYTES)
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= oldest.bytes;
        }
        self.entries.push_back(entry);
        self.finished += 1;
    }
}

impl Journal {
    /// All entries, in the order in which their calls arrived.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.lock().entries.iter().cloned().collect();
        entries.sort_by_key(|entry| entry.sequence);
        entries
    }

    /// Forgets everything so far. Numbers go on.
    pub fn clear(&self) {
        let mut kept = self.lock();
        kept.entries.clear();
        kept.bytes = 0;
    }

    /// What fits of the entries that were finished after the first `after`, in that order, and how many are finished
    /// now: what to ask with next, so that no call is missed that took longer than a later one.
    pub fn finished_after(&self, after: u64, fits: impl Fn(&Entry) -> bool) -> (Vec<Entry>, u64) {
        let kept = self.lock();
        let gone = kept.finished - kept.entries.len() as u64;
        let seen = usize::try_from(after.saturating_sub(gone)).unwrap_or(usize::MAX);
        let young = kept.entries.iter().skip(seen).filter(|entry| fits(entry));
        (young.cloned().collect(), kept.finished)
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
        self.lock().take(entry.clone());
        // Nobody listening is no failure.
        let _ = self.news.send(entry);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Call;

    #[test]
    fn large_bodies_push_older_calls_out() {
        let journal = Journal::default();
        let large = vec![b' '; 4 * 1024 * 1024];
        for sequence in 0..100 {
            let call = Call::new(http::Method::PUT, "/x", http::HeaderMap::new(), large.clone());
            journal.push(Entry::arrived(
                sequence,
                chrono::DateTime::UNIX_EPOCH,
                Host::Arm,
                &call,
            ));
        }
        let kept: Vec<u64> = journal.entries().iter().map(|entry| entry.sequence).collect();
        assert_eq!((kept.len(), kept.last()), (63, Some(&99)));
        journal.clear();
        assert_eq!(journal.lock().bytes, 0);
        assert_eq!(journal.finished_after(0, |_| true).1, 100);
    }
}
