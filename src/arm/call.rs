//! One call to ARM: what is sent and to whom, how long it took, and its answer read within bounds.

use std::error::Error as _;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::error::{ArmError, ArmErrorKind};
use super::operation::OperationUrl;
use super::pinned::{self, PinnedUrlError};
use super::refusal::{self, Refusal};
use super::{Arm, headers};
use crate::connection::ResourceId;
use crate::outbound::ArmToken;

/// The longest body that is read, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;
/// Microsoft Learn, "Authenticate requests across tenants".
const AUXILIARY: HeaderName = HeaderName::from_static("x-ms-authorization-auxiliary");

/// The id under which a change is found again in Azure's activity log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTrace {
    /// Sent as `x-ms-correlation-request-id` and as `x-ms-client-request-id`.
    pub correlation_id: Uuid,
}

/// What is known of a call beside its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallReport {
    /// `x-ms-request-id`: ARM's id of this call.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id` as ARM answered it, or as it was sent when no answer came.
    pub correlation_id: Option<String>,
    /// From before the connection was made to the last byte of the answer.
    pub duration: Duration,
    /// The smallest of ARM's counters of what the caller has left. A hint.
    pub remaining: Option<u32>,
}

/// A call that is about to be made.
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) token: Option<&'a ArmToken>,
    pub(super) auxiliary: &'a [ArmToken],
    pub(super) body: Option<&'a Value>,
    pub(super) trace: CallTrace,
}

/// An answer of any status, its body read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) report: CallReport,
    name: &'static str,
    body: Result<Vec<u8>, BodyFault>,
    refusal: Option<Refusal>,
}

/// Why an answer's body is not there, though its status and headers are.
enum BodyFault {
    Cut,
    TooLong,
}

impl Arm {
    /// The URL of a resource, or of something below it, with an `api-version`. Each segment is percent-encoded.
    pub(super) fn url(&self, resource: &ResourceId, below: &[&str], api_version: &str) -> Url {
        self.url_of(resource.segments().chain(below.iter().copied()), api_version)
    }

    /// The URL of a path below ARM's root, with an `api-version`. Each segment is percent-encoded.
    pub(super) fn url_of<'a>(&self, segments: impl Iterator<Item = &'a str>, api_version: &str) -> Url {
        let mut url = self.0.settings.endpoint.clone();
        // A URL without a path can't be an endpoint: it has no origin, and `send` refuses it.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url.query_pairs_mut()
            .clear()
            .append_pair("api-version", api_version);
        url
    }

    /// Reads with one token, under a correlation id of its own.
    pub(super) async fn get(
        &self,
        name: &'static str,
        url: Url,
        token: Option<&ArmToken>,
    ) -> Result<Answer, ArmError> {
        let trace = CallTrace {
            correlation_id: self.0.clock.new_id(),
        };
        self.send(Call {
            name,
            method: Method::GET,
            url,
            token,
            auxiliary: &[],
            body: None,
            trace,
        })
        .await
    }

    /// Makes a call. Any status is an answer; what never got one is an error.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Answer, ArmError> {
        let (name, write, started) = (call.name, call.method != Method::GET, Instant::now());
        let sent_id = call.trace.correlation_id.to_string();
        let fault = |kind| ArmError {
            call: name,
            kind,
            report: CallReport {
                correlation_id: Some(sent_id.clone()),
                duration: started.elapsed(),
                ..CallReport::default()
            },
        };
        let outcome = match self.request(call) {
            Ok(request) => self.exchange(request).await,
            Err(kind) => Err(kind),
        };
        match outcome {
            Ok((status, headers, body)) => {
                let report = CallReport {
                    request_id: headers::id(&headers, "x-ms-request-id"),
                    correlation_id: headers::id(&headers, "x-ms-correlation-request-id").or(Some(sent_id)),
                    duration: started.elapsed(),
                    remaining: headers::remaining(&headers),
                };
                let refusal = (!status.is_success()).then(|| {
                    let body = body.as_deref().unwrap_or_default();
                    Refusal::read(status, &headers, body, self.0.clock.now())
                });
                let answer = Answer {
                    status,
                    headers,
                    report,
                    name,
                    body,
                    refusal,
                };
                answer.log(write);
                Ok(answer)
            }
            Err(kind) => {
                let error = fault(kind);
                tracing::warn!(
                    arm.call = name,
                    arm.correlation_id = error.report.correlation_id,
                    arm.duration_ms = milliseconds(error.report.duration),
                    arm.failure = %error.kind,
                    "Azure Resource Manager gave no answer"
                );
                Err(error)
            }
        }
    }

    /// Turns a call into a request. A token leaves for ARM's own origin only.
    fn request(&self, call: Call<'_>) -> Result<reqwest::Request, ArmErrorKind> {
        if !pinned::same_origin(&call.url, &self.0.settings.endpoint) {
            return Err(ArmErrorKind::ForeignHost);
        }
        if call.auxiliary.len() > 3 {
            return Err(ArmErrorKind::NotSent(
                "ARM takes at most three auxiliary tokens".to_owned(),
            ));
        }
        let illegal = || ArmErrorKind::NotSent("a token is no legal header value".to_owned());
        let id = HeaderValue::try_from(call.trace.correlation_id.to_string()).map_err(|_| illegal())?;
        let mut request = self
            .0
            .client
            .request(call.method, call.url)
            .header(header::ACCEPT, "application/json")
            .header("x-ms-correlation-request-id", id.clone())
            .header("x-ms-client-request-id", id)
            .header("x-ms-return-client-request-id", "true");
        if let Some(token) = call.token {
            request = request.header(header::AUTHORIZATION, token.bearer().ok_or_else(illegal)?);
        }
        if !call.auxiliary.is_empty() {
            request = request.header(AUXILIARY, ArmToken::bearers(call.auxiliary).ok_or_else(illegal)?);
        }
        if let Some(body) = call.body {
            request = request.json(body);
        }
        request
            .build()
            .map_err(|error| ArmErrorKind::NotSent(cause(error)))
    }

    async fn exchange(
        &self,
        request: reqwest::Request,
    ) -> Result<(StatusCode, HeaderMap, Result<Vec<u8>, BodyFault>), ArmErrorKind> {
        let mut response = match self.0.client.execute(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => {
                return Err(ArmErrorKind::NotSent(cause(error)));
            }
            Err(_) => return Err(ArmErrorKind::NoAnswer),
        };
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        let body = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LONGEST_BODY => break Err(BodyFault::TooLong),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break Ok(body),
                Err(_) => break Err(BodyFault::Cut),
            }
        };
        Ok((status, headers, body))
    }
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
            status if status.is_client_error() => ArmErrorKind::Refused(refusal),
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

    /// Whether reading the body broke off.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self.body, Err(BodyFault::Cut))
    }

    /// The operation that goes on behind this answer: `Azure-AsyncOperation`, else `Location`
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
        target.is_some_and(|url| !pinned::same_origin(&url, endpoint))
    }

    fn log(&self, write: bool) {
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

/// Why a request could not be sent, without its URL.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    refusal::clean(&text, 256).unwrap_or_default()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
