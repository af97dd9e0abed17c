//! Headers of ARM's answers that mean the same on every call.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;

/// The longest wait that is taken from a header: ARM's longest window of a limit is an hour.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// A header's text; bytes that are no UTF-8 are replaced. `None` when it is absent or empty.
pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    let text = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// An id that ARM gave a call, if it looks like one: it ends up in logs and in answers.
pub(super) fn id(headers: &HeaderMap, name: &str) -> Option<String> {
    text(headers, name).filter(|id| {
        id.len() <= 128
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
    })
}

/// The smallest of the `x-ms-ratelimit-remaining-…` counters. Which one it is of and how fast it refills differs from
/// what is documented (recorded ARM traffic), so it is a hint and nothing more.
pub(super) fn remaining(headers: &HeaderMap) -> Option<u32> {
    headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ms-ratelimit-remaining-"))
        .filter_map(|(_, value)| value.to_str().ok()?.trim().parse().ok())
        .min()
}

/// How long ARM asks to wait: `retry-after-ms` and `x-ms-retry-after-ms` in milliseconds, or `Retry-After` in seconds or
/// as a date (RFC 9110, section 10.2.3). At most an hour.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let milliseconds = ["retry-after-ms", "x-ms-retry-after-ms"]
        .into_iter()
        .find_map(|name| text(headers, name)?.parse().ok())
        .map(Duration::from_millis);
    let wait = milliseconds.or_else(|| {
        let value = text(headers, "retry-after")?;
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = DateTime::parse_from_rfc2822(&value).ok()?;
        Some((date.to_utc() - now).to_std().unwrap_or_default())
    })?;
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                *name,
                HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
            );
        }
        headers
    }

    fn wait(pairs: &[(&'static str, &str)]) -> Option<Duration> {
        let now = "2026-05-07T10:00:00Z".parse().expect("a time");
        retry_after(&headers(pairs), now)
    }

    #[test]
    fn a_wait_is_read_in_seconds_in_milliseconds_and_as_a_date() {
        assert_eq!(wait(&[("retry-after", "17")]), Some(Duration::from_secs(17)));
        assert_eq!(
            wait(&[("retry-after", "17"), ("x-ms-retry-after-ms", "250")]),
            Some(Duration::from_millis(250))
        );
        assert_eq!(
            wait(&[("retry-after", "Thu, 07 May 2026 10:01:00 GMT")]),
            Some(Duration::from_secs(60))
        );
    }

    #[test]
    fn a_wait_is_never_negative_nor_longer_than_an_hour_and_nonsense_is_none() {
        assert_eq!(
            wait(&[("retry-after", "Thu, 07 May 2020 10:01:00 GMT")]),
            Some(Duration::ZERO)
        );
        assert_eq!(
            wait(&[("retry-after", "18446744073709551615")]),
            Some(LONGEST_WAIT)
        );
        for nonsense in ["soon", "-1", "", "1.5", "99999999999999999999999"] {
            assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
    }

    #[test]
    fn the_smallest_counter_is_given_and_those_of_another_form_are_left_out() {
        let headers = headers(&[
            ("x-ms-ratelimit-remaining-subscription-writes", "799"),
            ("x-ms-ratelimit-remaining-subscription-global-writes", "11999"),
            ("x-ms-ratelimit-remaining-resource", "Microsoft.Kusto/Put3Min;3"),
        ]);
        assert_eq!(remaining(&headers), Some(799));
    }

    #[test]
    fn an_id_that_could_not_be_one_is_left_out() {
        assert_eq!(
            id(
                &headers(&[("x-ms-request-id", "8ddecfab-b04b")]),
                "x-ms-request-id"
            )
            .as_deref(),
            Some("8ddecfab-b04b")
        );
        assert_eq!(
            id(&headers(&[("x-ms-request-id", "<b>é</b>")]), "x-ms-request-id"),
            None
        );
    }
}
