//! Links to this service's own resources, and the tokens that pages are found by.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::domain::{FieldError, OperationRecord};
use crate::http::AppState;
use crate::http::models::OperationStatus;
use crate::http::problem::Problem;

/// Where a long-running operation is followed, in Azure's API style.
pub(super) const OPERATION_LOCATION: HeaderName = HeaderName::from_static("operation-location");

/// A link: absolute when the service knows its public URL.
pub(super) fn to(state: &AppState, path: &str) -> String {
    match &state.server.public_url {
        Some(base) => format!("{}{path}", base.as_str().trim_end_matches('/')),
        None => path.to_owned(),
    }
}

/// The headers with which an operation is followed.
pub(super) fn follow(state: &AppState, operation: &OperationRecord) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&to(state, &format!("/v1/operations/{}", operation.id))) {
        headers.insert(OPERATION_LOCATION, value);
    }
    let status = OperationStatus::of(operation);
    if !status.is_terminal() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(pause(status)));
    }
    headers
}

/// `Retry-After` of a running operation, in seconds.
const fn pause(status: OperationStatus) -> &'static str {
    match status {
        OperationStatus::AwaitingCaller | OperationStatus::Unsettled => "10",
        _ => "2",
    }
}

/// The version of page tokens; another version's are refused, not misread.
const PAGE_VERSION: &str = "1";

/// An opaque page token. `list` keeps a token of one list from being used for another.
pub(super) fn page_token(list: &str, position: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{PAGE_VERSION}:{list}:{position}"))
}

/// The position that a page token holds.
pub(super) fn page_position<T: std::str::FromStr>(
    list: &str,
    token: Option<&str>,
) -> Result<Option<T>, Problem> {
    let Some(token) = token else { return Ok(None) };
    match position(list, token) {
        Some(position) => Ok(Some(position)),
        None => {
            let detail = "is no page token of this list, or belongs to another filter or order; repeat the request without it, or follow `nextLink` unchanged".to_owned();
            Err(Problem::invalid(vec![FieldError {
                pointer: "pageToken".to_owned(),
                detail,
            }]))
        }
    }
}

/// The position that a token of this list holds; none if it is no such token.
pub(super) fn position<T: std::str::FromStr>(list: &str, token: &str) -> Option<T> {
    let decoded = URL_SAFE_NO_PAD.decode(token).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.strip_prefix(&format!("{PAGE_VERSION}:{list}:"))?
        .parse()
        .ok()
}

/// How many items a page has.
pub(super) fn page_size(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(50),
        Some(limit @ 1..=200) => Ok(limit),
        Some(_) => {
            let detail = "must be from 1 to 200".to_owned();
            Err(Problem::invalid(vec![FieldError {
                pointer: "limit".to_owned(),
                detail,
            }]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_is_good_for_its_own_list_only() {
        let token = page_token("events", "42");
        assert_eq!(page_position::<i64>("events", Some(&token)).ok(), Some(Some(42)));
        assert!(page_position::<i64>("connections", Some(&token)).is_err());
        assert!(page_position::<i64>("events", Some("NDI")).is_err());
        assert!(page_position::<i64>("events", Some("%")).is_err());
    }
}
