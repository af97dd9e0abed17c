//! URLs that ARM hands out (operations, next pages): they are called with a token, so they must lead back to ARM.

use url::Url;

/// The longest URL that is taken from ARM, in bytes. Signed operation URLs measured about 3,200 (recorded ARM traffic).
pub(super) const LONGEST: usize = 8 * 1024;

/// Why a URL from an answer is not called. Holds nothing of the URL: it may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinnedUrlError {
    /// More than 8 KiB.
    #[error("the URL is longer than 8 KiB")]
    TooLong,
    /// Not an absolute URL.
    #[error("the URL can't be read")]
    Malformed,
    /// Another scheme, host or port than ARM's, or one with credentials in it.
    #[error("the URL leads to another host than ARM's")]
    ForeignHost,
}

/// Parses an ARM URL. Returns the text, with raw spaces repaired and otherwise untouched, and the URL.
///
/// Until about 2024 `Azure-AsyncOperation` carried region names with raw spaces (recorded ARM traffic).
///
/// # Errors
/// When it is too long, no URL, or leads to another origin than the endpoint's.
pub(super) fn parse(text: &str, endpoint: &Url) -> Result<(String, Url), PinnedUrlError> {
    let repaired = text.trim_matches(' ').replace(' ', "%20");
    if repaired.len() > LONGEST {
        return Err(PinnedUrlError::TooLong);
    }
    // The URL parser drops tabs and line breaks without a word; what is stored must be what is called.
    if repaired.contains(|character: char| character.is_control()) {
        return Err(PinnedUrlError::Malformed);
    }
    let url = Url::parse(&repaired).map_err(|_| PinnedUrlError::Malformed)?;
    if !same_origin(&url, endpoint) {
        return Err(PinnedUrlError::ForeignHost);
    }
    Ok((repaired, url))
}

/// Whether a token for the endpoint may be sent to this URL.
pub(super) fn same_origin(url: &Url, endpoint: &Url) -> bool {
    url.origin().is_tuple()
        && url.origin() == endpoint.origin()
        && url.username().is_empty()
        && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn endpoint() -> Url {
        "https://management.azure.com/".parse().expect("a URL")
    }

    #[test]
    fn raw_spaces_are_repaired_and_nothing_else_is_touched() {
        let (text, url) = parse(
            " https://management.azure.com/subscriptions/s/locations/West US 2/operationResults/x?api-version=1&s=a%2Bb_-~ ",
            &endpoint(),
        )
        .expect("a pinned URL");
        assert_eq!(
            text,
            "https://management.azure.com/subscriptions/s/locations/West%20US%202/operationResults/x?api-version=1&s=a%2Bb_-~"
        );
        assert_eq!(url.as_str(), text);
    }

    #[test]
    fn a_url_to_anywhere_else_is_refused() {
        for foreign in [
            "https://management.azure.com.example.org/x",
            "https://example.org/?https://management.azure.com/",
            "http://management.azure.com/x",
            "https://management.azure.com:8443/x",
            "https://user@management.azure.com/x",
            "https://user:word@management.azure.com/x",
            "https://management.azure.com@example.org/x",
            "data:text/plain,management.azure.com",
        ] {
            assert_eq!(
                parse(foreign, &endpoint()).err(),
                Some(PinnedUrlError::ForeignHost),
                "{foreign}"
            );
        }
        assert!(parse("https://MANAGEMENT.azure.com:443/x", &endpoint()).is_ok());
    }

    #[test]
    fn what_is_no_url_or_far_too_long_is_refused() {
        for bad in [
            "",
            "/subscriptions/s",
            "management.azure.com/x",
            "https://",
            "https://management.azure.com/a\tb",
        ] {
            assert_eq!(
                parse(bad, &endpoint()).err(),
                Some(PinnedUrlError::Malformed),
                "{bad}"
            );
        }
        let long = format!("https://management.azure.com/{}", "a".repeat(LONGEST));
        assert_eq!(parse(&long, &endpoint()).err(), Some(PinnedUrlError::TooLong));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_goes_to_arm_and_reads_the_same_again(
            text in "(https://management.azure.com[\\PC]{0,40})|(\\PC{0,60})",
        ) {
            if let Ok((kept, url)) = parse(&text, &endpoint()) {
                prop_assert_eq!(url.host_str(), Some("management.azure.com"));
                prop_assert_eq!(parse(&kept, &endpoint()), Ok((kept.clone(), url)));
            }
        }
    }
}
