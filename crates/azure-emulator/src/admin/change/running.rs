//! How the cloud runs: its clock and signing keys, how long operations take, how reads lag, how long pages are.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Draft, KeyChange, Subject, Wrong};
use crate::emulator::ParallelWrites;

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Running {
    AdvanceClock { seconds: u64 },
    SetClock { to: DateTime<Utc> },
    SetOperationDuration { milliseconds: u64 },
    SetReadLag { milliseconds: u64 },
    SetParallelWrites { mode: ParallelWrites },
    SetListPageSize { size: Option<usize> },
    RotateSigningKey {},
    RetireSigningKeys {},
}

/// A thousand years: further, and dates no longer fit.
const FARTHEST_SECONDS: u64 = 1000 * 366 * 24 * 3600;

impl Subject for Running {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Running::AdvanceClock { seconds } if seconds > FARTHEST_SECONDS => {
                let error = "the clock moves a thousand years at most";
                return Err(Wrong::Member("seconds", error, "from 0 to 31622400000"));
            }
            Running::AdvanceClock { seconds } => world.clock.advance(Duration::from_secs(seconds)),
            Running::SetClock { to } => world.clock.set(to),
            Running::SetOperationDuration { milliseconds } => {
                world.set_operation_duration(Duration::from_millis(milliseconds));
            }
            Running::SetReadLag { milliseconds } => world.set_read_lag(Duration::from_millis(milliseconds)),
            Running::SetParallelWrites { mode } => world.set_parallel_writes(mode),
            Running::SetListPageSize { size: Some(0) } => {
                let error = "a page has at least one item";
                return Err(Wrong::Member(
                    "size",
                    error,
                    "1 or more; without it a list has one page",
                ));
            }
            Running::SetListPageSize { size } => world.set_list_page_size(size),
            Running::RotateSigningKey {} => draft.keys.push(KeyChange::Rotate),
            Running::RetireSigningKeys {} => draft.keys.push(KeyChange::Retire),
        }
        Ok(())
    }
}
