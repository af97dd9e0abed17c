//! The life of an operation: queued, sent, followed and settled under a lease.

pub(crate) mod driver;
mod lease;
pub(crate) mod queue;
pub(crate) mod replica;
mod settings;
pub(crate) mod signals;

pub use settings::Settings;
