//! `Prefer: wait=n` and `Prefer: respond-async` (RFC 7240).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::http::AppState;

/// How long the caller would wait for an operation.
pub(in crate::http) struct Prefer {
    pub(in crate::http) wait: Duration,
}

impl FromRequestParts<AppState> for Prefer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let texts = parts
            .headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok());
        let asked = texts.flat_map(|text| text.split(',')).find_map(preference);
        Ok(Self {
            wait: asked
                .unwrap_or(state.server.default_wait)
                .min(state.server.longest_wait),
        })
    }
}

/// A preference that can't be understood is no error: it is ignored (RFC 7240, section 2).
fn preference(text: &str) -> Option<Duration> {
    let text = text.split(';').next()?.trim();
    if text.eq_ignore_ascii_case("respond-async") {
        return Some(Duration::ZERO);
    }
    let (name, value) = text.split_once('=')?;
    let seconds: u32 = value.trim().trim_matches('"').parse().ok()?;
    name.trim()
        .eq_ignore_ascii_case("wait")
        .then(|| Duration::from_secs(u64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_is_understood_or_ignored() {
        assert_eq!(preference("wait=10"), Some(Duration::from_secs(10)));
        assert_eq!(preference(" Wait = \"3\" "), Some(Duration::from_secs(3)));
        assert_eq!(preference("respond-async"), Some(Duration::ZERO));
        assert_eq!(preference("wait=soon"), None);
        assert_eq!(preference("return=minimal"), None);
    }
}
