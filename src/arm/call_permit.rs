//! Decides whether a call is sent now: not while ARM throttles its principal, and not without a place in its tenant's guard. And whether
//! a failed read is retried.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use url::Url;
use uuid::Uuid;

use super::Arm;
use super::error::{ArmError, ArmErrorKind};
use super::report::Call;
use super::throttled::{Key, Kind};
use crate::upstream::{AdmittedCall, Guard, Rejected, RejectedFor, Service, deadline};

/// How long a read of a request waits while ARM throttles its kind.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// How long a background read does.
const MAX_BACKGROUND_WAIT: Duration = Duration::from_secs(5);
/// A rejected write is retried after at least this: each attempt takes a commit.
const MIN_WRITE_DELAY: Duration = Duration::from_secs(1);

/// The permit of one call.
pub(super) struct CallPermit {
    pub(super) admitted: AdmittedCall,
    /// As what ARM counts it; `None` for a call without a principal or subscription.
    pub(super) counted: Option<Key>,
}

impl Arm {
    /// Acquires the permit of a call, and waits for it if the call may wait.
    pub(super) async fn acquire_permit(&self, call: &Call<'_>) -> Result<CallPermit, Rejected> {
        let kind = Kind::of(&call.method);
        let counted = call.token.zip(subscription_of(&call.url));
        let counted = counted.map(|(token, subscription)| Key {
            subscription,
            principal: token.principal(),
            kind,
        });
        if let Some(key) = counted {
            self.wait_out(key, call.name).await?;
        }
        let guard = self.guard(call).await;
        let admitted = match kind {
            Kind::Read => guard.enter().await?,
            // A write must go out now: the lease was just checked.
            Kind::Write | Kind::Delete => guard.enter_now()?,
        };
        Ok(CallPermit { admitted, counted })
    }

    /// Waits while ARM throttles the kind of call, unless that takes too long.
    async fn wait_out(&self, key: Key, name: &'static str) -> Result<(), Rejected> {
        let mut wait_left = max_wait(key.kind);
        loop {
            let wait = self.0.throttled.time_left(key, name, Instant::now()).await;
            if wait.is_zero() {
                return Ok(());
            }
            if wait > wait_left {
                return Err(rejected(key.kind, wait));
            }
            sleep(wait).await;
            wait_left -= wait;
        }
    }

    /// The delay before a failed read is retried: without a response, or with one that does not answer the request. `None` if it is not
    /// retried.
    pub(super) async fn retry_delay(&self, call: &Call<'_>, error: &ArmError) -> Option<Duration> {
        let asked = match &error.kind {
            ArmErrorKind::ServerError(refusal) | ArmErrorKind::Throttled(refusal) => refusal.retry_after,
            ArmErrorKind::NotSent(_)
            | ArmErrorKind::NoAnswer
            | ArmErrorKind::Unreadable
            | ArmErrorKind::ForeignHost => None,
            ArmErrorKind::Rejected(_) | ArmErrorKind::Refused(_) => return None,
        };
        self.guard(call).await.retry_delay(asked)
    }

    /// The guard of a call: its tenant's, or its subscription's where the call discovers the tenant.
    async fn guard(&self, call: &Call<'_>) -> Arc<Guard> {
        let tenant = call.token.map(|token| token.principal().tenant.uuid());
        let of = tenant.or_else(|| subscription_of(&call.url)).unwrap_or_default();
        self.0.guards.of(of).await
    }
}

/// A request is answered with ARM's `Retry-After`, unless that is short. A write never waits: time would pass between the check of its
/// lease and the sending.
fn max_wait(kind: Kind) -> Duration {
    match (kind, deadline::left()) {
        (Kind::Read, Some(left)) => MAX_WAIT.min(left / 2),
        (Kind::Read, None) => MAX_BACKGROUND_WAIT,
        (Kind::Write | Kind::Delete, _) => Duration::ZERO,
    }
}

fn rejected(kind: Kind, wait: Duration) -> Rejected {
    let shortest = match kind {
        Kind::Read => Duration::ZERO,
        Kind::Write | Kind::Delete => MIN_WRITE_DELAY,
    };
    let rejected = Rejected {
        reason: RejectedFor::Rate,
        retry_after: wait.max(shortest),
    };
    rejected.counted(Service::Arm)
}

/// The subscription in an ARM URL.
fn subscription_of(url: &Url) -> Option<Uuid> {
    let mut segments = url.path_segments()?;
    let (first, id) = (segments.next()?, segments.next()?);
    first
        .eq_ignore_ascii_case("subscriptions")
        .then(|| Uuid::try_parse(id).ok())
        .flatten()
}
