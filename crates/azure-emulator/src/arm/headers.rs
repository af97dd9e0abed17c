//! Headers of every ARM answer (recorded ARM traffic).

use chrono::{DateTime, Utc};
use http::Method;
use uuid::Uuid;

use super::auth::Caller;
use super::throttle::{Counted, Kind};
use crate::exchange::{Answer, Call};

const REGION: &str = "WESTEUROPE";

/// Which front the answer came through. Recordings show it by their date; here the api-version of a call to Kusto stands
/// for that, and every other call is of today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Era {
    /// Up to 2020: `X-Powered-By`.
    AspNet,
    /// Up to 2023: `Server`.
    HttpApi,
    /// Since 2024: `X-Cache`, `X-MSEdge-Ref`, and the identifier that came later.
    Edge,
}

impl Era {
    fn of(call: &Call) -> Era {
        match call.query("api-version") {
            Some(version) if is_kusto(call) && version < "2021" => Era::AspNet,
            Some(version) if is_kusto(call) && version < "2024" => Era::HttpApi,
            _ => Era::Edge,
        }
    }
}

/// Adds what every answer carries.
pub(super) fn finish(
    answer: Answer,
    call: &Call,
    seen: Option<(&Caller, Counted)>,
    now: DateTime<Utc>,
) -> Answer {
    let guid = |name: &str| call.header(name).and_then(|id| Uuid::parse_str(id).ok());
    // The provider's own, which differs from the correlation id also where ARM makes both.
    let request = Uuid::new_v4().to_string();
    let correlation = guid("x-ms-correlation-request-id").unwrap_or_else(Uuid::new_v4);
    let mut answer = answer
        .with("cache-control", "no-cache")
        .with("pragma", "no-cache")
        .with("expires", "-1")
        .with("strict-transport-security", "max-age=31536000; includeSubDomains")
        .with("x-content-type-options", "nosniff")
        .with("x-ms-request-id", &request)
        .with("x-ms-correlation-request-id", &correlation.to_string())
        .with(
            "x-ms-routing-request-id",
            &format!("{REGION}:{}:{correlation}", now.format("%Y%m%dT%H%M%SZ")),
        );
    let is_asked = call
        .header("x-ms-return-client-request-id")
        .is_some_and(|word| word.eq_ignore_ascii_case("true"));
    if let Some(id) = call.header("x-ms-client-request-id").filter(|_| is_asked) {
        answer = answer.with("x-ms-client-request-id", id);
    }
    let era = Era::of(call);
    answer = match era {
        Era::AspNet => answer.with("x-powered-by", "ASP.NET"),
        Era::HttpApi => answer.with("server", "Microsoft-HTTPAPI/2.0"),
        Era::Edge => {
            let edge = Uuid::new_v4().simple();
            let reference = format!("Ref A: {edge} Ref B: EMULATOR Ref C: {}", now.format("%FT%TZ"));
            answer
                .with("x-cache", "CONFIG_NOCACHE")
                .with("x-msedge-ref", &reference)
        }
    };
    let Some((caller, counted)) = seen else {
        return answer;
    };
    if era == Era::Edge {
        let identifier = format!(
            "tenantId={},objectId={}/{}/{}",
            caller.tenant_id,
            caller.oid,
            REGION.to_lowercase(),
            Uuid::new_v4()
        );
        answer = answer.with("x-ms-operation-identifier", &identifier);
    }
    rates(answer, call, counted, era)
}

/// What is left of the buckets that the call was counted in. Which header a provider's call shows is recorded; that the
/// provider's own counter goes with ARM's is a simplification.
fn rates(answer: Answer, call: &Call, counted: Counted, era: Era) -> Answer {
    let in_subscription = (call.segments.first()).is_some_and(|s| s.eq_ignore_ascii_case("subscriptions"))
        && call.segments.len() > 1;
    let to_provider = is_kusto(call) && call.method != Method::DELETE && call.method != Method::POST;
    let (own, global) = match (in_subscription, counted.kind) {
        (true, _) if to_provider => ("x-ms-ratelimit-remaining-subscription-resource-requests", None),
        (true, Kind::Reads) => (
            "x-ms-ratelimit-remaining-subscription-reads",
            Some("x-ms-ratelimit-remaining-subscription-global-reads"),
        ),
        (true, Kind::Writes) => (
            "x-ms-ratelimit-remaining-subscription-writes",
            Some("x-ms-ratelimit-remaining-subscription-global-writes"),
        ),
        (true, Kind::Deletes) => (
            "x-ms-ratelimit-remaining-subscription-deletes",
            Some("x-ms-ratelimit-remaining-subscription-global-deletes"),
        ),
        (false, Kind::Reads) => ("x-ms-ratelimit-remaining-tenant-reads", None),
        (false, _) => ("x-ms-ratelimit-remaining-tenant-writes", None),
    };
    let answer = answer.with(own, &counted.remaining.to_string());
    match global.filter(|_| era == Era::Edge) {
        Some(global) => answer.with(global, &counted.global.to_string()),
        None => answer,
    }
}

/// Whether the call is for Kusto or one of its operations.
pub(super) fn is_kusto(call: &Call) -> bool {
    let mut words = call.segments.windows(2).filter_map(|pair| match pair {
        [providers, namespace] if providers.eq_ignore_ascii_case("providers") => Some(namespace),
        _ => None,
    });
    words
        .next_back()
        .is_some_and(|namespace| namespace.eq_ignore_ascii_case("Microsoft.Kusto"))
}
