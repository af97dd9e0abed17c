//! Headers of ARM's answers that mean the same on every call.

use http::HeaderMap;

/// A header's text; bytes that are no UTF-8 are replaced. `None` when it is absent or empty.
pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    let text = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// ARM's id of a call, if it has the form of one: it appears in logs and responses.
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
