//! Who may talk to the admin listener: programs on this machine, and the page that came from it. The listener takes
//! connections from this machine alone; what is left are other sites' pages in a browser on it.

use http::{Method, StatusCode};

use super::refusal::Refusal;
use crate::exchange::Call;

/// Refuses what another site could have sent.
///
/// A name that resolves to this machine (DNS rebinding) shows in `Host`. A page of another site can send a form
/// without asking but no JSON and no DELETE (Fetch standard, "CORS-safelisted request-header"), and nothing here ever
/// answers to its asking. Browsers say where a request comes from; other programs need not.
pub(super) fn check(call: &Call) -> Result<(), Refusal> {
    let host = call.header("host").unwrap_or_default();
    if !is_loopback(host) {
        let fix = "use https://localhost or https://127.0.0.1 with the admin port";
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            format!("\"{host}\" is not this machine"),
            fix,
        ));
    }
    if [Method::GET, Method::HEAD].contains(&call.method) {
        return Ok(());
    }
    let own = format!("https://{host}");
    let from_elsewhere = call
        .header("origin")
        .is_some_and(|origin| !origin.eq_ignore_ascii_case(&own))
        || call
            .header("sec-fetch-site")
            .is_some_and(|site| site != "same-origin" && site != "none");
    if from_elsewhere {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "this comes from another site's page",
            "",
        ));
    }
    // A token changes nothing, and no other site can read the answer: `curl -d` alone gets one.
    let changes = call.path() != ["admin", "token"];
    if changes && call.method != Method::DELETE && !is_json(call) {
        let fix = "send -H 'content-type: application/json'";
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "changes are sent as JSON",
            fix,
        ));
    }
    Ok(())
}

fn is_json(call: &Call) -> bool {
    let content_type = call.header("content-type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}
