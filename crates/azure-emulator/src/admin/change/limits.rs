//! How often both hosts may be asked.

use std::time::Duration;

use serde::Deserialize;

use super::{Draft, Subject, Wrong};
use crate::arm::{BucketSize, ThrottledBody, Throttling};
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
    /// What is left out is as at ARM.
    SetThrottling {
        #[serde(default)]
        enforced: bool,
        reads: Option<Bucket>,
        writes: Option<Bucket>,
        deletes: Option<Bucket>,
        global_factor: Option<u32>,
        body: Option<Body>,
    },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Bucket {
    calls: u32,
    refill_per_second: u32,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Body {
    Subscription,
    BackendStorage,
    Resource,
    Plain,
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
            Limits::SetThrottling {
                enforced,
                reads,
                writes,
                deletes,
                global_factor,
                body,
            } => {
                let usual = Throttling::default();
                let size = |bucket: Option<Bucket>, usual| bucket.map_or(usual, BucketSize::from);
                world.set_throttling(Throttling {
                    enforced,
                    reads: size(reads, usual.reads),
                    writes: size(writes, usual.writes),
                    deletes: size(deletes, usual.deletes),
                    global_factor: global_factor.unwrap_or(usual.global_factor),
                    body: body.map(ThrottledBody::from),
                });
            }
        }
        Ok(())
    }
}

impl From<Bucket> for BucketSize {
    fn from(bucket: Bucket) -> BucketSize {
        BucketSize {
            calls: bucket.calls,
            refill_per_second: bucket.refill_per_second,
        }
    }
}

impl From<Body> for ThrottledBody {
    fn from(body: Body) -> ThrottledBody {
        match body {
            Body::Subscription => ThrottledBody::Subscription,
            Body::BackendStorage => ThrottledBody::BackendStorage,
            Body::Resource => ThrottledBody::Resource,
            Body::Plain => ThrottledBody::Plain,
        }
    }
}
