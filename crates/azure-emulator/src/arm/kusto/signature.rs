//! The signature that ARM appends to operation URLs since 2024: `t` ticks, `c` certificate, `s` signature, `h` hash.
//! Its form is recorded, what is signed is this emulator's own choice: everything before `&c=`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::entra::SigningKey;

/// .NET ticks (100 ns since year 1) at the Unix epoch.
const EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// Whether operations started under this api-version have signed URLs.
pub(super) fn is_used(api_version: &str) -> bool {
    api_version >= "2024"
}

/// Appends the four members, about 3 kB.
pub(super) fn sign(key: &SigningKey, path_and_query: &str, at: DateTime<Utc>) -> String {
    let ticks = EPOCH_TICKS + at.timestamp_micros() * 10;
    let signed = format!("{path_and_query}&t={ticks}");
    // A key that can't sign gives a URL that no poll accepts: the failure shows where it matters.
    let signature = key.sign(signed.as_bytes()).unwrap_or_default();
    format!(
        "{signed}&c={}&s={}&h={}",
        URL_SAFE_NO_PAD.encode(key.certificate()),
        URL_SAFE_NO_PAD.encode(signature),
        hash(&signed),
    )
}

/// Whether a polled URL is one that was given out, unchanged.
pub(super) fn is_valid(key: &SigningKey, path_and_query: &str) -> bool {
    let Some((signed, rest)) = path_and_query.split_once("&c=") else {
        return false;
    };
    let member = |name: &str| {
        rest.split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    let signature = member("s")
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .unwrap_or_default();
    member("h") == Some(hash(signed).as_str())
        && rest.split('&').next() == Some(URL_SAFE_NO_PAD.encode(key.certificate()).as_str())
        && key.verify(signed.as_bytes(), &signature)
}

fn hash(signed: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(signed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::KeyRing;

    #[test]
    fn a_changed_or_shortened_url_is_not_valid() {
        let key = &KeyRing::of_process().operations;
        let url = sign(key, "/subscriptions/s/x?api-version=2024-04-13", Utc::now());
        assert!((2900..3600).contains(&url.len()), "{} bytes", url.len());
        assert!(is_valid(key, &url));
        assert!(!is_valid(key, &url.replace("/s/x", "/s/y")));
        assert!(!is_valid(key, url.split_once("&h=").unwrap().0));
        assert!(!is_valid(key, "/subscriptions/s/x?api-version=2024-04-13"));
    }
}
