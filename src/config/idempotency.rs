//! `[idempotency]`: how long a request with an `Idempotency-Key` can be repeated.

use std::time::Duration;

use super::Reader;

/// How idempotency keys are kept.
#[derive(Debug, Clone)]
pub struct IdempotencySection {
    /// How long a key stands for what the request with it led to.
    pub keep: Duration,
    /// How often keys that are older are deleted.
    pub sweep_every: Duration,
}

impl IdempotencySection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let hour = Duration::from_secs(3600);
        let keep = reader.duration("idempotency.keep", hour * 24 * 7, hour * 24 * 365);
        let sweep_every = reader.duration("idempotency.sweep_every", hour, hour * 24);
        Some(Self {
            keep: keep?,
            sweep_every: sweep_every?,
        })
    }
}
