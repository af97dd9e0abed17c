//! `Prefer: wait=n` and `Prefer: respond-async` (RFC 7240).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::authz::Caller;
use crate::http::shares::Place;
use crate::http::{AppState, Load};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How long the caller would wait.
pub(in crate::http) struct Prefer {
    /// For the change that the request asks for.
    wait: Duration,
    /// For what the request reads; nothing unless it says so.
    read: Duration,
}

/// How long a request may wait.
pub(in crate::http) struct AllowedWait {
    pub(in crate::http) wait: Duration,
    /// Kept as long as the request may wait.
    _place: Option<Place>,
}

impl Prefer {
    /// The wait that the caller gets: a preference, which need not be met (RFC 7240, section 2). Those who wait must not keep out
    /// those who work.
    pub(in crate::http) fn allowed_wait(&self, load: &Load, caller: &Caller) -> AllowedWait {
        AllowedWait::of(self.wait, load, caller)
    }

    /// The same for a request that reads: it waits only if it says so.
    pub(in crate::http) fn allowed_read(&self, load: &Load, caller: &Caller) -> AllowedWait {
        AllowedWait::of(self.read, load, caller)
    }
}

impl AllowedWait {
    fn of(wanted: Duration, load: &Load, caller: &Caller) -> Self {
        let place = (!wanted.is_zero()).then(|| load.place_to_wait(caller.into()));
        let place = place.flatten();
        Self {
            wait: place.as_ref().map_or(Duration::ZERO, |_| wanted),
            _place: place,
        }
    }

    /// Says how long the request may have waited (RFC 7240, section 3); nothing if it was not to.
    pub(in crate::http) fn applied(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if !self.wait.is_zero()
            && let Ok(value) = HeaderValue::from_str(&format!("wait={}", self.wait.as_secs()))
        {
            headers.insert(PREFERENCE_APPLIED, value);
        }
        headers
    }
}

impl FromRequestParts<AppState> for Prefer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let values = parts.headers.get_all("prefer").iter();
        let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let (asked, longest) = (asked(&texts), state.server.longest_wait);
        Ok(Self {
            wait: asked.unwrap_or(state.server.default_wait).min(longest),
            read: asked.unwrap_or_default().min(longest),
        })
    }
}

/// How long the headers ask to wait. With both preferences, `wait` is the time after which the answer is to be asynchronous
/// (RFC 7240, section 4.3); of two of one kind the first counts (section 2).
fn asked(headers: &[&str]) -> Option<Duration> {
    let preferences = || {
        headers
            .iter()
            .flat_map(|text| text.split(','))
            .filter_map(|text| text.split(';').next().map(str::trim))
    };
    preferences().find_map(seconds).or_else(|| {
        let mut preferences = preferences();
        preferences
            .any(|text| text.eq_ignore_ascii_case("respond-async"))
            .then_some(Duration::ZERO)
    })
}

/// The time of a `wait`. One that can't be understood is no error: it is ignored (RFC 7240, section 2).
fn seconds(preference: &str) -> Option<Duration> {
    let (name, value) = preference.split_once('=')?;
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
        let second = |count| Some(Duration::from_secs(count));
        assert_eq!(asked(&["wait=10"]), second(10));
        assert_eq!(asked(&[" Wait = \"3\" ; x=y"]), second(3));
        assert_eq!(asked(&["respond-async"]), second(0));
        assert_eq!(asked(&["wait=soon"]), None);
        assert_eq!(asked(&["return=minimal"]), None);
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn a_time_to_wait_goes_before_the_wish_not_to_and_the_first_of_two_counts() {
        let second = |count| Some(Duration::from_secs(count));
        assert_eq!(asked(&["respond-async, wait=4"]), second(4));
        assert_eq!(asked(&["respond-async", "return=minimal, wait=4"]), second(4));
        assert_eq!(asked(&["wait=2, wait=9"]), second(2));
        assert_eq!(asked(&["wait=soon, respond-async"]), second(0));
    }
}
