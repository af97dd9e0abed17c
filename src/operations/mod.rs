//! The life of an operation: queued, sent, followed and settled under a lease.

mod changes;
pub(crate) mod driver;
mod lease;
pub(crate) mod queue;
pub(crate) mod replica;
mod settings;
mod settlement;
pub(crate) mod signals;

pub use settings::Settings;
