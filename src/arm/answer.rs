//! One answer of ARM's: sorted into success and the kinds of failure, its body and its operation read.

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use url::Url;

use super::error::{ArmError, ArmErrorKind};
use super::operation::OperationUrl;
use super::report::{CallReport, milliseconds};
use super::{headers, refusal::Refusal};
use crate::arm::trusted_url;
use crate::arm::trusted_url::PinnedUrlError;
use crate::upstream::Body;

/// An answer of any status, its body read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) report: CallReport,
    pub(super) name: &'static str,
    pub(super) body: Result<Body, BodyFault>,
    pub(super) refusal: Option<Refusal>,
}

/// Why an answer's body is not there, though its status and headers are.
pub(super) enum BodyFault {
    Cut,
    TooLong,
}

impl Answer {
    /// An error of this kind about this answer.
    pub(super) fn error(self, kind: ArmErrorKind) -> ArmError {
        ArmError {
            call: self.name,
            kind,
            report: self.report,
        }
    }

    /// The answer itself when it is a success.
    pub(super) fn success(mut self, endpoint: &Url) -> Result<Self, ArmError> {
        let Some(refusal) = self.refusal.take().map(Box::new) else {
            return Ok(self);
        };
        let kind = match self.status {
            StatusCode::TOO_MANY_REQUESTS => ArmErrorKind::Throttled(refusal),
            // RFC 9110, section 15.5.9: a time-out says nothing of what was done with what had arrived.
            StatusCode::REQUEST_TIMEOUT => ArmErrorKind::ServerError(refusal),
            status if status.is_client_error() && is_from_arm(status, &refusal) => {
                ArmErrorKind::Refused(refusal)
            }
            status if status.is_client_error() && self.is_cut() => ArmErrorKind::NoAnswer,
            status if status.is_server_error() => ArmErrorKind::ServerError(refusal),
            status if status.is_redirection() && self.leads_away(endpoint) => ArmErrorKind::ForeignHost,
            _ => ArmErrorKind::Unreadable,
        };
        Err(self.error(kind))
    }

    /// The body as JSON, of an answer that is nothing without it.
    pub(super) fn json(self) -> Result<(Value, CallReport), ArmError> {
        let kind = match &self.body {
            Ok(body) => match serde_json::from_slice(body) {
                Ok(value) => return Ok((value, self.report)),
                Err(_) => ArmErrorKind::Unreadable,
            },
            Err(BodyFault::TooLong) => ArmErrorKind::Unreadable,
            Err(BodyFault::Cut) => ArmErrorKind::NoAnswer,
        };
        Err(self.error(kind))
    }

    /// The body as JSON, of an answer that means something without it too.
    pub(super) fn json_if_any(&self) -> Option<Value> {
        serde_json::from_slice(self.body.as_deref().ok()?).ok()
    }

    /// Whether the answer has a body with something in it, readable or not.
    pub(super) fn has_body(&self) -> bool {
        self.body
            .as_ref()
            .map_or(true, |body| !body.iter().all(u8::is_ascii_whitespace))
    }

    /// Whether this is a refusal without ARM's code and without a challenge, so perhaps of something on the way: no word on what
    /// was to be read.
    pub(super) fn is_anonymous_refusal(&self) -> bool {
        let refusal = self.refusal.as_ref();
        refusal.is_some_and(|refusal| refusal.code.is_none())
            && !self.headers.contains_key(http::header::WWW_AUTHENTICATE)
    }

    /// Whether reading the body broke off.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self.body, Err(BodyFault::Cut))
    }

    /// The operation that continues behind this response: `Azure-AsyncOperation`, else `Location`
    /// (Microsoft Learn, "Track asynchronous Azure operations").
    pub(super) fn operation(&self, endpoint: &Url) -> Result<Option<OperationUrl>, PinnedUrlError> {
        let mut fault = None;
        for name in ["azure-asyncoperation", "location"] {
            match headers::text(&self.headers, name).map(|text| OperationUrl::parse(&text, endpoint)) {
                Some(Ok(operation)) => return Ok(Some(operation)),
                Some(Err(PinnedUrlError::ForeignHost)) => return Err(PinnedUrlError::ForeignHost),
                Some(Err(other)) => fault = fault.or(Some(other)),
                None => {}
            }
        }
        fault.map_or(Ok(None), Err)
    }

    fn leads_away(&self, endpoint: &Url) -> bool {
        let target = headers::text(&self.headers, "location").and_then(|text| endpoint.join(&text).ok());
        target.is_some_and(|url| !trusted_url::same_origin(&url, endpoint))
    }

    /// Logs the call: ids, status and time, never a token, a body or a query.
    pub(super) fn log(&self, write: bool) {
        let (status, duration) = (self.status.as_u16(), milliseconds(self.report.duration));
        let request_id = self.report.request_id.as_deref();
        let code = self.refusal.as_ref().and_then(|refusal| refusal.code.as_deref());
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    arm.call = self.name,
                    arm.status = status,
                    arm.code = code,
                    arm.request_id = request_id,
                    arm.correlation_id = self.report.correlation_id.as_deref(),
                    arm.duration_ms = duration,
                    arm.remaining = self.report.remaining,
                    "Azure Resource Manager answered"
                )
            };
        }
        if self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS {
            event!(warn);
        } else if write {
            event!(info);
        } else {
            event!(debug);
        }
    }
}

/// Whether a 4xx is a refusal of ARM's own. One without ARM's code (Microsoft Learn, "Troubleshoot common Azure deployment errors":
/// every error has one) may be of something on the way, such as a proxy. It is believed where its status alone says that nothing
/// was done; a 404 is not: it would pass for the word that something is gone.
fn is_from_arm(status: StatusCode, refusal: &Refusal) -> bool {
    let says_enough = matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::CONFLICT
            | StatusCode::LENGTH_REQUIRED
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::URI_TOO_LONG
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    );
    says_enough || refusal.code.is_some()
}
