//! Decides whether a call is sent now: the rate limit of its principal and the guard of its tenant. And whether a failed read is
//! retried.

use std::sync::Arc;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::Arm;
use super::error::{ArmError, ArmErrorKind};
use super::rate_limiter::{Key, Kind, MaxWait, RatePermit};
use super::report::Call;
use crate::upstream::{AdmittedCall, Guard, Rejected, RejectedFor, Service, deadline};

/// How long a read of a request waits while ARM throttles its bucket.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// How long a background read waits for its permit.
const MAX_BACKGROUND_WAIT: Duration = Duration::from_secs(5);
/// A rejected write is retried after at least this: each attempt takes a commit.
const MIN_WRITE_DELAY: Duration = Duration::from_secs(1);

/// The permit of one call.
pub(super) struct CallPermit {
    pub(super) admitted: AdmittedCall,
    /// `None` for a call without a principal or subscription.
    pub(super) rate: Option<RatePermit>,
}

impl Arm {
    /// Acquires the permit of a call, and waits for it if the call may wait.
    pub(super) async fn acquire_permit(&self, call: &Call<'_>) -> Result<CallPermit, Rejected> {
        let kind = Kind::of(&call.method);
        let counted = call.token.filter(|_| self.0.settings.rate_limit);
        let rate = match counted.zip(subscription_of(&call.url)) {
            Some((token, subscription)) => {
                let key = Key {
                    subscription,
                    principal: token.principal(),
                    kind,
                };
                let permit = self.0.rate_limiter.acquire(key, call.name, max_wait(kind)).await;
                Some(permit.map_err(|wait| rejected(kind, wait))?)
            }
            None => None,
        };
        let guard = self.guard(call).await;
        let admitted = match kind {
            Kind::Read => guard.enter().await?,
            // A write must go out now: the lease was just checked.
            Kind::Write | Kind::Delete => guard.enter_now()?,
        };
        Ok(CallPermit { admitted, rate })
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

/// A read waits until its request's deadline, as for its slot. If ARM sent `Retry-After`, the request is answered with that instead,
/// unless it is short. A write never waits: time would pass between the check of its lease and the sending.
fn max_wait(kind: Kind) -> MaxWait {
    match (kind, deadline::left()) {
        (Kind::Read, Some(left)) => MaxWait {
            closed: MAX_WAIT.min(left / 2),
            spaced: left,
        },
        (Kind::Read, None) => MaxWait {
            closed: MAX_BACKGROUND_WAIT,
            spaced: MAX_BACKGROUND_WAIT,
        },
        (Kind::Write | Kind::Delete, _) => MaxWait {
            closed: Duration::ZERO,
            spaced: Duration::ZERO,
        },
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
