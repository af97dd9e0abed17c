//! Why a call gave nothing to work with, and how sure one may be that it changed nothing.

use std::fmt;
use std::time::Duration;

use super::refusal::Refusal;
use super::report::CallReport;
use crate::upstream::Rejected;

/// A call that failed. Holds no token, no body and no URL; it can be logged as it is.
#[derive(Debug, Clone)]
pub struct ArmError {
    /// Which call, such as `PUT data connection`.
    pub call: &'static str,
    /// What went wrong.
    pub kind: ArmErrorKind,
    /// The call's ids and its time, for the log and for a support case at Microsoft.
    pub report: CallReport,
}

/// What went wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArmErrorKind {
    /// No byte of the request left: no connection, no TLS, or the request could not be made. Says which.
    NotSent(String),
    /// This service did not send it, by its own decision: ARM is failing for this tenant, or would refuse more calls. Later it
    /// may.
    Rejected(Rejected),
    /// A time-out or a reset after bytes may have left.
    NoAnswer,
    /// A definite refusal of ARM's with a 4xx: what was asked for was not done.
    Refused(Box<Refusal>),
    /// A refusal with 429: not done, and to be tried again later.
    Throttled(Box<Refusal>),
    /// A 5xx, or a 408: whether it was done is not known.
    ServerError(Box<Refusal>),
    /// A success whose headers or body make no sense, a status that no call expects, or a 4xx that is not ARM's own word.
    Unreadable,
    /// A redirect, an operation or a next page on another host. Nothing was sent there.
    ForeignHost,
}

impl ArmError {
    /// Whether a write that failed like this may nevertheless have been done. Means nothing for a read.
    ///
    /// A success that can't be read and an operation on another host count: the change was accepted by then.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self.kind {
            ArmErrorKind::NotSent(_)
            | ArmErrorKind::Rejected(_)
            | ArmErrorKind::Refused(_)
            | ArmErrorKind::Throttled(_) => false,
            ArmErrorKind::NoAnswer
            | ArmErrorKind::ServerError(_)
            | ArmErrorKind::Unreadable
            | ArmErrorKind::ForeignHost => true,
        }
    }

    /// What ARM said, if it said anything.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.kind {
            ArmErrorKind::Refused(refusal)
            | ArmErrorKind::Throttled(refusal)
            | ArmErrorKind::ServerError(refusal) => Some(refusal),
            ArmErrorKind::NotSent(_)
            | ArmErrorKind::Rejected(_)
            | ArmErrorKind::NoAnswer
            | ArmErrorKind::Unreadable
            | ArmErrorKind::ForeignHost => None,
        }
    }

    /// When it is worth trying again, where ARM or this service itself said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.kind {
            ArmErrorKind::Rejected(rejected) => Some(rejected.retry_after),
            _ => self.refusal().and_then(|refusal| refusal.retry_after),
        }
    }

    /// Whether ARM refused with this code, whatever its case.
    #[must_use]
    pub fn is_code(&self, code: &str) -> bool {
        self.refusal().is_some_and(|refusal| refusal.is_code(code))
    }

    /// Whether ARM did nothing and only wants the same asked later: throttling, what takes one change at a time, and what this
    /// service rejected itself. A lock is none of these: a person must remove it.
    #[must_use]
    pub fn is_deferred(&self) -> bool {
        let busy = [
            "ServiceIsInMaintenance",
            "AnotherOperationInProgress",
            "OperationInProgress",
        ];
        match self.kind {
            ArmErrorKind::Throttled(_) | ArmErrorKind::Rejected(_) => true,
            // With a 5xx, the same code says nothing of what was done.
            ArmErrorKind::Refused(_) => busy.iter().any(|code| self.is_code(code)),
            _ => false,
        }
    }

    /// The HTTP status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// Whether ARM says that the thing asked for is not there. Codes that name something outside of it
    /// (`SubscriptionNotFound`, `ResourceGroupNotFound`, `ParentResourceNotFound`) don't count: they prove nothing of it.
    pub(super) fn says_absent(&self) -> bool {
        self.status() == Some(404) && self.is_code("ResourceNotFound")
    }
}

impl fmt::Display for ArmError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.call, self.kind)
    }
}

impl std::error::Error for ArmError {}

impl fmt::Display for ArmErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => write!(formatter, "not sent ({why})"),
            Self::Rejected(rejected) => rejected.fmt(formatter),
            Self::NoAnswer => formatter.write_str("no answer from Azure Resource Manager"),
            Self::Refused(refusal) | Self::Throttled(refusal) | Self::ServerError(refusal) => {
                write!(
                    formatter,
                    "Azure Resource Manager answered {} {}",
                    refusal.status,
                    refusal.code.as_deref().unwrap_or("without a code")
                )
            }
            Self::Unreadable => formatter.write_str("Azure Resource Manager's answer can't be read"),
            Self::ForeignHost => formatter
                .write_str("Azure Resource Manager's answer leads to another host, which is not called"),
        }
    }
}
