//! 429: four bodies that ARM was seen with (Azure/azure-sdk-for-net, hashicorp/terraform-provider-azurerm and others
//! quote them in issues).

use http::StatusCode;

use super::error::ArmError;
use super::headers;
use super::throttle::{Counted, Refused, ThrottledBody};
use crate::exchange::Call;

/// Refuses the call if its bucket was empty. `body` is what the world insists on.
pub(super) fn refuse(
    counted: &Counted,
    call: &Call,
    subscription: &str,
    body: Option<ThrottledBody>,
) -> Result<(), ArmError> {
    let Some(refused) = counted.refused else {
        return Ok(());
    };
    let body = body.unwrap_or(match refused.by_all {
        true => ThrottledBody::BackendStorage,
        false if headers::is_kusto(call) => ThrottledBody::Resource,
        false => ThrottledBody::Subscription,
    });
    let after = after(refused.retry_after);
    let path = call.path_and_query.split('?').next().unwrap_or_default();
    let (code, message) = match body {
        ThrottledBody::Subscription => (
            "SubscriptionRequestsThrottled",
            format!(
                "Number of {} requests for subscription '{subscription}' exceeded the limit of '{}' for time interval \
                 '{}'. {after}",
                counted.kind.word(),
                refused.size.calls,
                interval(refused),
            ),
        ),
        ThrottledBody::BackendStorage => (
            "SubscriptionRequestsThrottled",
            format!(
                "Number of requests for subscription '{subscription}' and operation '{}{}' exceeded the backend \
                 storage limit. {after}",
                call.method,
                path.to_uppercase(),
            ),
        ),
        ThrottledBody::Resource => (
            "ResourceRequestsThrottled",
            format!(
                "Number of requests for action '{}' exceeded the limit of '{}' for time interval '{}'. {after}",
                action(call, counted.kind.word()),
                refused.size.calls,
                interval(refused),
            ),
        ),
        ThrottledBody::Plain => ("TooManyRequests", "The request is being throttled.".to_owned()),
    };
    Err(ArmError {
        retry_after: Some(refused.retry_after),
        ..ArmError::gateway(StatusCode::TOO_MANY_REQUESTS, code, message)
    })
}

fn after(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..60 => (seconds, "seconds"),
        _ => (seconds.div_ceil(60), "minutes"),
    };
    format!("Please try again after '{number}' {unit}.")
}

/// In how long a bucket refills, as .NET writes a duration.
fn interval(refused: Refused) -> String {
    let seconds = match refused.size.refill_per_second {
        0 => 3600,
        refill => refused.size.calls.div_ceil(refill),
    };
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The action's name, from provider and types of the path.
fn action(call: &Call, word: &str) -> String {
    let start = (call.segments.iter()).rposition(|s| s.eq_ignore_ascii_case("providers"));
    let part = start.and_then(|start| call.segments.get(start + 1..));
    let types = match part {
        Some([namespace, types @ ..]) => types
            .iter()
            .step_by(2)
            .fold(namespace.clone(), |all, one| format!("{all}/{one}")),
        _ => "Microsoft.Resources/subscriptions".to_owned(),
    };
    format!("{types}/{word}")
}
