//! Tokens for ARM: exchanged for a caller, stored for running operations, and the service's own.

pub(crate) mod exchange;
pub(crate) mod service_identity;
pub(crate) mod store;

use std::time::Duration;

use crate::domain::Awaiting;

/// What a request for a token came to.
#[derive(Debug)]
pub(crate) enum TokenOutcome<T> {
    /// It is here.
    Token(T),
    /// Entra can't answer now: worth another try after this long, if Entra said how long.
    Later(Option<Duration>),
    /// There is none, or Entra rejects what it would be exchanged for: this is wanted.
    Missing(Awaiting),
}
