//! A token that ARM takes: in memory only, bound to the tenant and audience that it was checked to be for.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::domain::{Person, TenantId};

/// A token that ARM takes for reads. Writes take an [`ArmToken`] alone.
pub trait Bearer: Send + Sync {
    /// Who ARM takes the bearer for.
    fn principal(&self) -> Person;
    /// `Bearer <token>`, marked sensitive so that no layer prints it. `None` if it is no legal header value.
    fn bearer(&self) -> Option<HeaderValue>;
}

/// An ARM token of one tenant in a user's name. Prints as its tenant and life, never as itself. Cheap to clone.
#[derive(Clone)]
pub struct ArmToken {
    principal: Person,
    expires_at: DateTime<Utc>,
    secret: Arc<SecretString>,
    authorization_uri: Option<Url>,
}

impl ArmToken {
    /// Wraps a token whose tenant, audience and life have been checked. Only `entra` makes these.
    #[must_use]
    pub fn new(principal: Person, expires_at: DateTime<Utc>, secret: SecretString) -> Self {
        Self {
            principal,
            expires_at,
            secret: Arc::new(secret),
            authorization_uri: None,
        }
    }

    /// With the place where a claims challenge of this token's sends its user; `None` if the app that called takes none.
    #[must_use]
    pub fn with_authorization_uri(self, authorization_uri: Option<Url>) -> Self {
        Self {
            authorization_uri,
            ..self
        }
    }

    /// Where a claims challenge of this token's sends its user. `None` if the app that called has not declared that it takes
    /// challenges: it would not know what to do with one.
    #[must_use]
    pub fn authorization_uri(&self) -> Option<&Url> {
        self.authorization_uri.as_ref()
    }

    /// The tenant whose resources it opens.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.principal.tenant
    }

    /// Who ARM takes the bearer for: the user's object id is another one in each tenant.
    #[must_use]
    pub fn principal(&self) -> Person {
        self.principal
    }

    /// When it stops working.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// `Bearer <token>`, marked sensitive so that no layer prints it. `None` if it is no legal header value.
    #[must_use]
    pub fn bearer(&self) -> Option<HeaderValue> {
        Self::bearers([self])
    }

    /// `Bearer <token>, Bearer <token>…`: the syntax of [`AUXILIARY_HEADER`](super::AUXILIARY_HEADER). `None` if it is no legal header value.
    pub fn bearers<'a>(tokens: impl IntoIterator<Item = &'a Self>) -> Option<HeaderValue> {
        let parts: Vec<String> = tokens
            .into_iter()
            .map(|token| format!("Bearer {}", token.secret.expose_secret()))
            .collect();
        let mut value = HeaderValue::try_from(parts.join(", ")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Bearer for ArmToken {
    fn principal(&self) -> Person {
        Self::principal(self)
    }

    fn bearer(&self) -> Option<HeaderValue> {
        Self::bearer(self)
    }
}

impl fmt::Debug for ArmToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ArmToken")
            .field("principal", &self.principal)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_prints_its_tenant_and_never_itself() {
        let principal = Person {
            tenant: "11111111-0000-4000-8000-000000000001".parse().expect("a GUID"),
            object: "22222222-0000-4000-8000-000000000002".parse().expect("a GUID"),
        };
        let token = ArmToken::new(
            principal,
            DateTime::UNIX_EPOCH,
            SecretString::from("very.secret.token"),
        );
        let header = token.bearer().expect("a header");
        let printed = format!("{token:?} {header:?}");
        assert!(printed.contains("11111111"), "{printed}");
        assert!(!printed.contains("secret.token"), "{printed}");
    }
}
