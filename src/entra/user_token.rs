//! A caller's token that has passed every check.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::{Person, TenantId};

/// A validated access token for this API. Prints as whose it is and how long, never as itself. Cheap to clone.
///
/// That it exists means that it was valid when it was checked: its holder checks [`UserToken::expires_at`].
#[derive(Clone)]
pub struct UserToken {
    inner: Arc<Inner>,
}

struct Inner {
    secret: SecretString,
    digest: [u8; 32],
    facts: Facts,
}

/// What the claims of a valid token say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) person: Person,
    pub(super) app: Uuid,
    pub(super) scopes: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) unique_id: Option<String>,
    pub(super) username: Option<String>,
    pub(super) takes_claims_challenges: bool,
}

impl UserToken {
    /// Joins a token with what validation found in it. Only validation makes these.
    pub(super) fn new(secret: SecretString, facts: Facts) -> Self {
        let digest = Sha256::digest(secret.expose_secret().as_bytes()).into();
        Self {
            inner: Arc::new(Inner {
                secret,
                digest,
                facts,
            }),
        }
    }

    /// The user (`tid`, `oid`).
    #[must_use]
    pub fn person(&self) -> Person {
        self.inner.facts.person
    }

    /// The tenant that issued it (`tid`).
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.inner.facts.person.tenant
    }

    /// The app that the user called with (`azp`, `appid`).
    #[must_use]
    pub fn app(&self) -> Uuid {
        self.inner.facts.app
    }

    /// Whether it carries a delegated scope (`scp`); compared exactly.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.inner.facts.scopes.iter().any(|held| held == scope)
    }

    /// Whether its tenant has given the user an app role (`roles`); compared exactly. Says nothing beyond that tenant.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.inner.facts.roles.iter().any(|held| held == role)
    }

    /// When it expires (`exp`), without any skew.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.inner.facts.expires_at
    }

    /// The token's own id (`uti`), as the tenant's sign-in log names it.
    #[must_use]
    pub fn unique_id(&self) -> Option<&str> {
        self.inner.facts.unique_id.as_deref()
    }

    /// The user's name for display. Can be changed and reused: never an identity.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.inner.facts.username.as_deref()
    }

    /// Whether the calling app declared that it can answer a claims challenge (`xms_cc` holds `cp1`). The claim is there only
    /// if this API's registration lists it as an optional claim.
    #[must_use]
    pub fn takes_claims_challenges(&self) -> bool {
        self.inner.facts.takes_claims_challenges
    }

    /// The token itself, to be exchanged.
    pub(super) fn assertion(&self) -> &SecretString {
        &self.inner.secret
    }

    /// SHA-256 of the token: what caches key by.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.inner.digest
    }
}

#[cfg(test)]
impl UserToken {
    /// An unchecked token, for tests of token stores.
    pub(crate) fn unchecked(person: Person, expires_at: DateTime<Utc>) -> Self {
        let facts = Facts {
            person,
            app: Uuid::nil(),
            scopes: Vec::new(),
            roles: Vec::new(),
            expires_at,
            unique_id: None,
            username: None,
            takes_claims_challenges: false,
        };
        Self::new(SecretString::from("unchecked"), facts)
    }
}

impl fmt::Debug for UserToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UserToken")
            .field("person", &self.inner.facts.person)
            .field("app", &self.inner.facts.app)
            .field("expires_at", &self.inner.facts.expires_at)
            .finish_non_exhaustive()
    }
}
