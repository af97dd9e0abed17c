//! How often both hosts may be asked.

use std::time::Duration;

use serde::Deserialize;

use super::{Draft, Subject, Wrong};
use crate::arm::Throttling;
use crate::entra::LONGEST_RATE;

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Limits {
    LimitTokens {
        tenant: String,
        app: Option<String>,
        requests: u32,
        seconds: u64,
    },
    UnlimitTokens {
        tenant: String,
        app: Option<String>,
    },
    SetLoopDetection {
        on: bool,
    },
    SetThrottling(Throttling),
}

impl Subject for Limits {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Limits::LimitTokens { seconds, .. } if !(1..=LONGEST_RATE).contains(&seconds) => {
                let error = "a rate is of one second at least and of a year at most";
                return Err(Wrong::Member("seconds", error, "from 1 to 31622400"));
            }
            Limits::LimitTokens {
                tenant,
                app,
                requests,
                seconds,
            } => world.limit_tokens(&tenant, app.as_deref(), requests, Duration::from_secs(seconds))?,
            Limits::UnlimitTokens { tenant, app } => world.unlimit_tokens(&tenant, app.as_deref())?,
            Limits::SetLoopDetection { on } => world.set_loop_detection(on),
            Limits::SetThrottling(throttling) => world.set_throttling(throttling),
        }
        Ok(())
    }
}
