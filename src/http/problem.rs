//! Problems (RFC 9457): the representation of every refusal and failure. `detail` is never built from an error of a library.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::DbError;
use crate::domain::{
    Challenge, Code, ComparisonWord, Error, Exceeded, FailureCode, FieldError, Missing, ProblemCode, Refusal,
    Upstream,
};

/// The media type of problems (RFC 9457, section 6.1).
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, for people and programs.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Identifies the kind of problem; stable.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in one word.
    #[schema(value_type = ProblemCode)]
    pub code: String,
    /// A short summary, the same each time.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong in this case, and how to fix it.
    pub detail: String,
    /// The request, as the service's log knows it.
    #[serde(default)]
    #[schema(required = true)]
    pub request_id: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The members of the request that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    /// The access that is missing, and how to get it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub missing: Vec<Missing>,
    /// What the service behind this one answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub upstream: Option<Upstream>,
    /// The connection whose change ended like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub connection_id: Option<Uuid>,
    /// The operation that ended like this: a refusal without one left everything as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub operation_id: Option<Uuid>,
    /// Why the change failed: the code of the operation's failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<FailureCode>)]
    pub cause: Option<String>,
    /// What fixes it, as far as the caller may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub remedy: Option<String>,
    /// How what Azure holds compares with the record, where that is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<ComparisonWord>)]
    pub comparison: Option<String>,
    #[serde(skip)]
    pub(super) retry_after: Option<Duration>,
    #[serde(skip)]
    pub(super) exceeded: Option<Exceeded>,
    #[serde(skip)]
    pub(super) authenticate: Option<Authenticate>,
}

/// The value of `WWW-Authenticate` (RFC 6750, section 3).
#[derive(Debug, Clone)]
pub(super) enum Authenticate {
    /// No token came.
    Bearer,
    /// The token is not accepted.
    InvalidToken,
    /// The token lacks a scope.
    InsufficientScope(&'static str),
    /// The user has to sign in with these claims (Microsoft Learn, "Claims challenges").
    Claims(Box<Challenge>),
}

impl Problem {
    /// A problem of this kind, with its own sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let status = status_of(code);
        // The running change ends, and then the same request may succeed.
        let passes = code == Code::ChangeInProgress;
        Self {
            kind: format!("urn:problem-type:tenant-bridge:{}", code.as_str()),
            code: code.as_str().to_owned(),
            title: code.title().to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            request_id: String::new(),
            retryable: passes || is_for_now(status),
            errors: Vec::new(),
            missing: Vec::new(),
            upstream: None,
            connection_id: None,
            operation_id: None,
            cause: None,
            remedy: None,
            comparison: None,
            retry_after: passes.then_some(SOON),
            exceeded: None,
            authenticate: (code == Code::InvalidToken).then_some(Authenticate::InvalidToken),
        }
    }

    /// The request is malformed; `errors` says where.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let details: Vec<String> = errors
            .iter()
            .map(|error| {
                // The empty pointer is the whole body (RFC 6901, section 5).
                let place = if error.pointer.is_empty() {
                    "the body"
                } else {
                    &error.pointer
                };
                format!("{place}: {}", error.detail)
            })
            .collect();
        Self {
            errors,
            ..Self::new(Code::InvalidRequest, details.join("; "))
        }
    }

    /// No user token came.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let detail = "send a user token for this service as 'Authorization: Bearer <token>'";
        Self {
            authenticate: Some(Authenticate::Bearer),
            ..Self::new(Code::Unauthenticated, detail)
        }
    }

    /// A defect. What it was is for the log alone.
    pub(super) fn internal() -> Self {
        let detail = "an error that is this service's own; its log has it under the request's id";
        Self::new(Code::Internal, detail)
    }

    pub(super) fn unavailable(code: Code, detail: impl Into<String>, retry_after: Option<Duration>) -> Self {
        Self {
            retry_after: Some(retry_after.unwrap_or(RETRY_AFTER)),
            ..Self::new(code, detail)
        }
    }

    /// The body, once the request's id is known.
    pub(super) fn render(mut self, request_id: &str) -> Response {
        request_id.clone_into(&mut self.request_id);
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // The shape holds only texts and numbers, which always serialize.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let headers = response.headers_mut();
        if let Ok(code) = HeaderValue::from_str(&self.code) {
            headers.insert("x-ms-error-code", code);
        }
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(after)));
        }
        if let Some(exceeded) = &self.exceeded {
            limit_headers(exceeded, self.retry_after.unwrap_or(RETRY_AFTER), headers);
        }
        if let Some(value) = self.authenticate.as_ref().and_then(Authenticate::header) {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// Whether the status says that the same request may succeed later.
fn is_for_now(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    )
}

/// Whole seconds, rounded up: earlier would be too early.
fn seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

/// What a limit allows and what is left of it (IETF draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4).
fn limit_headers(exceeded: &Exceeded, wait: Duration, headers: &mut HeaderMap) {
    let Exceeded { name, quota, window } = exceeded;
    let policy = match window {
        Some(window) => format!("\"{name}\";q={quota};w={}", seconds(*window)),
        None => format!("\"{name}\";q={quota};qu=\"concurrent-requests\""),
    };
    let left = format!("\"{name}\";r=0;t={}", seconds(wait));
    for (header, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
}

/// The default `Retry-After`: long enough for a restart.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// `Retry-After` of a concurrent change: the next read finds its result.
const SOON: Duration = Duration::from_secs(1);

impl Authenticate {
    fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::Bearer => "Bearer".to_owned(),
            Self::InvalidToken => "Bearer error=\"invalid_token\"".to_owned(),
            Self::InsufficientScope(scope) => {
                format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")
            }
            // One challenge, no commas or quotes inside a value: Microsoft's libraries split on them.
            Self::Claims(challenge) => format!(
                "Bearer realm=\"{}\", authorization_uri=\"{}\", error=\"insufficient_claims\", claims=\"{}\"",
                challenge.tenant,
                challenge.authorization_uri,
                STANDARD.encode(&challenge.claims)
            ),
        };
        HeaderValue::from_str(&text).ok()
    }
}

/// The header with the key of a request.
pub(super) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The member or header that is wrong whenever a code is returned; use cases know neither.
pub(super) const fn place_of(code: Code) -> Option<&'static str> {
    match code {
        Code::IdempotencyKeyReused => Some(IDEMPOTENCY_KEY),
        Code::RequestHashMissing | Code::RequestHashDiffers => Some("/requestHash"),
        _ => None,
    }
}

/// The status of each code, in one place.
pub(super) const fn status_of(code: Code) -> StatusCode {
    match code {
        Code::InvalidRequest | Code::AuxiliaryTokens => StatusCode::BAD_REQUEST,
        Code::Unauthenticated | Code::InvalidToken | Code::ClaimsChallenge => StatusCode::UNAUTHORIZED,
        Code::InsufficientScope
        | Code::TenantNotAllowed
        | Code::AccessMissing
        | Code::AzureRefused
        | Code::RequestHashMissing => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::FeedRestarted => StatusCode::GONE,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::NameTaken
        | Code::ConnectionExists
        | Code::ChangeInProgress
        | Code::RequestHashDiffers
        | Code::Drifted
        | Code::Contested
        | Code::StillPresent
        | Code::ParentMissing => StatusCode::CONFLICT,
        Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::ReferenceNotFound | Code::IdempotencyKeyReused | Code::CreateFailed | Code::RemoveFailed => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Code::Timeout | Code::Overloaded | Code::UpstreamUnavailable | Code::DatabaseUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::UpstreamRefused | Code::AzureFailed | Code::NotSent => StatusCode::BAD_GATEWAY,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let plain = Self::new(refusal.code, refusal.detail);
        let authenticate = match (refusal.challenge, refusal.scope) {
            (Some(challenge), _) => Some(Authenticate::Claims(challenge)),
            (None, Some(scope)) => Some(Authenticate::InsufficientScope(scope)),
            (None, None) => plain.authenticate.clone(),
        };
        let mut errors = refusal.errors;
        if let (true, Some(pointer)) = (errors.is_empty(), place_of(refusal.code)) {
            errors.push(FieldError {
                pointer: pointer.to_owned(),
                detail: plain.detail.clone(),
            });
        }
        Self {
            errors,
            missing: refusal.missing,
            upstream: refusal.upstream,
            retryable: plain.retryable || refusal.retry_after.is_some(),
            retry_after: refusal.retry_after.or(plain.retry_after),
            exceeded: refusal.exceeded,
            authenticate,
            ..plain
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => (*refusal).into(),
            Error::Unavailable(unavailable) => Self {
                upstream: Some(unavailable.upstream),
                ..Self::unavailable(
                    Code::UpstreamUnavailable,
                    unavailable.detail,
                    unavailable.retry_after,
                )
            },
            Error::Database(DbError::Unconfirmed) => {
                tracing::debug!("the answer to a commit did not come");
                let detail = "whether the request was recorded is not known; check before you repeat it";
                Self::unavailable(Code::DatabaseUnavailable, detail, None)
            }
            Error::Database(error @ (DbError::Unavailable(_) | DbError::TimedOut)) => {
                // An outage is logged once for all requests (`Db::failed`).
                tracing::debug!(error = %error, "the database can't be used");
                Self::unavailable(
                    Code::DatabaseUnavailable,
                    "nothing can be recorded at the moment, so nothing was done",
                    None,
                )
            }
            error @ (Error::Database(_) | Error::Conflict(_) | Error::Internal(_)) => {
                tracing::error!(error = %error, "a request failed by a defect of this service");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // The outermost layer knows the request's id and renders the body there.
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_meets_another_change_is_told_when_to_come_back() {
        let problem = Problem::from(Refusal::new(Code::ChangeInProgress, "a concurrent change"));
        assert!(problem.retryable);
        let response = problem.render("a-request");
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(
            response.headers().get(header::RETRY_AFTER),
            Some(&HeaderValue::from_static("1"))
        );
        let other = Problem::from(Refusal::new(Code::NameTaken, "taken")).render("a-request");
        assert!(other.headers().get(header::RETRY_AFTER).is_none());
    }
}
