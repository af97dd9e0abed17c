//! The life of an operation: queued, sent, followed and settled under a lease.

pub(crate) mod driver;
pub(crate) mod queue;
