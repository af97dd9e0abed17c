//! What the answer to a check of access means: yes, no, or that it can't be determined now.

use crate::arm::{ArmError, ArmErrorKind};
use crate::entra::{ExchangeError, ExchangeErrorKind};
use crate::upstream::ArmToken;

/// Why access cannot be determined now.
#[derive(Debug, Clone)]
pub(super) enum CheckUnavailable {
    Exchange(ExchangeError),
    Arm(Box<(ArmError, ArmToken)>),
}

/// The result of a check; a denial by ARM is one.
pub(super) fn no_or_unavailable(looked: Result<bool, CheckUnavailable>) -> Result<bool, CheckUnavailable> {
    match looked {
        Err(CheckUnavailable::Arm(answer)) if is_no(&answer.0) => Ok(false),
        looked => looked,
    }
}

/// Whether Entra may answer differently in a moment.
pub(super) fn is_outage(error: &ExchangeError) -> bool {
    matches!(
        error.kind,
        ExchangeErrorKind::Throttled { .. } | ExchangeErrorKind::Unavailable { .. }
    )
}

/// Whether ARM said no, and meant the right: what it wants of the sign-in is another matter, and so is an outage.
pub(super) fn is_no(error: &ArmError) -> bool {
    matches!(&error.kind, ArmErrorKind::Refused(refusal) if refusal.claims.is_none())
}

/// Whether Entra issues no token of the tenant to this user, however they sign in.
pub(super) fn is_shut_out(error: &ExchangeError) -> bool {
    matches!(
        error.kind,
        ExchangeErrorKind::Consent
            | ExchangeErrorKind::NotAMember
            | ExchangeErrorKind::ApplicationMissing
            | ExchangeErrorKind::Denied
    )
}
