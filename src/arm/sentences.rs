//! Which of ARM's own sentences are passed on. Most of ARM's messages are for the person who asked, but what a failure says is kept
//! and read by others, and some messages name people, policies or tenants: so only those of codes that are known are passed on.

use crate::arm::{ArmError, ArmErrorKind};

/// Codes whose messages name nothing but what was asked for (recorded ARM traffic, and the published API of `Microsoft.Kusto`).
const TOLD: [&str; 16] = [
    "AnotherOperationInProgress",
    "EventHubValidationErorFound",
    "EventHubValidationErrorFound",
    "InvalidApiVersionParameter",
    "InvalidLocation",
    "MissingApiVersionParameter",
    "NoRegisteredProviderFound",
    "OperationInProgress",
    "ParentResourceNotFound",
    "ResourceGroupNotFound",
    "ResourceNotFound",
    "ServiceIsInMaintenance",
    "SubscriptionNotFound",
    "SubscriptionRequestsThrottled",
    "TooManyRequests",
    "DatabaseNotFound",
];

/// ARM's reason as far as it may be passed on: its sentence, else its code and the id under which its support finds the call.
pub(crate) fn reason(code: Option<&str>, message: Option<&str>, request_id: Option<&str>) -> String {
    let code = code.filter(|code| is_plain(code));
    let is_told = code.is_some_and(|code| TOLD.iter().any(|told| told.eq_ignore_ascii_case(code)));
    if let Some(message) = message.filter(|_| is_told) {
        return message.to_owned();
    }
    let code = code.unwrap_or("without a code");
    match request_id.filter(|id| is_plain(id)) {
        Some(id) => format!("{code} (request {id})"),
        None => code.to_owned(),
    }
}

/// What ARM answered, in a sentence.
pub(crate) fn sentence_of(error: &ArmError) -> String {
    match error.refusal() {
        Some(refusal) => {
            let (code, message) = (refusal.code.as_deref(), refusal.message.as_deref());
            let reason = reason(code, message, error.report.request_id.as_deref());
            format!(
                "Azure Resource Manager answered {} to {}: {reason}",
                refusal.status, error.call
            )
        }
        None => match &error.kind {
            ArmErrorKind::Rejected(rejected) => format!("{} was {rejected}", error.call),
            _ => format!("{} got no usable answer from Azure Resource Manager", error.call),
        },
    }
}

/// Codes and ids are words; what is none could say anything.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sentences_of_known_codes_are_passed_on() {
        let told = |code, message| reason(code, Some(message), Some("r-1"));
        assert_eq!(
            told(Some("eventhubvalidationerorfound"), "the table does not exist"),
            "the table does not exist"
        );
        let person = "The client 'acc1@domain1.com' with object id '7' does not have authorization.";
        assert_eq!(
            told(Some("AuthorizationFailed"), person),
            "AuthorizationFailed (request r-1)"
        );
        assert_eq!(told(None, person), "without a code (request r-1)");
        assert_eq!(
            told(Some("a code that is a sentence"), person),
            "without a code (request r-1)"
        );
        assert_eq!(reason(Some("Gone"), None, None), "Gone");
        assert_eq!(
            reason(Some("Gone"), Some(person), Some("an id, with more")),
            "Gone"
        );
    }
}
