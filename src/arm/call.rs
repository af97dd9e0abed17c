//! One call to ARM: what is sent and to whom, how long it took, and its answer read within bounds.

use super::report::{Call, CallReport, CallTrace, milliseconds};
use std::error::Error as _;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tracing::Instrument as _;
use url::Url;

use super::answer::{Answer, BodyFault};
use super::call_permit::CallPermit;
use super::error::{ArmError, ArmErrorKind};
use super::refusal::{self, Refusal};
use super::throttled::Key;
use super::{Arm, headers};
use crate::arm::trusted_url;
use crate::domain::ResourceId;
use crate::failpoints::{Moment, failpoint};
use crate::telemetry::{self, metrics};
use crate::upstream;
use crate::upstream::{AUXILIARY_HEADER, ArmToken, BearerToken, Body, BodyError};

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

    /// Reads with one token, under a correlation id of its own. `understand` makes of an answer what was asked for. Once more if
    /// a request waits for it and ARM may answer differently then: also after an answer that made no sense.
    pub(super) async fn read<T>(
        &self,
        name: &'static str,
        url: Url,
        token: Option<&BearerToken>,
        understand: impl Fn(Answer) -> Result<T, ArmError>,
    ) -> Result<T, ArmError> {
        let trace = CallTrace {
            correlation_id: self.0.clock.new_id(),
        };
        let call = Call {
            name,
            method: Method::GET,
            url,
            token,
            auxiliary: &[],
            body: None,
            trace,
        };
        let ask = async || {
            let answer = Box::pin(self.send(call.clone())).await?;
            let is_anonymous = answer.is_anonymous_refusal();
            understand(answer).map_err(|error| match error.kind {
                ArmErrorKind::Refused(_) if is_anonymous => ArmError {
                    kind: ArmErrorKind::Unreadable,
                    ..error
                },
                _ => error,
            })
        };
        let outcome = ask().await;
        let Err(error) = &outcome else {
            return outcome;
        };
        let Some(pause) = self.retry_delay(&call, error).await else {
            return outcome;
        };
        tokio::time::sleep(pause).await;
        ask().await
    }

    /// Makes a call. Any status is an answer; what never got one is an error.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Answer, ArmError> {
        let (name, span) = (
            call.name,
            tracing::info_span!("arm", otel.name = call.name, otel.kind = "client"),
        );
        let outcome = self.send_in_span(call).instrument(span).await;
        match &outcome {
            Ok(answer) => metrics::arm_called(name, answer.status.as_u16(), answer.report.duration),
            // ARM was not called.
            Err(error) if matches!(error.kind, ArmErrorKind::Rejected(_)) => {}
            Err(error) => metrics::arm_called(name, 0, error.report.duration),
        }
        outcome
    }

    async fn send_in_span(&self, call: Call<'_>) -> Result<Answer, ArmError> {
        let (name, started) = (call.name, Instant::now());
        let outcome = match self.request(&call) {
            Ok(request) => match self.acquire_permit(&call).await {
                Ok(permit) => self.exchange(name, request, permit).await,
                Err(rejected) => Err(ArmErrorKind::Rejected(rejected)),
            },
            Err(kind) => Err(kind),
        };
        // As sent; ARM's answer may name another.
        let report = CallReport {
            correlation_id: Some(call.trace.correlation_id.to_string()),
            duration: started.elapsed(),
            ..CallReport::default()
        };
        match outcome {
            Ok(exchanged) => {
                let answer = self.answer(name, exchanged, report).await;
                answer.log(call.method != Method::GET);
                Ok(answer)
            }
            Err(kind) => {
                let error = ArmError {
                    call: name,
                    kind,
                    report,
                };
                error.log();
                Err(error)
            }
        }
    }

    /// Reads what came back, and remembers what ARM throttles.
    async fn answer(
        &self,
        name: &'static str,
        (status, headers, body, counted): Exchanged,
        sent: CallReport,
    ) -> Answer {
        let report = CallReport {
            request_id: headers::id(&headers, "x-ms-request-id"),
            correlation_id: headers::id(&headers, "x-ms-correlation-request-id").or(sent.correlation_id),
            remaining: headers::remaining(&headers),
            ..sent
        };
        let refusal = (!status.is_success()).then(|| {
            let body = body.as_deref().unwrap_or_default();
            Refusal::read(status, &headers, body, self.0.clock.now())
        });
        if let Some(key) = counted {
            self.0
                .throttled
                .answered(key, name, status, refusal.as_ref(), tokio::time::Instant::now())
                .await;
        }
        Answer {
            status,
            headers,
            report,
            name,
            body,
            refusal,
        }
    }

    /// Turns a call into a request. A token leaves for ARM's own origin only.
    fn request(&self, call: &Call<'_>) -> Result<reqwest::Request, ArmErrorKind> {
        if !trusted_url::same_origin(&call.url, &self.0.settings.endpoint) {
            return Err(ArmErrorKind::NotSent("the URL is not of ARM's origin".to_owned()));
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
            .request(call.method.clone(), call.url.clone())
            .headers(telemetry::trace_headers())
            .header(header::ACCEPT, "application/json")
            .header("x-ms-correlation-request-id", id.clone())
            .header("x-ms-client-request-id", id)
            .header("x-ms-return-client-request-id", "true");
        if let Some(token) = call.token {
            request = request.header(header::AUTHORIZATION, token.bearer().ok_or_else(illegal)?);
        }
        if !call.auxiliary.is_empty() {
            request = request.header(
                AUXILIARY_HEADER,
                ArmToken::auxiliary(call.auxiliary).ok_or_else(illegal)?,
            );
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
        name: &'static str,
        mut request: reqwest::Request,
        permit: CallPermit,
    ) -> Result<Exchanged, ArmErrorKind> {
        let CallPermit { admitted, counted } = permit;
        let given = self.0.guards.read_timeout();
        let is_read = request.method() == Method::GET;
        if is_read {
            *request.timeout_mut() = Some(given);
        }
        failpoint("arm", name, Moment::Before)
            .await
            .map_err(|_| ArmErrorKind::NotSent("a failure point".to_owned()))?;
        let mut response = match self.0.client.execute(request).await {
            Ok(response) => response,
            Err(error) => {
                let hurried = is_read && error.is_timeout() && self.0.guards.deadline_was_short(given);
                if !hurried && !error.is_builder() {
                    admitted.record_failure();
                }
                let not_sent = error.is_connect() || error.is_builder();
                return Err(if not_sent {
                    ArmErrorKind::NotSent(cause(error))
                } else {
                    ArmErrorKind::NoAnswer
                });
            }
        };
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = upstream::read_body(response).await.map_err(|error| match error {
            BodyError::Broken => BodyFault::Cut,
            BodyError::TooLarge => BodyFault::TooLong,
        });
        if status.is_server_error() || matches!(body, Err(BodyFault::Cut)) {
            admitted.record_failure();
        } else {
            admitted.record_success();
        }
        failpoint("arm", name, Moment::After)
            .await
            .map_err(|_| ArmErrorKind::NoAnswer)?;
        Ok((status, headers, body, counted))
    }
}

/// What came back, and as what ARM counted the call.
type Exchanged = (StatusCode, HeaderMap, Result<Body, BodyFault>, Option<Key>);

impl ArmError {
    /// Logs that a call got no answer, or was not made.
    fn log(&self) {
        if matches!(self.kind, ArmErrorKind::Rejected(_)) {
            tracing::debug!(arm.call = self.call, arm.failure = %self.kind, "a call to Azure Resource Manager was not made");
        } else {
            tracing::warn!(
                arm.call = self.call,
                arm.correlation_id = self.report.correlation_id,
                arm.duration_ms = milliseconds(self.report.duration),
                arm.failure = %self.kind,
                "Azure Resource Manager gave no answer"
            );
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::arm::testing::{SOURCE, ScriptedArm, TARGET, data_connection_id, reply, token};
    use crate::arm::{CallTrace, Credentials};
    use crate::test_log;

    #[tokio::test]
    async fn a_call_logs_its_ids_and_status_and_neither_token_nor_body_nor_signature() {
        test_log::start();
        let server = ScriptedArm::start_with(|endpoint| {
            let operation = format!("Azure-AsyncOperation: {endpoint}operationResults/x?s=sealed-by-arm");
            vec![
                reply(
                    201,
                    &[&operation, "x-ms-request-id: r-1"],
                    r#"{"answered":"payload"}"#,
                ),
                reply(200, &["x-ms-request-id: r-2"], r#"{"status":"Succeeded"}"#),
            ]
        });
        let credentials = Credentials {
            primary: token(TARGET, "primary.secret"),
            auxiliary: vec![token(SOURCE, "auxiliary.secret")],
        };
        let trace = CallTrace {
            correlation_id: uuid::Uuid::from_u128(7),
        };
        let arm = server.arm();
        let accepted = arm
            .put_data_connection(
                &credentials,
                &data_connection_id(),
                &json!({"sent": "payload"}),
                &trace,
            )
            .await
            .expect("accepted");
        let operation = accepted.operation.as_ref().expect("an operation");
        let state = arm.poll(&credentials.primary, operation).await.expect("a state");
        tracing::info!(?credentials, ?accepted, ?state, "as a careless caller logs them");
        let log = test_log::of_this_thread();
        for kept in [
            "PUT data connection",
            "arm.status=201",
            "arm.request_id=\"r-1\"",
            "GET operation",
            "r-2",
        ] {
            assert!(log.contains(kept), "{kept} in {log}");
        }
        for secret in ["secret", "sealed-by-arm", "payload"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
}
