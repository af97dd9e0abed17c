//! Why a use case did not do what was asked: refused for good, or not possible now. The two never mix.

use std::time::Duration;

use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use crate::domain::words::words;
use crate::domain::{Awaiting, Code, DbError, Exceeded, TenantId, Upstream};

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The same request is rejected again, as long as nothing else changes.
    #[error("refused: {0:?}")]
    Refused(Box<Refusal>),
    /// It can't be done now; nothing was changed.
    #[error("Azure can't answer now: {0:?}")]
    Unavailable(Box<Unavailable>),
    /// A concurrent change committed first.
    #[error("a concurrent change committed first: {0}")]
    Conflict(String),
    /// The database.
    #[error(transparent)]
    Database(DbError),
    /// A defect of this service.
    #[error("defect: {0}")]
    Internal(String),
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Conflict(_) => Self::Conflict(error.to_string()),
            error => Self::Database(error),
        }
    }
}

/// An upstream that can't answer.
#[derive(Debug)]
pub struct Unavailable {
    /// What could not be asked, in a sentence.
    pub detail: String,
    /// Who could not answer.
    pub upstream: Upstream,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

/// A final no.
#[derive(Debug)]
pub struct Refusal {
    /// What kind of no.
    pub code: Code,
    /// What is wrong and how to fix it; safe to show.
    pub detail: String,
    /// The members of the request that are wrong.
    pub errors: Vec<FieldError>,
    /// The access that is missing.
    pub missing: Vec<Missing>,
    /// The answer behind it.
    pub upstream: Option<Upstream>,
    /// The scope that the token lacks.
    pub scope: Option<&'static str>,
    /// What the user must sign in with, if the calling app takes challenges.
    pub challenge: Option<Box<Challenge>>,
    /// The token that would do, with the claims that a tenant demands, also where the calling app takes no challenges.
    pub wanted: Option<Box<Awaiting>>,
    /// When the same request may succeed, where that is known.
    pub retry_after: Option<Duration>,
    /// The tenant whose ARM token ARM took for none, without demanding anything of its user.
    pub refused_token: Option<TenantId>,
    /// The limit that the request is over.
    pub exceeded: Option<Exceeded>,
}

/// What a user must sign in with, and where.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The tenant that wants it, or whose resource does.
    pub tenant: TenantId,
    /// Its authorization endpoint.
    pub authorization_uri: Url,
    /// The claims, as JSON text.
    pub claims: String,
}

/// A member of the request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: a JSON pointer (RFC 6901) into the request, or a header's name.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

words! {
    /// What kind of access is missing.
    pub enum MissingKind {
        /// A user token of that tenant.
        Token => "token",
        /// A role on a resource.
        Role => "role",
        /// An administrator's consent to this service in that tenant.
        Consent => "consent",
        /// The user is neither member nor guest of that tenant.
        Membership => "membership",
        /// The tenant's policies do not let the user in, or not with this sign-in.
        Permission => "permission",
    }
}

/// Access that is missing, and how to get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Missing {
    /// In which tenant.
    #[schema(value_type = uuid::Uuid)]
    pub tenant: TenantId,
    /// What is missing.
    pub kind: MissingKind,
    /// What to do, by whom.
    pub fix: String,
    /// Where to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub url: Option<Url>,
}

impl Refusal {
    /// A refusal without further parts.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            missing: Vec::new(),
            upstream: None,
            scope: None,
            challenge: None,
            wanted: None,
            retry_after: None,
            refused_token: None,
            exceeded: None,
        }
    }

    /// A claims challenge, of whomever `detail` says. An app that has not declared that it takes challenges
    /// (`authorization_uri` is `None`) would drop it or repeat its call, so it is reported as missing access.
    pub(crate) fn challenge(
        tenant: TenantId,
        authorization_uri: Option<&Url>,
        claims: &str,
        detail: String,
    ) -> Self {
        let refusal = match authorization_uri {
            Some(uri) => Self {
                challenge: Some(Box::new(Challenge {
                    tenant,
                    authorization_uri: uri.clone(),
                    claims: claims.to_owned(),
                })),
                ..Self::new(Code::ClaimsChallenge, detail)
            },
            None => Self {
                missing: vec![Missing::proof(tenant)],
                ..Self::new(Code::AccessMissing, format!("{detail}; see `missing`"))
            },
        };
        let wanted = Awaiting {
            tenant,
            claims: Some(claims.to_owned()),
        };
        Self {
            wanted: Some(Box::new(wanted)),
            ..refusal
        }
    }

    /// With a member of the request that is wrong.
    #[must_use]
    pub fn at(mut self, pointer: &str, detail: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            pointer: pointer.to_owned(),
            detail: detail.into(),
        });
        self
    }
}

impl Missing {
    /// More proof of who the user is, which the calling app can't ask for.
    pub(crate) fn proof(tenant: TenantId) -> Self {
        let fix = format!(
            "the user has to sign in to tenant {tenant} again with more proof, such as multi-factor authentication; an app whose tokens declare the client capability cp1 is told what to ask for"
        );
        Self {
            tenant,
            kind: MissingKind::Permission,
            fix,
            url: None,
        }
    }
}

impl Error {
    /// What does not exist, or is not visible to the caller: the two are indistinguishable.
    pub(crate) fn not_found(what: &str) -> Self {
        Refusal::new(
            Code::NotFound,
            format!("there is no such {what}, or it is not visible to you"),
        )
        .into()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(Box::new(unavailable))
    }
}
