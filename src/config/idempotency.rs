//! `[idempotency]`: how long a request with an `Idempotency-Key` can be repeated.

use std::time::Duration;

use super::Reader;
use crate::usecases::IdempotencySettings;

pub(super) fn read(reader: &mut Reader) -> Option<IdempotencySettings> {
    let hour = Duration::from_secs(3600);
    let retention = reader.duration("idempotency.retention", hour * 24 * 7, hour * 24 * 365);
    Some(IdempotencySettings {
        retention: retention?,
        sweep_every: hour,
    })
}
