//! Long-running operations at ARM: where one is asked about, and how it stands.
//! Written for how Kusto really answers (recorded ARM traffic), tolerant of what ARM documents beside it.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use url::Url;

use super::error::{ArmError, ArmErrorKind};
use super::report::CallReport;
use crate::arm::trusted_url::PinnedUrlError;
use crate::arm::{Arm, refusal, trusted_url};
use crate::domain::json_fields;
use crate::upstream;
use crate::upstream::BearerToken;

/// Where an operation is asked about. It leads to ARM and may be signed, so it prints without its query.
#[derive(Clone, PartialEq, Eq)]
pub struct OperationUrl {
    text: String,
    url: Url,
}

impl OperationUrl {
    /// Reads an `Azure-AsyncOperation` or `Location` header, or what [`OperationUrl::expose`] gave.
    ///
    /// # Errors
    /// When it is longer than 8 KiB, no URL, or leads to another scheme, host or port than the endpoint's.
    pub fn parse(text: &str, endpoint: &Url) -> Result<Self, PinnedUrlError> {
        let (text, url) = trusted_url::parse(text, endpoint)?;
        Ok(Self { text, url })
    }

    /// The text to be stored: as ARM gave it, signature and all, with raw spaces repaired. Not for logs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for OperationUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.url.path())
    }
}

impl fmt::Debug for OperationUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "OperationUrl({self})")
    }
}

/// How an operation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationStatus {
    /// Running, with ARM's word for it: an open set (`Running`, `Accepted`, `Creating`…).
    Running(String),
    /// Done.
    Succeeded,
    /// Over without success. Only a read shows whether something is there nevertheless.
    Failed {
        /// ARM's code, such as `EventHubValidationErorFound`.
        code: Option<String>,
        /// ARM's message, at most 1 KiB.
        message: Option<String>,
    },
    /// Stopped before it was done.
    Canceled,
}

/// One answer about an operation.
#[derive(Debug, Clone)]
pub struct OperationState {
    /// How it stands.
    pub status: OperationStatus,
    /// How long ARM asks to wait before the next question. No recorded Kusto answer has it: the caller needs a wait of
    /// its own.
    pub retry_after: Option<Duration>,
    /// The call's ids and its time.
    pub call: CallReport,
}

impl Arm {
    /// Asks how an operation stands.
    ///
    /// # Errors
    /// As every call. A 404 is `Refused`: ARM drops operations, and only a read of the resource shows the outcome.
    pub async fn poll(
        &self,
        token: &BearerToken,
        operation: &OperationUrl,
    ) -> Result<OperationState, ArmError> {
        self.read("GET operation", operation.url.clone(), Some(token), |answer| {
            let answer = answer.success(&self.0.settings.endpoint)?;
            let retry_after = upstream::retry_after(&answer.headers, self.0.clock.now());
            let body = answer.json_if_any();
            if answer.is_cut() {
                return Err(answer.error(ArmErrorKind::NoAnswer));
            }
            if body.is_none() && answer.has_body() {
                return Err(answer.error(ArmErrorKind::Unreadable));
            }
            Ok(OperationState {
                status: status(answer.status, body.as_ref()),
                retry_after,
                call: answer.report,
            })
        })
        .await
    }
}

/// What a success says about the operation: the body's `status`, else its `error`, else the resource's own
/// `provisioningState`, else the HTTP status (Microsoft Learn, "Track asynchronous Azure operations").
pub(super) fn status(http: StatusCode, body: Option<&Value>) -> OperationStatus {
    if let Some(body) = body {
        if let Some(status) = json_fields::text(body, "status") {
            return named(status, body);
        }
        if json_fields::member(body, "error").is_some_and(Value::is_object) {
            return failed(body);
        }
        if let Some(state) = json_fields::provisioning_state(body) {
            return named(state, body);
        }
    }
    match http {
        StatusCode::ACCEPTED => OperationStatus::Running("Accepted".to_owned()),
        StatusCode::CREATED => OperationStatus::Running("Created".to_owned()),
        _ => OperationStatus::Succeeded,
    }
}

fn named(status: &str, body: &Value) -> OperationStatus {
    match status.to_ascii_lowercase().as_str() {
        "succeeded" => OperationStatus::Succeeded,
        "failed" => failed(body),
        "canceled" | "cancelled" => OperationStatus::Canceled,
        _ => OperationStatus::Running(refusal::clean(status, 64).unwrap_or_default()),
    }
}

fn failed(body: &Value) -> OperationStatus {
    let error = json_fields::member(body, "error").filter(|error| error.is_object());
    let (code, message) = error.map_or((None, None), refusal::of_value);
    OperationStatus::Failed { code, message }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arm::testing::{ScriptedArm, TARGET, reply, token};

    fn of(http: u16, body: &Value) -> OperationStatus {
        status(StatusCode::from_u16(http).expect("a status"), Some(body))
    }

    #[test]
    fn an_operation_url_prints_its_path_and_never_its_signature() {
        let endpoint: Url = "https://management.azure.com/".parse().expect("a URL");
        let text =
            "https://management.azure.com/subscriptions/s/operationResults/x?api-version=1&s=signature";
        let url = OperationUrl::parse(text, &endpoint).expect("a URL");
        assert_eq!(url.expose(), text);
        assert_eq!(
            format!("{url} {url:?}"),
            "/subscriptions/s/operationResults/x OperationUrl(/subscriptions/s/operationResults/x)"
        );
    }

    #[test]
    fn the_bodys_status_decides_in_any_case_and_anything_unknown_is_still_running() {
        assert_eq!(
            of(200, &json!({"status": "succeeded", "percentComplete": 0.5})),
            OperationStatus::Succeeded
        );
        assert_eq!(of(200, &json!({"Status": "Canceled"})), OperationStatus::Canceled);
        for state in ["Running", "Accepted", "InProgress", "Moving"] {
            let body = json!({"status": state, "percentComplete": 1.0, "properties": {"provisioningState": "Succeeded"}});
            assert_eq!(of(200, &body), OperationStatus::Running(state.to_owned()));
        }
    }

    #[test]
    fn a_failure_carries_arms_code_and_message() {
        let body = json!({"status": "Failed", "error": {"code": "EventHubValidationErorFound", "message": "table does not exist"}});
        let failure = OperationStatus::Failed {
            code: Some("EventHubValidationErorFound".to_owned()),
            message: Some("table does not exist".to_owned()),
        };
        assert_eq!(of(200, &body), failure);
        let bare = OperationStatus::Failed {
            code: None,
            message: None,
        };
        assert_eq!(of(200, &json!({"status": "Failed"})), bare);
        assert_eq!(of(200, &json!({"error": {}})), bare);
    }

    #[test]
    fn a_location_is_running_while_202_and_done_at_200_and_204() {
        assert_eq!(
            status(StatusCode::ACCEPTED, None),
            OperationStatus::Running("Accepted".to_owned())
        );
        assert_eq!(status(StatusCode::OK, None), OperationStatus::Succeeded);
        assert_eq!(status(StatusCode::NO_CONTENT, None), OperationStatus::Succeeded);
        assert_eq!(of(200, &json!({"Value": []})), OperationStatus::Succeeded);
    }

    #[test]
    fn a_location_that_gives_the_resource_itself_is_done_only_when_the_resource_is() {
        let resource = |state: &str| json!({"name": "c/d/n", "properties": {"provisioningState": state}});
        assert_eq!(
            of(200, &resource("Creating")),
            OperationStatus::Running("Creating".to_owned())
        );
        assert_eq!(of(200, &resource("Succeeded")), OperationStatus::Succeeded);
    }

    #[tokio::test]
    async fn a_question_goes_where_the_operation_is_with_its_signature_untouched() {
        let server = ScriptedArm::start(vec![
            reply(
                200,
                &["x-ms-request-id: r-1"],
                r#"{"status":"Running","percentComplete":0.5}"#,
            ),
            reply(202, &["Retry-After: 5"], ""),
            reply(404, &[], r#"{"error":{"code":"NotFound"}}"#),
            reply(200, &[], "<html>"),
        ]);
        let (arm, token) = (server.arm(), token(TARGET, "t"));
        let text = format!(
            "{}locations/West US 2/operationResults/x?t=1&s=a-_b%2B&h=",
            server.endpoint
        );
        let operation = OperationUrl::parse(&text, &server.endpoint).expect("a URL");
        let running = arm.poll(&token, &operation).await.expect("a state");
        assert_eq!(running.status, OperationStatus::Running("Running".to_owned()));
        assert_eq!(
            (running.retry_after, running.call.request_id.as_deref()),
            (None, Some("r-1"))
        );
        let accepted = arm.poll(&token, &operation).await.expect("a state");
        assert_eq!(accepted.retry_after, Some(Duration::from_secs(5)));
        assert_eq!(
            arm.poll(&token, &operation)
                .await
                .expect_err("forgotten")
                .status(),
            Some(404)
        );
        assert_eq!(
            arm.poll(&token, &operation).await.expect_err("a page").kind,
            ArmErrorKind::Unreadable
        );
        let asked = "GET /locations/West%20US%202/operationResults/x?t=1&s=a-_b%2B&h= HTTP/1.1\n";
        assert!(
            server.requests()[0].starts_with(asked),
            "{}",
            server.requests()[0]
        );
    }

    proptest! {
        #[test]
        fn no_status_makes_the_reader_panic(state in "\\PC{0,80}", http in 200_u16..=299) {
            let _ = of(http, &json!({"status": state, "error": state}));
        }
    }
}
