//! The sequencer: assigns committed events their positions in the feed. One replica at a time; what it keeps in memory only saves work.
//!
//! An identity value is drawn before its transaction commits, so a `sequence` that is not there yet may appear later. Such a gap is
//! looked at again until every transaction that could fill it has ended. So no event is left out, and a transaction that stays open
//! keeps back its own events only.
//!
//! It relies on a number being drawn in the transaction that uses it, under its lock on the table: the sequence's cache is 1.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::canonical::{HASH_VERSION, hash};
use crate::db::feed::{self, FeedState, NewPositions, StoredEvent};
use crate::db::{Db, DbError, with_timeout};

/// After so many events without a position to assign, how far all have one is recorded all the same.
const RECORDED_EVERY: i64 = 500;

/// After so long a run ends, although there are more events. It is well below what a periodic job may take.
const MAX_RUN_TIME: Duration = Duration::from_secs(30);

/// What the name of a prepared transaction (`prepare transaction`) begins with.
const PREPARED: &str = "-1/";

/// Assigns events their positions. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub(crate) struct Sequencer {
    db: Db,
    interval: Duration,
    progress: Arc<Mutex<Option<Progress>>>,
}

/// What one transaction did.
struct Pass {
    progress: Progress,
    numbered: usize,
    /// Whether there may be more events.
    more: bool,
}

impl Sequencer {
    /// A sequencer that is to run once in `interval`.
    pub(crate) fn new(db: Db, interval: Duration) -> Self {
        Self {
            db,
            interval,
            progress: Arc::default(),
        }
    }

    /// How often it is to run.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// Assigns every committed event a position that has none, or as many as it can in half a minute. Returns how many it were; none while
    /// another replica does.
    ///
    /// # Errors
    /// When the database can't answer; the rest is done by the next run.
    pub(crate) async fn run(&self) -> Result<usize, DbError> {
        let mut known = self.progress.lock().await;
        let (mut numbered, until) = (0, Instant::now() + MAX_RUN_TIME);
        while let Some(pass) = with_timeout(self.pass(known.clone())).await? {
            *known = Some(pass.progress);
            numbered += pass.numbered;
            if !pass.more || Instant::now() >= until {
                break;
            }
        }
        Ok(numbered)
    }

    /// One transaction; none if another replica has the lock.
    async fn pass(&self, known: Option<Progress>) -> Result<Option<Pass>, DbError> {
        let mut db = self.db.begin("number events").await?;
        if !feed::try_lock(&mut db).await? {
            return Ok(None);
        }
        // Statements after the lock see what its last holder committed.
        let state = feed::state(&mut db).await?;
        let mut progress = Progress::resume(known, &state);
        if progress.has_gaps() {
            progress.keep_writers(&feed::writers(&mut db).await?);
        }
        let (first, last) = progress.ranges();
        let events = feed::stored_events(&mut db, state.epoch, &first, &last).await?;
        let more = events.len() >= feed::BATCH;
        let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
        if progress.advance(&sequences, more) {
            progress.set_writers(&feed::writers(&mut db).await?);
        }
        let (new, up_to) = (positions(&events)?, progress.numbered_up_to());
        let numbered = new.sequences.len();
        if numbered > 0 || up_to - state.numbered_up_to >= RECORDED_EVERY {
            feed::append(&mut db, &state, &new, HASH_VERSION, up_to).await?;
            db.commit().await?;
        }
        Ok(Some(Pass {
            progress,
            numbered,
            more,
        }))
    }
}

/// What is to be given positions, of these events.
fn positions(events: &[StoredEvent]) -> Result<NewPositions, DbError> {
    let mut new = NewPositions::default();
    for event in events.iter().filter(|event| !event.is_numbered) {
        new.sequences.push(event.sequence);
        new.occurred_at.push(event.occurred_at);
        new.connections.push(event.connection_id);
        new.hashes.push(hash(event).map_err(DbError::internal)?);
    }
    Ok(new)
}

/// How far the ledger was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Progress {
    epoch: i64,
    /// The lowest `sequence` that was not looked at yet.
    next: i64,
    /// Below that, what is not there and may still appear, in order.
    gaps: Vec<Gap>,
}

/// Numbers that were drawn and are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gap {
    first: i64,
    last: i64,
    /// The transactions that may have drawn them; none once all of these have ended. Unknown for a gap that was just found.
    writers: Option<BTreeSet<String>>,
}

impl Progress {
    /// What is known, where it is of this epoch, moved on to what other replicas have recorded.
    fn resume(known: Option<Self>, state: &FeedState) -> Self {
        let mut progress = known.filter(|known| known.epoch == state.epoch).unwrap_or(Self {
            epoch: state.epoch,
            next: 0,
            gaps: Vec::new(),
        });
        progress.next = progress.next.max(state.numbered_up_to + 1);
        progress.gaps.retain(|gap| gap.last > state.numbered_up_to);
        progress
    }

    fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// Forgets transactions that have ended. A read after this sees all that they committed. While a prepared one writes, none is
    /// forgotten: it had another name before.
    fn keep_writers(&mut self, now: &[String]) {
        if now.iter().any(|writer| writer.starts_with(PREPARED)) {
            return;
        }
        for writers in self.gaps.iter_mut().filter_map(|gap| gap.writers.as_mut()) {
            writers.retain(|writer| now.contains(writer));
        }
    }

    /// Names the transactions that may fill the gaps that were just found: each that has drawn such a number, and has not ended, writes
    /// to the ledger now.
    fn set_writers(&mut self, now: &[String]) {
        for gap in &mut self.gaps {
            gap.writers.get_or_insert_with(|| now.iter().cloned().collect());
        }
    }

    /// The ranges to look at, each with its first and its last number.
    fn ranges(&self) -> (Vec<i64>, Vec<i64>) {
        let gaps = self.gaps.iter().map(|gap| (gap.first, gap.last));
        gaps.chain([(self.next, i64::MAX)]).unzip()
    }

    /// Takes note of the events that were found in the ranges. With `more`, nothing after the last of them was looked at. Returns whether
    /// gaps were found.
    fn advance(&mut self, found: &[i64], more: bool) -> bool {
        let looked_up_to = match found.last() {
            Some(last) if more => *last,
            _ => i64::MAX,
        };
        let mut gaps = Vec::new();
        for gap in &self.gaps {
            let has_ended = gap.writers.as_ref().is_some_and(BTreeSet::is_empty);
            for (first, last) in missing(gap.first, gap.last, found) {
                // Who could have filled it ended before the look, and did not.
                if !(has_ended && last <= looked_up_to) {
                    let writers = gap.writers.clone();
                    gaps.push(Gap { first, last, writers });
                }
            }
        }
        let known = gaps.len();
        if let Some(last) = found.last().filter(|last| **last >= self.next) {
            let new = missing(self.next, *last, found).into_iter();
            gaps.extend(new.map(|(first, last)| Gap {
                first,
                last,
                writers: None,
            }));
            self.next = last + 1;
        }
        let has_new = gaps.len() > known;
        self.gaps = gaps;
        has_new
    }

    /// Up to where every event has a position, or was never committed.
    fn numbered_up_to(&self) -> i64 {
        self.gaps.first().map_or(self.next, |gap| gap.first) - 1
    }
}

/// The ranges between two numbers that are not among those found, which are in order.
fn missing(first: i64, last: i64, found: &[i64]) -> Vec<(i64, i64)> {
    let mut ranges = Vec::new();
    let mut next = first;
    for number in found.iter().filter(|number| (first..=last).contains(*number)) {
        if *number > next {
            ranges.push((next, number - 1));
        }
        next = number + 1;
    }
    if next <= last {
        ranges.push((next, last));
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginning() -> Progress {
        let state = FeedState {
            epoch: 1,
            numbered_up_to: 0,
            head: 0,
        };
        Progress::resume(None, &state)
    }

    fn writers(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_a_gap_hides_is_looked_for_until_every_transaction_of_then_has_ended() {
        let mut progress = beginning();
        assert!(progress.advance(&[1, 4, 5], false));
        progress.set_writers(&writers(&["3/7", "4/9"]));
        assert_eq!(progress.ranges(), (vec![2, 6], vec![3, i64::MAX]));
        assert_eq!(progress.numbered_up_to(), 1);
        // One of them ends, and a later one writes: the gap stays.
        progress.keep_writers(&writers(&["4/9", "5/1"]));
        assert!(!progress.advance(&[3], false));
        assert_eq!(progress.ranges(), (vec![2, 6], vec![2, i64::MAX]));
        // The other one has ended; the look after that decides.
        progress.keep_writers(&writers(&["5/1"]));
        assert_eq!(progress.ranges(), (vec![2, 6], vec![2, i64::MAX]));
        assert!(!progress.advance(&[], false));
        assert_eq!(progress.ranges(), (vec![6], vec![i64::MAX]));
        assert_eq!(progress.numbered_up_to(), 5);
    }

    #[test]
    fn a_gap_stays_while_a_prepared_transaction_may_fill_it() {
        let mut progress = beginning();
        progress.advance(&[1, 3], false);
        progress.set_writers(&writers(&["3/7"]));
        progress.keep_writers(&writers(&["-1/731"]));
        progress.advance(&[], false);
        assert_eq!(progress.ranges(), (vec![2, 4], vec![2, i64::MAX]));
        progress.keep_writers(&[]);
        progress.advance(&[], false);
        assert_eq!(progress.ranges(), (vec![4], vec![i64::MAX]));
    }

    #[test]
    fn what_a_full_batch_did_not_reach_is_still_to_be_looked_at() {
        let mut progress = beginning();
        progress.advance(&[1, 2, 8], false);
        progress.set_writers(&[]);
        progress.keep_writers(&[]);
        assert!(!progress.advance(&[4, 5], true));
        // Nothing was seen after 5, so 6 and 7 may be there.
        assert_eq!(progress.ranges(), (vec![6, 9], vec![7, i64::MAX]));
        assert_eq!(progress.numbered_up_to(), 5);
    }

    #[test]
    fn what_another_replica_has_recorded_is_not_looked_at_again() {
        let mut progress = beginning();
        progress.advance(&[2, 5], false);
        progress.set_writers(&[]);
        let state = FeedState {
            epoch: 1,
            numbered_up_to: 3,
            head: 2,
        };
        let progress = Progress::resume(Some(progress), &state);
        assert_eq!(progress.ranges(), (vec![3, 6], vec![4, i64::MAX]));
        let anew = FeedState {
            epoch: 2,
            numbered_up_to: 0,
            head: 0,
        };
        let progress = Progress::resume(Some(progress), &anew);
        assert_eq!(progress.ranges(), (vec![1], vec![i64::MAX]));
    }
}
