//! Why a caller's token is not taken. Every message names the claim and the way out, and holds nothing of the token but GUIDs.

use std::time::Duration;

use uuid::Uuid;

use crate::domain::TenantId;

/// The longest token that is parsed, in bytes. Entra's are well below: it cuts group lists earlier.
pub(super) const LONGEST: usize = 16 * 1024;

/// What came of a token that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token itself is at fault; sending it again changes nothing.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// The issuing tenant's signing keys are unavailable, so the token cannot be validated now.
    #[error("the signing keys of the token's tenant are out of reach; try again in {} s", retry_after.as_secs())]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

/// What is wrong with a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Without the claims that every access token of Entra has.
    #[error("the token can't be read: {0}")]
    Malformed(&'static str),
    /// Longer than any token that is parsed.
    #[error(
        "the token is longer than {} KiB; have Entra leave groups and other long claims out of the tokens for this API", LONGEST / 1024
    )]
    TooLong,
    /// Not a JWT, or one without what is needed to look for its key.
    #[error("the token can't be read: {0}")]
    NotAToken(&'static str),
    /// Not signed with RS256, the only algorithm that Entra signs access tokens with.
    #[error("the token's header must name the algorithm RS256 and, if any, the type JWT")]
    Algorithm,
    /// Signed with a key that the tenant doesn't publish.
    #[error(
        "the token names a signing key (kid) that its tenant does not publish; get a new token from Entra"
    )]
    UnknownKey,
    /// The signature is not that key's.
    #[error(
        "the token's signature does not match; send it unchanged, and make sure that it was issued for this API (a token for Microsoft Graph can't be checked by others)"
    )]
    Signature,
    /// The key exists, but signs for other issuers (a consumer key under an organisation's token).
    #[error("the token's signing key may not sign for the tenant that the token names (tid)")]
    KeyIssuer,
    /// `iss` is not what its version and tenant ask for.
    #[error("the token's issuer (iss) is not the one of its tenant (tid) and version (ver)")]
    Issuer,
    /// The tenant's tokens are not accepted here.
    #[error("tokens of tenant {0} (tid) are not accepted; an operator of this service can add it")]
    Tenant(TenantId),
    /// Issued for another API.
    #[error("the token's audience (aud) is not this API; ask Entra for a token with this API's scope")]
    Audience,
    /// Its time is over.
    #[error("the token has expired (exp); get a new one")]
    Expired,
    /// Its time has not begun.
    #[error("the token is not valid yet (nbf); check the clock of the machine that sends it")]
    NotYetValid,
    /// The calling app is not on the list, or the token names none.
    #[error("the calling app {} (azp or appid) is not allowed to call this API; an operator of this service can add it", app_name(.0.as_ref()))]
    CallingApp(Option<Uuid>),
    /// An app's own token: there is no user in whose name to act.
    #[error("the token is an app's own, without a user; sign a user in and send that user's token")]
    NotAUser,
    /// An ID token or another one without delegated scopes.
    #[error(
        "the token is not an access token with a scope (scp) of this API; send an access token, not an ID token"
    )]
    NotAnAccessToken,
}

/// What may be said of a token whose signature was not verified.
const UNVERIFIED: &str = "the token can't be verified; send an access token for this API, unchanged as Entra issued it, of a tenant that this service serves. The service's log has the reason under the request's id";

impl TokenRefusal {
    /// The message for the sender. Anyone may have written a token whose signature is not verified, so all get the same one:
    /// else a made-up one could find out which tenants are served. The log says more.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::NotAToken(_) | Self::Algorithm | Self::UnknownKey | Self::Signature | Self::Tenant(_) => {
                UNVERIFIED.to_owned()
            }
            // Shows of the token what its sender sees without it.
            Self::TooLong
            | Self::Malformed(_)
            | Self::KeyIssuer
            | Self::Issuer
            | Self::Audience
            | Self::Expired
            | Self::NotYetValid
            | Self::CallingApp(_)
            | Self::NotAUser
            | Self::NotAnAccessToken => self.to_string(),
        }
    }
}

fn app_name(app: Option<&Uuid>) -> String {
    app.map_or_else(|| "(none named)".to_owned(), Uuid::to_string)
}
