//! Headers of every ARM answer (recorded ARM traffic).

use chrono::{DateTime, Utc};
use http::Method;
use uuid::Uuid;

use super::auth::Caller;
use crate::exchange::{Answer, Call};

const REGION: &str = "WESTEUROPE";

/// Adds what every answer carries.
pub(super) fn finish(answer: Answer, call: &Call, caller: Option<&Caller>, now: DateTime<Utc>) -> Answer {
    let guid = |name: &str| call.header(name).and_then(|id| Uuid::parse_str(id).ok());
    let correlation = guid("x-ms-correlation-request-id")
        .unwrap_or_else(Uuid::new_v4)
        .to_string();
    let mut answer = answer
        .with("cache-control", "no-cache")
        .with("pragma", "no-cache")
        .with("expires", "-1")
        .with("strict-transport-security", "max-age=31536000; includeSubDomains")
        .with("x-content-type-options", "nosniff")
        .with("x-cache", "CONFIG_NOCACHE")
        .with("x-ms-request-id", &Uuid::new_v4().to_string())
        .with("x-ms-correlation-request-id", &correlation)
        .with(
            "x-ms-routing-request-id",
            &format!("{REGION}:{}:{correlation}", now.format("%Y%m%dT%H%M%SZ")),
        )
        .with(
            "x-msedge-ref",
            &format!(
                "Ref A: {} Ref B: EMULATOR Ref C: {}",
                Uuid::new_v4().simple(),
                now.format("%FT%TZ")
            ),
        );
    if let Some(id) = call.header("x-ms-client-request-id") {
        answer = answer.with("x-ms-client-request-id", id);
    }
    let Some(caller) = caller else { return answer };
    let identifier = format!(
        "tenantId={},objectId={}/{}/{}",
        caller.tenant_id,
        caller.oid,
        REGION.to_lowercase(),
        Uuid::new_v4()
    );
    let (remaining, count) = remaining(call);
    answer
        .with("x-ms-operation-identifier", &identifier)
        .with(remaining, count)
}

/// What is left of the bucket that the call was counted in. The numbers are hints here, as they are at ARM.
fn remaining(call: &Call) -> (&'static str, &'static str) {
    let is_resource = call
        .path_and_query
        .to_ascii_lowercase()
        .contains("/providers/microsoft.kusto/");
    match call.method {
        Method::DELETE => ("x-ms-ratelimit-remaining-subscription-deletes", "799"),
        Method::POST => ("x-ms-ratelimit-remaining-subscription-writes", "799"),
        Method::GET if is_resource => ("x-ms-ratelimit-remaining-subscription-resource-requests", "1099"),
        _ if is_resource => ("x-ms-ratelimit-remaining-subscription-resource-requests", "799"),
        Method::GET => ("x-ms-ratelimit-remaining-subscription-reads", "1099"),
        _ => ("x-ms-ratelimit-remaining-subscription-writes", "799"),
    }
}
