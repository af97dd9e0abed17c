//! A limit that a request is over.

use std::time::Duration;

/// A limit of this service that a request is over, as the caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// A short, stable word for the limit.
    pub name: &'static str,
    /// How much it allows.
    pub quota: u32,
    /// In which time; `None` if it limits what exists at once.
    pub window: Option<Duration>,
}
