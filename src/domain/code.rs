//! The stable codes with which the product says no: in problems, in failures of operations and in the ledger.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::domain::words::open_enumeration;

macro_rules! codes {
    ($($(#[doc = $sentence:literal])+ $variant:ident => $text:literal, $title:literal,)+) => {
        /// A stable code; callers may build on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $sentence])+ $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// A short summary that is the same each time it occurs (RFC 9457, section 3.1.3).
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// What it says, in a sentence or two.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => concat!($($sentence),+)),+ }
            }
        }
    };
}

codes! {
    /// The request is no JSON of the expected form; `errors` names the places.
    InvalidRequest => "invalidRequest", "The request can't be used",
    /// There is no user token.
    Unauthenticated => "unauthenticated", "A user token is needed",
    /// A user token is not accepted.
    InvalidToken => "invalidToken", "A user token is not accepted",
    /// Entra or Azure wants the user to prove more than the token says; the challenge is in `WWW-Authenticate`. An app that has
    /// not declared that it takes challenges gets `accessMissing` instead.
    ClaimsChallenge => "claimsChallenge", "The user has to sign in again with more proof",
    /// The auxiliary tokens don't fit the request.
    AuxiliaryTokens => "auxiliaryTokens", "The auxiliary tokens don't fit the request",
    /// The token lacks the scope of the call.
    InsufficientScope => "insufficientScope", "The token lacks a scope",
    /// A tenant is not allowed on its side of a connection.
    TenantNotAllowed => "tenantNotAllowed", "A tenant may not be connected here",
    /// Tokens, roles or consents are missing; `missing` names them.
    AccessMissing => "accessMissing", "Access is missing",
    /// A resource that the request names is not there; `errors` names them.
    ReferenceNotFound => "referenceNotFound", "A named resource was not found",
    /// Azure already has a data connection of this name.
    NameTaken => "nameTaken", "The name is taken",
    /// The connection exists and was not made by this request.
    ConnectionExists => "connectionExists", "The connection exists",
    /// Another change of the connection is running.
    ChangeInProgress => "changeInProgress", "Another change is running",
    /// The operation is another person's: to continue it, its request's hash is required.
    RequestHashMissing => "requestHashMissing", "The hash of the operation's request is needed",
    /// The hash is not that of the operation's request.
    RequestHashDiffers => "requestHashDiffers", "The operation's request has another hash",
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused => "idempotencyKeyReused", "The idempotency key was used for another request",
    /// There is no such thing, or not for this caller.
    NotFound => "notFound", "Not found",
    /// The feed was restarted after the cursor was returned: positions may have been lost.
    FeedRestarted => "feedRestarted", "The feed was restarted",
    /// A condition of the request (RFC 9110, section 13) does not hold, or can't be evaluated; nothing was changed.
    PreconditionFailed => "preconditionFailed", "A condition of the request does not hold",
    /// The path exists, but not with this method.
    MethodNotAllowed => "methodNotAllowed", "The method is not allowed",
    /// The body did not come in time; nothing was done.
    RequestTimeout => "requestTimeout", "The body did not come in time",
    /// The caller asks more often than one may, or has as many changes waiting as one may; nothing was done. `RateLimit-Policy`
    /// names the limit.
    TooManyRequests => "tooManyRequests", "Too many requests",
    /// The body is too large.
    PayloadTooLarge => "payloadTooLarge", "The body is too large",
    /// The headers are too large together.
    HeadersTooLarge => "headersTooLarge", "The headers are too large",
    /// The body is not JSON, or is compressed.
    UnsupportedMediaType => "unsupportedMediaType", "The body must be JSON",
    /// The service did not finish in time; nothing was changed by this request.
    Timeout => "timeout", "The request took too long",
    /// The service processes too many requests; nothing was done.
    Overloaded => "overloaded", "The service is busy",
    /// Entra or Azure is out of reach, throttles or fails.
    UpstreamUnavailable => "upstreamUnavailable", "Azure can't answer now",
    /// Entra or Azure answered what it never should, or this service is not set up right there.
    UpstreamRefused => "upstreamRefused", "Azure refused this service",
    /// The database is out of reach, so nothing can be recorded, so nothing is done.
    DatabaseUnavailable => "databaseUnavailable", "The record can't be written now",
    /// A defect of this service.
    Internal => "internal", "An error of this service",
    /// Azure took the change and then reported that it failed.
    AzureFailed => "azureFailed", "Azure could not make the change",
    /// Azure refused the change.
    AzureRefused => "azureRefused", "Azure refused the change",
    /// The connection could not be created; nothing of it is at Azure unless `cause` says otherwise. `cause` is the code of the operation's
    /// failure, `remedy` what fixes it. A request with a new key, or without one, tries again.
    CreateFailed => "createFailed", "The connection could not be created",
    /// The connection could not be removed; `cause` is the code of the operation's failure, `remedy` what fixes it.
    RemoveFailed => "removeFailed", "The connection could not be removed",
    /// The change was never made: it did not reach Azure.
    NotSent => "notSent", "The request did not reach Azure",
    /// The parent database is gone, so that the absence of the data connection proves nothing.
    ParentMissing => "parentMissing", "The database of the connection can't be read",
    /// What is at Azure is not what is recorded; `comparison` says how, and the connection's `found` what it is.
    Drifted => "drifted", "Azure holds something else under this name",
    /// Azure processed a create as an update: it replaced what another person had created.
    Contested => "contested", "Another person created a data connection of this name at the same time",
    /// The record alone was to be closed, but what it records is still at Azure.
    StillPresent => "stillPresent", "Azure still has the data connection",
}

/// The codes with which an operation can end without its change.
const OF_FAILURES: &[Code] = &[
    Code::AzureFailed,
    Code::AzureRefused,
    Code::NotSent,
    Code::NameTaken,
    Code::ParentMissing,
    Code::Drifted,
    Code::Contested,
];

/// The schema of [`Code`] in problems.
pub(crate) struct ProblemCode;

impl PartialSchema for ProblemCode {
    fn schema() -> RefOr<Schema> {
        of_codes(
            "The kind of problem in one word; stable. The header `x-ms-error-code` repeats it.",
            Code::ALL,
        )
    }
}

impl ToSchema for ProblemCode {}

/// The schema of [`Code`] in failed operations.
pub(crate) struct FailureCode;

impl PartialSchema for FailureCode {
    fn schema() -> RefOr<Schema> {
        of_codes("Why an operation ended without its change; stable.", OF_FAILURES)
    }
}

impl ToSchema for FailureCode {}

fn of_codes(description: &str, codes: &[Code]) -> RefOr<Schema> {
    let words: Vec<(&str, &str)> = codes
        .iter()
        .map(|code| (code.as_str(), code.sentence()))
        .collect();
    open_enumeration(description, &words)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_its_own() {
        let words: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
    }
}
