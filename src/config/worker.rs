//! `[worker]`: how operations are followed to their end.

use std::time::Duration;

use super::Reader;

/// The shortest lease: a renewal has to fit in well before a third of it is over.
const SHORTEST_LEASE: Duration = Duration::from_millis(500);

/// How work in the background goes on.
#[derive(Debug, Clone)]
pub struct WorkerSection {
    /// How long a replica holds an operation without a sign of life before another takes it.
    pub lease: Duration,
    /// How often the worker looks for due operations when nothing wakes it.
    pub interval: Duration,
    /// The shortest wait between two looks at ARM's operation, which is a tenth of the time that it has taken.
    pub fastest_poll: Duration,
    /// The longest wait between two looks, when ARM doesn't say.
    pub slowest_poll: Duration,
    /// How long after it was sent an operation should have ended.
    pub deadline: Duration,
    /// How long a create may wait until it is sent. A removal waits until it is done.
    pub patience: Duration,
    /// How long a change in flight keeps others of the same cluster waiting at most. After that, Azure decides.
    pub turn: Duration,
    /// The longest that a request which got no answer may still take effect at ARM.
    pub request_life: Duration,
    /// How many changes of one caller may wait for one cluster.
    pub longest_queue: u32,
    /// How many operations the worker of one replica works on at once. What its callers began, or Azure carries out, doesn't
    /// count.
    pub concurrency: u32,
}

impl WorkerSection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let second = Duration::from_secs(1);
        let lease = reader.duration("worker.lease", second * 15, second * 300);
        let interval = reader.duration("worker.interval", second * 2, second * 60);
        let fastest_poll = reader.duration("worker.fastest_poll", second, second * 60);
        let slowest_poll = reader.duration("worker.slowest_poll", second * 10, second * 300);
        let deadline = reader.duration("worker.deadline", second * 1800, second * 86_400);
        let patience = reader.duration("worker.patience", second * 43_200, second * 604_800);
        let turn = reader.duration("worker.turn", second * 300, second * 3600);
        let request_life = reader.duration("worker.request_life", second * 300, second * 3600);
        let longest_queue = reader.at_least("worker.longest_queue", 1, 200);
        let concurrency = reader.at_least("worker.concurrency", 1, 32);
        if lease.is_some_and(|lease| lease < SHORTEST_LEASE) {
            reader.report(
                "worker.lease",
                "must be at least 500ms: it is renewed three times in its life",
            );
        }
        if fastest_poll > slowest_poll {
            reader.report(
                "worker.fastest_poll",
                "must not be longer than worker.slowest_poll",
            );
        }
        Some(Self {
            lease: lease?,
            interval: interval?,
            fastest_poll: fastest_poll?,
            slowest_poll: slowest_poll?,
            deadline: deadline?,
            patience: patience?,
            turn: turn?,
            request_life: request_life?,
            longest_queue: longest_queue?,
            concurrency: concurrency?,
        })
    }
}
