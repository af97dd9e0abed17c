//! What a call to ARM is made of, and what is known of it beside its answer.

use std::time::Duration;

use http::Method;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::upstream::{ArmToken, BearerToken};

/// The id under which a change is found again in Azure's activity log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTrace {
    /// Sent as `x-ms-correlation-request-id` and as `x-ms-client-request-id`.
    pub correlation_id: Uuid,
}

/// What is known of a call beside its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallReport {
    /// `x-ms-request-id`: ARM's id of this call.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id` as ARM answered it, or as it was sent when no answer came.
    pub correlation_id: Option<String>,
    /// From before the connection was made to the last byte of the answer.
    pub duration: Duration,
    /// The smallest of ARM's counters of what the caller has left. A hint.
    pub remaining: Option<u32>,
}

/// A call that is about to be made.
#[derive(Clone)]
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) token: Option<&'a BearerToken>,
    pub(super) auxiliary: &'a [ArmToken],
    pub(super) body: Option<&'a Value>,
    pub(super) trace: CallTrace,
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
