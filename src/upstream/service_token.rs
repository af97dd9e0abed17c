//! The service's own token for ARM: for reads where no user is present, and for nothing else.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::Person;
use crate::upstream::Bearer;

/// An app-only ARM token of one tenant. A type of its own, so that no write can be made with it: a write takes
/// [`Credentials`](crate::arm::Credentials), which hold tokens of users. Prints as its principal and life, never as itself.
/// Cheap to clone.
///
/// ```compile_fail,E0308
/// fn write(token: tenant_bridge::upstream::ServiceToken) -> tenant_bridge::arm::Credentials {
///     tenant_bridge::arm::Credentials { primary: token, auxiliary: Vec::new() }
/// }
/// ```
#[derive(Clone)]
pub struct ServiceToken {
    principal: Person,
    expires_at: DateTime<Utc>,
    secret: Arc<SecretString>,
}

impl ServiceToken {
    /// Wraps a token whose tenant, audience, app and life have been checked. Only `entra` makes these.
    #[must_use]
    pub fn new(principal: Person, expires_at: DateTime<Utc>, secret: SecretString) -> Self {
        Self {
            principal,
            expires_at,
            secret: Arc::new(secret),
        }
    }

    /// When it stops working.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }
}

impl Bearer for ServiceToken {
    /// The tenant, and the service principal there.
    fn principal(&self) -> Person {
        self.principal
    }

    fn bearer(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.secret.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServiceToken")
            .field("principal", &self.principal)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_token_prints_its_principal_and_never_itself() {
        let principal = Person {
            tenant: "11111111-0000-4000-8000-000000000001".parse().expect("a GUID"),
            object: "22222222-0000-4000-8000-000000000002".parse().expect("a GUID"),
        };
        let secret = SecretString::from("very.secret.token");
        let token = ServiceToken::new(principal, DateTime::UNIX_EPOCH, secret);
        let header = token.bearer().expect("a header");
        let printed = format!("{token:?} {header:?}");
        assert!(
            printed.contains("22222222") && printed.contains("1970"),
            "{printed}"
        );
        assert!(!printed.contains("secret.token"), "{printed}");
    }
}
