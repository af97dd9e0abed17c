//! ARM's refusals: `{"error":{"code","message"}}` with the status and headers that go with them.

use http::StatusCode;
use serde_json::json;

use crate::exchange::Answer;
use crate::resources::ResourceId;

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArmError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) challenge: Option<String>,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u64>,
    /// ARM itself refuses, not the provider behind it (`x-ms-failure-cause: gateway`).
    pub(crate) gateway: bool,
}

impl ArmError {
    /// A refusal by ARM itself.
    pub(crate) fn gateway(status: StatusCode, code: &'static str, message: impl Into<String>) -> ArmError {
        ArmError {
            status,
            code,
            message: message.into(),
            challenge: None,
            retry_after: None,
            gateway: true,
        }
    }

    /// A refusal by a resource provider.
    pub(crate) fn provider(status: StatusCode, code: &'static str, message: impl Into<String>) -> ArmError {
        ArmError {
            gateway: false,
            ..ArmError::gateway(status, code, message)
        }
    }

    /// What stands in the place of the subscription is no GUID.
    pub(crate) fn invalid_subscription(id: &str) -> ArmError {
        let message = format!("The provided subscription identifier '{id}' is malformed or invalid.");
        ArmError::gateway(StatusCode::BAD_REQUEST, "InvalidSubscriptionId", message)
    }

    pub(crate) fn subscription_not_found(id: &str) -> ArmError {
        let message = format!("The subscription '{id}' could not be found.");
        ArmError::gateway(StatusCode::NOT_FOUND, "SubscriptionNotFound", message)
    }

    /// A resource that ARM keeps track of itself: a cluster, a namespace.
    pub(crate) fn tracked_not_found(id: &ResourceId) -> ArmError {
        let message = format!(
            "The Resource '{}/{}' under resource group '{}' was not found. For more details please go to \
             https://aka.ms/ARMResourceNotFoundFix",
            id.resource_type(),
            id.names().join("/"),
            id.resource_group().unwrap_or_default(),
        );
        ArmError::gateway(StatusCode::NOT_FOUND, "ResourceNotFound", message)
    }

    /// A resource that only the provider knows (recorded ARM traffic: Kusto scripts).
    pub(crate) fn nested_not_found(id: &str) -> ArmError {
        let message = format!("The resource with identifier '{id}' is not found.");
        ArmError::provider(StatusCode::NOT_FOUND, "ResourceNotFound", message)
    }

    pub(crate) fn parent_not_found(parent: &ResourceId) -> ArmError {
        let message = format!(
            "Can not perform requested operation on nested resource. Parent resource '{}' not found.",
            parent.name()
        );
        ArmError::gateway(StatusCode::NOT_FOUND, "ParentResourceNotFound", message)
    }

    pub(crate) fn group_not_found(name: &str) -> ArmError {
        let message = format!("Resource group '{name}' could not be found.");
        ArmError::gateway(StatusCode::NOT_FOUND, "ResourceGroupNotFound", message)
    }

    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> ArmError {
        ArmError::provider(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn answer(&self) -> Answer {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut answer = Answer::json(self.status, &body);
        if self.gateway {
            answer = answer.with("x-ms-failure-cause", "gateway");
        }
        if let Some(seconds) = self.retry_after {
            answer = answer.with("retry-after", &seconds.to_string());
        }
        match &self.challenge {
            Some(challenge) => answer.with("www-authenticate", challenge),
            None => answer,
        }
    }
}
