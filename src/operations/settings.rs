//! How operations are driven.

use std::time::Duration;

/// How operations are driven.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a replica holds an operation without renewing its lease before another replica takes it over.
    pub lease: Duration,
    /// How often a replica looks for due operations when nothing wakes it.
    pub interval: Duration,
    /// The shortest pause between two polls of ARM's operation. A pause is a tenth of the time that ARM has taken.
    pub poll_min: Duration,
    /// The longest pause between two polls, when ARM names none.
    pub poll_max: Duration,
    /// How long after it was sent an operation should have ended.
    pub deadline: Duration,
    /// How long a create may wait before it is sent. A removal waits until it is done.
    pub max_queue_time: Duration,
    /// How long a change in flight may keep other changes of the same cluster waiting. After that, ARM decides.
    pub slot_timeout: Duration,
    /// The longest time after which a request without an answer may still take effect at ARM.
    pub max_request_lifetime: Duration,
    /// How many changes of one caller may wait for one cluster.
    pub max_queue_length: u32,
    /// How many operations a replica resumes at once. Operations started by its own requests, or carried out by ARM, don't
    /// count.
    pub concurrency: u32,
}
