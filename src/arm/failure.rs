//! ARM's errors, as callers and the record see them.

use super::sentences::sentence_of;
use super::{ArmError, ArmErrorKind};
use crate::domain::{Code, Error, Failure, Refusal, Unavailable, Upstream, UpstreamService};
use crate::upstream::ArmToken;

/// What ARM answered, as far as it may be shown.
pub(crate) fn upstream_of(error: &ArmError) -> Upstream {
    Upstream {
        service: UpstreamService::Arm.as_str().to_owned(),
        status: error.status(),
        code: error.refusal().and_then(|refusal| refusal.code.clone()),
        request_id: error.report.request_id.clone(),
    }
}

/// An ARM error in a read that a use case needs: a claims challenge, an outage or a refusal. `token` is what was read with.
pub(crate) fn from_arm(error: &ArmError, token: Option<&ArmToken>) -> Error {
    let upstream = Some(upstream_of(error));
    match &error.kind {
        // A busy cluster, say, is no final no.
        ArmErrorKind::Refused(refusal) if !error.is_deferred() => {
            if let (Some(claims), Some(token)) = (&refusal.claims, token) {
                let tenant = token.tenant();
                let detail = format!(
                    "Azure Resource Manager wants the user of tenant {tenant} to sign in with more proof"
                );
                return Refusal {
                    upstream,
                    ..Refusal::challenge(tenant, token.authorization_uri(), claims, detail)
                }
                .into();
            }
            let refused = token.filter(|_| refusal.status == 401);
            Refusal {
                upstream,
                refused_token: refused.map(|token| token.tenant()),
                ..Refusal::new(Code::AzureRefused, sentence_of(error))
            }
            .into()
        }
        ArmErrorKind::Refused(_)
        | ArmErrorKind::Throttled(_)
        | ArmErrorKind::ServerError(_)
        | ArmErrorKind::Rejected(_)
        | ArmErrorKind::NotSent(_)
        | ArmErrorKind::NoAnswer
        // What makes no sense says neither yes nor no: a proxy on the way, say.
        | ArmErrorKind::Unreadable
        | ArmErrorKind::ForeignHost => Unavailable {
            detail: sentence_of(error),
            upstream: upstream_of(error),
            retry_after: error.retry_after(),
        }
        .into(),
    }
}

/// The failure of an operation that an ARM error ended. It is kept and shown to everybody who sees the connection.
pub(crate) fn failure_of(code: Code, error: &ArmError) -> Failure {
    Failure {
        upstream: Some(upstream_of(error)),
        ..Failure::new(code, &sentence_of(error))
    }
}
