//! Tokens that ARM accepts: in memory only, bound to the tenant and audience that they were verified for.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::domain::{Person, TenantId};

/// A token for reads at ARM, of a user or of the service. Prints as its principal and expiry, never as itself. Cheap to clone.
#[derive(Clone)]
pub struct BearerToken {
    principal: Person,
    expires_at: DateTime<Utc>,
    secret: Arc<SecretString>,
}

impl BearerToken {
    /// The tenant whose resources it opens.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.principal.tenant
    }

    /// Who ARM takes the bearer for: the object id of a user or service principal, which is another one in each tenant.
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
        bearers([self])
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BearerToken")
            .field("principal", &self.principal)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Owns a token that was issued in a user's name.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// Where a claims challenge of the token sends its user. `None` if the app that called has not declared that it handles
    /// challenges.
    authorization_uri: Option<Url>,
}

/// Owns an app-only token: this service itself, in one tenant.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServicePrincipal;

/// An ARM token of one tenant, by its owner. Every read accepts it; a write accepts a user's alone, since
/// [`Credentials`](crate::arm::Credentials) hold nothing else. Cheap to clone.
///
/// ```compile_fail,E0308
/// use tenant_bridge::upstream::{ArmToken, ServicePrincipal};
/// fn write(token: ArmToken<ServicePrincipal>) -> tenant_bridge::arm::Credentials {
///     tenant_bridge::arm::Credentials { primary: token, auxiliary: Vec::new() }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ArmToken<Whose = User> {
    token: BearerToken,
    owner: Whose,
}

impl<Whose: Default> ArmToken<Whose> {
    /// Wraps a token whose tenant, audience, owner and expiry have been verified. Only `entra` makes these.
    #[must_use]
    pub fn new(principal: Person, expires_at: DateTime<Utc>, secret: SecretString) -> Self {
        let token = BearerToken {
            principal,
            expires_at,
            secret: Arc::new(secret),
        };
        Self {
            token,
            owner: Whose::default(),
        }
    }
}

impl ArmToken<User> {
    /// The token with the place where a claims challenge sends its user; `None` if the app that called handles none.
    #[must_use]
    pub fn with_authorization_uri(self, authorization_uri: Option<Url>) -> Self {
        Self {
            owner: User { authorization_uri },
            ..self
        }
    }

    /// Where a claims challenge of this token sends its user.
    #[must_use]
    pub fn authorization_uri(&self) -> Option<&Url> {
        self.owner.authorization_uri.as_ref()
    }

    /// The value of `x-ms-authorization-auxiliary`. `None` if it is no legal header value.
    pub fn auxiliary(tokens: &[Self]) -> Option<HeaderValue> {
        bearers(tokens.iter().map(Deref::deref))
    }
}

impl<Whose> Deref for ArmToken<Whose> {
    type Target = BearerToken;

    fn deref(&self) -> &BearerToken {
        &self.token
    }
}

/// `Bearer <token>, Bearer <token>…` (Microsoft Learn, "Authenticate requests across tenants").
fn bearers<'a>(tokens: impl IntoIterator<Item = &'a BearerToken>) -> Option<HeaderValue> {
    let parts: Vec<String> = tokens
        .into_iter()
        .map(|token| format!("Bearer {}", token.secret.expose_secret()))
        .collect();
    let mut value = HeaderValue::try_from(parts.join(", ")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed<Whose: Default + fmt::Debug>() -> String {
        let principal = Person {
            tenant: "11111111-0000-4000-8000-000000000001".parse().expect("a GUID"),
            object: "22222222-0000-4000-8000-000000000002".parse().expect("a GUID"),
        };
        let secret = SecretString::from("very.secret.token");
        let token = ArmToken::<Whose>::new(principal, DateTime::UNIX_EPOCH, secret);
        let header = token.bearer().expect("a header");
        format!("{token:?} {header:?}")
    }

    #[test]
    fn a_token_prints_its_principal_and_never_itself() {
        for printed in [printed::<User>(), printed::<ServicePrincipal>()] {
            assert!(
                printed.contains("11111111") && printed.contains("22222222") && printed.contains("1970"),
                "{printed}"
            );
            assert!(!printed.contains("secret.token"), "{printed}");
        }
    }
}
