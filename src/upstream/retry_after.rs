//! When to come back, as an answer says it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;

/// The longest wait that is taken from a header: ARM's longest window of a limit is an hour.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// How long the one who answered asks to wait: `retry-after-ms` and `x-ms-retry-after-ms` in milliseconds, or `Retry-After` in seconds or
/// as a date (RFC 9110, section 10.2.3). At most an hour.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let milliseconds = ["retry-after-ms", "x-ms-retry-after-ms"]
        .into_iter()
        .find_map(|name| text(headers, name)?.parse().ok())
        .map(Duration::from_millis);
    let wait = milliseconds.or_else(|| {
        let value = text(headers, "retry-after")?;
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = DateTime::parse_from_rfc2822(value).ok()?;
        Some((date.to_utc() - now).to_std().unwrap_or_default())
    })?;
    Some(wait.min(LONGEST_WAIT))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
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
}
