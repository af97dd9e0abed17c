//! What decides whether a call leaves now: the pace of its principal's calls, and the line to its tenant's side of ARM. And whether
//! a read that failed is made once more.

use std::sync::Arc;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::Arm;
use super::call::Call;
use super::error::{ArmError, ArmErrorKind};
use super::pace::{Key, Kind, Longest, RatePermit};
use crate::upstream::Guard;
use crate::upstream::OnLine;
use crate::upstream::Rejected;
use crate::upstream::RejectedFor;
use crate::upstream::Service;
use crate::upstream::deadline;

/// How long a read waits in a request where ARM has refused the one before.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How long a read waits for its turn in the background.
const LONGEST_WAIT_UNSEEN: Duration = Duration::from_secs(5);
/// A write that has no turn comes again after at least this: each time takes a commit.
const SHORTEST_DELAY: Duration = Duration::from_secs(1);

/// A call's leave.
pub(super) struct CallPermit {
    pub(super) line: OnLine,
    /// `None` where there is nobody to count for.
    pub(super) pace: Option<RatePermit>,
}

impl Arm {
    /// Asks to make a call, and waits for its turn where it may wait.
    pub(super) async fn leave(&self, call: &Call<'_>) -> Result<CallPermit, Rejected> {
        let kind = Kind::of(&call.method);
        let counted = call.token.filter(|_| self.0.settings.rate_limit);
        let pace = match counted.zip(subscription_of(&call.url)) {
            Some((token, subscription)) => {
                let key = Key {
                    subscription,
                    principal: token.principal(),
                    kind,
                };
                let turn = self.0.pace.turn(key, call.name, longest_wait(kind)).await;
                Some(turn.map_err(|wait| held_back(kind, wait))?)
            }
            None => None,
        };
        let line = self.line(call).await;
        let line = match kind {
            Kind::Read => line.enter().await?,
            // A write has leave for this moment, by its lease.
            Kind::Write | Kind::Delete => line.enter_now()?,
        };
        Ok(CallPermit { line, pace })
    }

    /// Whether a read that failed is made once more, and after which pause: when no answer came, or one that says nothing of what
    /// was asked for.
    pub(super) async fn repetition(&self, call: &Call<'_>, error: &ArmError) -> Option<Duration> {
        let asked = match &error.kind {
            ArmErrorKind::ServerError(refusal) | ArmErrorKind::Throttled(refusal) => refusal.retry_after,
            ArmErrorKind::NotSent(_)
            | ArmErrorKind::NoAnswer
            | ArmErrorKind::Unreadable
            | ArmErrorKind::ForeignHost => None,
            ArmErrorKind::Rejected(_) | ArmErrorKind::Refused(_) => return None,
        };
        self.line(call).await.repetition(asked)
    }

    /// The line that a call goes over: its tenant's, or its subscription's where the tenant is what is asked for.
    async fn line(&self, call: &Call<'_>) -> Arc<Guard> {
        let tenant = call.token.map(|token| token.principal().tenant.uuid());
        let of = tenant.or_else(|| subscription_of(&call.url)).unwrap_or_default();
        self.0.lines.of(of).await
    }
}

/// A read waits for its turn as long as somebody waits for it, as for its place. Where ARM said when to come back, they are told
/// so instead, unless that is soon. A write never waits: time would pass between the last look at its lease and its leaving.
fn longest_wait(kind: Kind) -> Longest {
    match (kind, deadline::left()) {
        (Kind::Read, Some(left)) => Longest {
            closed: LONGEST_WAIT.min(left / 2),
            spaced: left,
        },
        (Kind::Read, None) => Longest {
            closed: LONGEST_WAIT_UNSEEN,
            spaced: LONGEST_WAIT_UNSEEN,
        },
        (Kind::Write | Kind::Delete, _) => Longest {
            closed: Duration::ZERO,
            spaced: Duration::ZERO,
        },
    }
}

fn held_back(kind: Kind, wait: Duration) -> Rejected {
    let shortest = match kind {
        Kind::Read => Duration::ZERO,
        Kind::Write | Kind::Delete => SHORTEST_DELAY,
    };
    let held_back = Rejected {
        reason: RejectedFor::Pace,
        retry_after: wait.max(shortest),
    };
    held_back.counted(Service::Arm)
}

/// The subscription in a URL of ARM's.
fn subscription_of(url: &Url) -> Option<Uuid> {
    let mut segments = url.path_segments()?;
    let (first, id) = (segments.next()?, segments.next()?);
    first
        .eq_ignore_ascii_case("subscriptions")
        .then(|| Uuid::try_parse(id).ok())
        .flatten()
}
