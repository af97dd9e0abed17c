//! `[worker]`: how operations are followed to their end.

use std::time::Duration;

use super::Reader;
use crate::operations::Settings;

/// How long a change that is in flight keeps others of its cluster waiting at most.
const SLOT_TIMEOUT: Duration = Duration::from_secs(300);
/// How many operations the worker of one replica works on at once.
const CONCURRENCY: u32 = 32;

/// The shortest lease: a renewal has to fit in well before a third of it is over.
const SHORTEST_LEASE: Duration = Duration::from_millis(500);

pub(super) fn read(reader: &mut Reader) -> Option<Settings> {
    let second = Duration::from_secs(1);
    let lease = reader.duration("worker.lease", second * 15, second * 300);
    let interval = reader.duration("worker.interval", second * 2, second * 60);
    let poll_min = reader.duration("worker.poll_min", second, second * 60);
    let poll_max = reader.duration("worker.poll_max", second * 10, second * 300);
    let deadline = reader.duration("worker.deadline", second * 1800, second * 86_400);
    let max_queue_time = reader.duration("worker.max_queue_time", second * 43_200, second * 604_800);
    let max_request_lifetime = reader.duration("worker.max_request_lifetime", second * 300, second * 3600);
    let max_queue_length = reader.at_least("worker.max_queue_length", 1, 200);
    if lease.is_some_and(|lease| lease < SHORTEST_LEASE) {
        reader.report(
            "worker.lease",
            "must be at least 500ms: it is renewed three times in its life",
        );
    }
    if poll_min > poll_max {
        reader.report("worker.poll_min", "must not be longer than worker.poll_max");
    }
    Some(Settings {
        lease: lease?,
        interval: interval?,
        poll_min: poll_min?,
        poll_max: poll_max?,
        deadline: deadline?,
        max_queue_time: max_queue_time?,
        slot_timeout: SLOT_TIMEOUT,
        max_request_lifetime: max_request_lifetime?,
        max_queue_length: max_queue_length?,
        concurrency: CONCURRENCY,
    })
}
