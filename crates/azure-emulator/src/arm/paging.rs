//! Lists in pages, for ARM's own lists: `nextLink` with a `$skiptoken` that tells where the next page starts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use super::error::ArmError;
use crate::azure::Azure;
use crate::exchange::{Answer, Call, set};

const SKIP_TOKEN: &str = "$skiptoken";

/// One page of `items`; all of them without a page size. What ARM says to a token that is none of its own is not known.
pub(super) fn answer(
    azure: &Azure,
    call: &Call,
    page_size: Option<usize>,
    items: &[Value],
) -> Result<Answer, ArmError> {
    let start = start(call)?;
    let rest = items.get(start..).unwrap_or_default();
    let size = page_size.unwrap_or(usize::MAX).max(1);
    let page = rest.get(..size).unwrap_or(rest);
    let mut body = json!({ "value": page });
    if page.len() < rest.len() {
        set(
            &mut body,
            "nextLink",
            json!(next_link(azure, call, start + page.len())),
        );
    }
    Ok(Answer::json(StatusCode::OK, &body))
}

fn start(call: &Call) -> Result<usize, ArmError> {
    let Some(token) = call.query(SKIP_TOKEN) else {
        return Ok(0);
    };
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let start = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.parse().ok());
    start.ok_or_else(|| {
        let message = "The skip token is invalid.";
        ArmError::gateway(StatusCode::BAD_REQUEST, "InvalidSkipToken", message)
    })
}

/// The call's own address, filter and all, with the next page's token.
fn next_link(azure: &Azure, call: &Call, start: usize) -> String {
    let path = call.path_and_query.split('?').next().unwrap_or_default();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &call.query {
        if !name.eq_ignore_ascii_case(SKIP_TOKEN) {
            query.append_pair(name, value);
        }
    }
    query.append_pair(SKIP_TOKEN, &URL_SAFE_NO_PAD.encode(start.to_string()));
    // Some clients decode `%20` but not `+`.
    let query = query.finish().replace('+', "%20");
    format!("{}{path}?{query}", azure.arm_origin())
}
