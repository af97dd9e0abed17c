//! Refusals of the login host (Microsoft Learn: "Microsoft Entra authentication and authorization error codes").

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::azure::Azure;
use crate::exchange::{Answer, Call, set};

/// One refusal. The texts are Entra's manner; clients must act on `error`, `suberror` and the number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntraError {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) code: u32,
    pub(crate) message: String,
    pub(crate) suberror: Option<&'static str>,
    /// JSON as text: what a new sign-in must satisfy.
    pub(crate) claims: Option<String>,
}

impl EntraError {
    pub(crate) fn new(error: &'static str, code: u32, message: impl Into<String>) -> EntraError {
        // Failures of the client's own authentication are 401, all others 400 (observed error bodies).
        let status = if error == "invalid_client" {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        EntraError {
            status,
            error,
            code,
            message: message.into(),
            suberror: None,
            claims: None,
        }
    }

    pub(crate) fn suberror(mut self, suberror: &'static str) -> EntraError {
        self.suberror = Some(suberror);
        self
    }

    /// As the token endpoint says it. The same refusal of a policy is `invalid_grant` at v2, which clients read together
    /// with suberror and claims, and `interaction_required` at v1. Which of the two each endpoint gives is known from
    /// answers of the service for 50076, 53003 and 70043; 53003 at v2 is inferred from the other two.
    pub(crate) fn at_token_endpoint(mut self, is_v2: bool) -> EntraError {
        match self.code {
            50076 | 53003 if is_v2 => self.error = "invalid_grant",
            50076 | 53003 | 70043 if !is_v2 => self.error = "interaction_required",
            _ => {}
        }
        self
    }

    pub(crate) fn missing_parameter(name: &str) -> EntraError {
        let message = format!("The request body must contain the following parameter: '{name}'.");
        EntraError::new("invalid_request", 900144, message)
    }

    pub(crate) fn tenant_not_found(tenant: &str) -> EntraError {
        let message = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into \
             the correct cloud. Check with your subscription administrator, this may happen if there are no active \
             subscriptions for the tenant."
        );
        EntraError::new("invalid_request", 90002, message)
    }

    pub(crate) fn tenant_malformed(tenant: &str) -> EntraError {
        let message = format!(
            "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."
        );
        EntraError::new("invalid_request", 900023, message)
    }

    pub(crate) fn resource_not_found(resource: &str, tenant: &str) -> EntraError {
        let message = format!(
            "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if \
             the application has not been installed by the administrator of the tenant or consented to by any user in \
             the tenant. You might have sent your authentication request to the wrong tenant."
        );
        EntraError::new("invalid_resource", 500011, message)
    }

    /// `error_description`, with the identifiers that every refusal carries.
    pub(crate) fn description(&self, trace: &Uuid, correlation: &str, now: DateTime<Utc>) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {}",
            self.code,
            self.message,
            timestamp(now)
        )
    }

    /// The answer as JSON.
    pub(crate) fn answer(&self, azure: &Azure, call: &Call) -> Answer {
        let (trace, correlation) = (Uuid::new_v4(), correlation(call));
        let timestamp = timestamp(azure.clock.now());
        let code = self.code;
        let mut body = json!({
            "error": self.error,
            "error_description": self.description(&trace, &correlation, azure.clock.now()),
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace.to_string(),
            "correlation_id": correlation,
            "error_uri": format!("{}error?code={code}", azure.entra_url),
        });
        if let Some(suberror) = self.suberror {
            set(&mut body, "suberror", json!(suberror));
        }
        if let Some(claims) = &self.claims {
            set(&mut body, "claims", json!(claims));
        }
        Answer::json(self.status, &body).with("x-ms-request-id", &trace.to_string())
    }
}

/// The caller's own correlation id if it is a GUID, else a new one.
pub(crate) fn correlation(call: &Call) -> String {
    let sent = call
        .header("client-request-id")
        .and_then(|id| Uuid::parse_str(id).ok());
    sent.unwrap_or_else(Uuid::new_v4).to_string()
}

/// A moment as Entra's messages write it.
pub(crate) fn iso(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Entra's own odd format, with a space.
fn timestamp(now: DateTime<Utc>) -> String {
    now.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
