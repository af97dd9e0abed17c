//! Why a token could not be exchanged: what Entra said, cut down to what is safe to log and to show.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use url::Url;

use super::Entra;
use crate::domain::TenantId;

/// The AADSTS code of an application that the tenant has disabled.
const DISABLED: u32 = 7_000_112;

/// An exchange that brought no token. Its parts are those of [`ExchangeFailure`], behind one pointer, so that every `Result` that
/// may carry it stays small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeError(Box<ExchangeFailure>);

/// What is known of a failed exchange. Holds nothing of a token and nothing of Entra's prose, which may echo one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeFailure {
    /// The tenant whose token was wanted.
    pub tenant: TenantId,
    /// What it means for the caller.
    pub kind: ExchangeErrorKind,
    /// The number of the AADSTS code.
    pub code: Option<u32>,
    /// The OAuth error (RFC 6749, section 5.2, and Entra's own).
    pub error: Option<String>,
    /// Entra's refinement of it (not documented by Microsoft, but read by its own libraries).
    pub suberror: Option<String>,
    /// Finds the request in the tenant's sign-in log.
    pub correlation_id: Option<String>,
    /// Finds the request at Microsoft's support.
    pub trace_id: Option<String>,
}

/// What a failed exchange means, and so who can fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeErrorKind {
    /// That tenant has not consented to this service's calls to ARM for its users.
    Consent,
    /// The user is no member or guest of that tenant.
    NotAMember,
    /// This service's application is not in that tenant, or is disabled there.
    ApplicationMissing,
    /// Entra wants more of the user: multi-factor sign-in, a compliant device, a newer sign-in.
    Challenge {
        /// What it wants, JSON as Entra wrote it, to be handed to the next sign-in. `None` when Entra named nothing.
        claims: Option<String>,
    },
    /// The user's token is no longer good enough; a new sign-in is.
    Reauthenticate,
    /// The tenant's policy says no, and a new sign-in doesn't change it.
    Denied,
    /// This service's registration, credential or request is at fault: an operator's matter.
    Configuration,
    /// Too many requests.
    Throttled {
        /// When to try again, if Entra said so.
        retry_after: Option<Duration>,
    },
    /// Entra is out of reach or in trouble.
    Unavailable {
        /// When to try again, if Entra said so.
        retry_after: Option<Duration>,
    },
    /// The answer holds a token of another tenant, audience or person. The token is dropped.
    BadAnswer,
}

impl ExchangeError {
    /// An error of which nothing but the kind is known.
    pub(super) fn bare(tenant: TenantId, kind: ExchangeErrorKind) -> Self {
        Self::from(ExchangeFailure {
            tenant,
            kind,
            code: None,
            error: None,
            suberror: None,
            correlation_id: None,
            trace_id: None,
        })
    }

    /// Where an administrator of the tenant fixes a missing consent or application; `None` for every other kind, and where this
    /// service has no page to come back to.
    #[must_use]
    pub fn consent_url(&self, entra: &Entra) -> Option<Url> {
        let mended = matches!(
            self.kind,
            ExchangeErrorKind::Consent | ExchangeErrorKind::ApplicationMissing
        );
        (mended && !self.is_disabled()).then(|| entra.settings().consent_url(self.tenant))?
    }

    /// Whether the application is in the tenant and disabled there, which no consent changes.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.code == Some(DISABLED)
    }
}

impl From<ExchangeFailure> for ExchangeError {
    fn from(failure: ExchangeFailure) -> Self {
        Self(Box::new(failure))
    }
}

impl Deref for ExchangeError {
    type Target = ExchangeFailure;

    fn deref(&self) -> &ExchangeFailure {
        &self.0
    }
}

impl ExchangeErrorKind {
    /// Whether it concerns neither the user nor the tenant, so that this service's operator has to find out why.
    #[must_use]
    pub const fn is_the_operators(&self) -> bool {
        matches!(self, Self::Configuration | Self::BadAnswer)
    }

    /// A short, stable word for logs and metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::NotAMember => "not_a_member",
            Self::ApplicationMissing => "application_missing",
            Self::Challenge { .. } => "challenge",
            Self::Reauthenticate => "reauthenticate",
            Self::Denied => "denied",
            Self::Configuration => "configuration",
            Self::Throttled { .. } => "throttled",
            Self::Unavailable { .. } => "unavailable",
            Self::BadAnswer => "bad_answer",
        }
    }

    fn sentence(&self) -> &'static str {
        match self {
            Self::Consent => {
                "consent is missing: an administrator of that tenant must allow this service to call Azure Resource Manager for its users"
            }
            Self::NotAMember => "the user is neither a member nor a guest of that tenant",
            Self::ApplicationMissing => {
                "this service's application is missing or disabled in that tenant; an administrator of it can add it by consenting"
            }
            Self::Challenge { .. } => {
                "the tenant asks more of the user's sign-in (multi-factor or device); sign in again with the claims"
            }
            Self::Reauthenticate => "the user's token is not accepted any more; sign in again",
            Self::Denied => "a policy of that tenant forbids it",
            Self::Configuration => {
                "this service's registration or credential is invalid; its operator must fix it"
            }
            Self::Throttled { .. } => "Entra is throttling; try again later",
            Self::Unavailable { .. } => "Entra is out of reach or in trouble; try again later",
            Self::BadAnswer => "Entra's answer could not be used",
        }
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "no Azure Resource Manager token for tenant {}: {}",
            self.tenant,
            self.kind.sentence()
        )?;
        if let Some(code) = self.code {
            write!(formatter, " (AADSTS{code})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ExchangeError {}

#[cfg(test)]
mod tests {
    use super::super::testing::{API, LocalEntra, OTHER};
    use super::*;

    #[tokio::test]
    async fn missing_consent_and_a_missing_application_come_with_the_page_that_mends_them() {
        let local = LocalEntra::start().await;
        let (entra, _) = local.service();
        let url = |kind| {
            ExchangeError::bare(OTHER, kind)
                .consent_url(&entra)
                .map(String::from)
        };
        let expected = format!(
            "{}{OTHER}/v2.0/adminconsent?client_id={API}&scope=https%3A%2F%2Fmanagement.azure.com%2F.default&redirect_uri=https%3A%2F%2Fbridge.example.com%2Fconsent",
            local.url
        );
        assert_eq!(url(ExchangeErrorKind::Consent), Some(expected.clone()));
        assert_eq!(url(ExchangeErrorKind::ApplicationMissing), Some(expected));
        assert_eq!(url(ExchangeErrorKind::NotAMember), None);
        // Consent does not enable what a tenant has disabled.
        let disabled = ExchangeError::from(ExchangeFailure {
            code: Some(DISABLED),
            ..(*ExchangeError::bare(OTHER, ExchangeErrorKind::ApplicationMissing)).clone()
        });
        assert_eq!(disabled.consent_url(&entra), None);
    }
}
