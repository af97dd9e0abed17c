//! `WWW-Authenticate`: where ARM says which tenant a subscription belongs to, and which claims a token lacks.
//! Read leniently (RFC 9110, section 11.6.1, with what was seen beside it): several headers, several challenges in one,
//! quotes optional, any case.

use std::iter::Peekable;
use std::str::Chars;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use url::Url;

use crate::domain::TenantId;

/// The longest claims request that is passed on, in bytes of JSON.
const LONGEST_CLAIMS: usize = 4096;
/// No real answer has more parameters; what is beyond is left unread.
const MOST_PARAMETERS: usize = 64;

/// One challenge: its scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The tenant that `authorization_uri` names: the one GUID among the segments of its path. The host is of no
    /// account: it is `login.windows.net` though tokens come from elsewhere.
    fn tenant(&self) -> Option<TenantId> {
        let uri: Url = self.parameter("authorization_uri")?.parse().ok()?;
        one(uri.path_segments()?.filter_map(|segment| segment.parse().ok()))
    }

    fn claims(&self) -> Option<String> {
        decode_claims(self.parameter("claims")?)
    }
}

/// A claims challenge: what a new token must carry, and whose token it is, where the challenge says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimsChallenge {
    pub(super) claims: String,
    pub(super) tenant: Option<TenantId>,
}

/// Every challenge of an answer's headers, in order.
pub(super) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .flat_map(|value| parse(&String::from_utf8_lossy(value.as_bytes())))
        .collect()
}

/// The tenant that the bearer challenges name, if they name exactly one.
pub(super) fn tenant(challenges: &[Challenge]) -> Option<TenantId> {
    one(bearers(challenges).filter_map(Challenge::tenant))
}

/// The claims that the bearer challenges ask for. `insufficient_claims` comes first; the older form of ARM's has
/// `invalid_token` with claims (Microsoft Learn, "Claims challenges, claims requests, and client capabilities").
pub(super) fn claims(challenges: &[Challenge]) -> Option<ClaimsChallenge> {
    let insufficient = |challenge: &&Challenge| {
        challenge
            .parameter("error")
            .is_some_and(|error| error.eq_ignore_ascii_case("insufficient_claims"))
    };
    let read = |challenge: &Challenge| {
        Some(ClaimsChallenge {
            claims: challenge.claims()?,
            tenant: challenge.tenant(),
        })
    };
    bearers(challenges)
        .filter(insufficient)
        .find_map(read)
        .or_else(|| bearers(challenges).find_map(read))
}

fn bearers(challenges: &[Challenge]) -> impl Iterator<Item = &Challenge> {
    challenges
        .iter()
        .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"))
}

/// The only value, if all are the same.
fn one<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}

/// Reads claims as Base64 of either alphabet, padded or not, or as plain JSON. `None` unless a JSON object comes out.
fn decode_claims(text: &str) -> Option<String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let plain = text.trim();
    let decoded = if plain.starts_with('{') {
        plain.to_owned()
    } else {
        let standard = plain.replace('-', "+").replace('_', "/");
        let bytes = GeneralPurpose::new(&alphabet::STANDARD, config)
            .decode(standard)
            .ok()?;
        String::from_utf8(bytes).ok()?
    };
    let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&decoded);
    (decoded.len() <= LONGEST_CLAIMS && object.is_ok()).then_some(decoded)
}

/// Splits one header's text into challenges. Never fails: what can't be read is passed over.
fn parse(text: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut characters = text.chars().peekable();
    let mut read = 0;
    while read < MOST_PARAMETERS && characters.peek().is_some() {
        read += 1;
        skip(&mut characters, |character| {
            character == ',' || character.is_whitespace()
        });
        let name = take(&mut characters, |character| {
            !"=,\"".contains(character) && !character.is_whitespace()
        });
        skip(&mut characters, char::is_whitespace);
        if characters.next_if_eq(&'=').is_some() {
            skip(&mut characters, char::is_whitespace);
            let value = value(&mut characters);
            if let Some(challenge) = challenges.last_mut() {
                challenge.parameters.push((name, value));
            }
        } else if name.is_empty() {
            // A stray quote or the end: stepping over it keeps the loop moving.
            characters.next();
        } else {
            challenges.push(Challenge {
                scheme: name,
                parameters: Vec::new(),
            });
        }
    }
    challenges
}

/// A parameter's value: quoted with backslash escapes, or bare up to a comma or a space.
fn value(characters: &mut Peekable<Chars<'_>>) -> String {
    if characters.next_if_eq(&'"').is_none() {
        return take(characters, |character| {
            character != ',' && !character.is_whitespace()
        });
    }
    let mut value = String::new();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    value
}

fn skip(characters: &mut Peekable<Chars<'_>>, unwanted: impl Fn(char) -> bool) {
    while characters.next_if(|character| unwanted(*character)).is_some() {}
}

fn take(characters: &mut Peekable<Chars<'_>>, wanted: impl Fn(char) -> bool) -> String {
    let mut taken = String::new();
    while let Some(character) = characters.next_if(|character| wanted(*character)) {
        taken.push(character);
    }
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TENANT: &str = "11111111-0000-4000-8000-000000000001";

    fn tenant_in(header: &str) -> Option<String> {
        tenant(&parse(header)).map(|tenant| tenant.to_string())
    }

    fn claims_in(header: &str) -> Option<String> {
        claims(&parse(header)).map(|challenge| challenge.claims)
    }

    #[test]
    fn a_tenant_is_read_from_every_form_that_was_seen() {
        for header in [
            format!(
                r#"Bearer authorization_uri="https://login.windows.net/{TENANT}", error="invalid_token", error_description="The authentication failed because of missing 'Authorization' header.""#
            ),
            format!(
                r#"bearer Authorization_URI="https://login.windows.net/{}/""#,
                TENANT.to_uppercase()
            ),
            format!("Bearer authorization_uri=https://login.windows.net/{TENANT}, error=invalid_token"),
            format!(
                r#"PoP realm="x", Bearer realm="", authorization_uri = "https://login.windows.net/{TENANT}""#
            ),
            format!(
                r#"Negotiate abc==, Bearer authorization_uri="https://login.windows.net/{TENANT}/oauth2/authorize""#
            ),
            format!(
                r#"Bearer error_description="a \"quoted\", authorization_uri=https://login.windows.net/22222222-0000-4000-8000-000000000002", authorization_uri="https://login.windows.net/{TENANT}""#
            ),
        ] {
            assert_eq!(tenant_in(&header).as_deref(), Some(TENANT), "{header}");
        }
    }

    #[test]
    fn a_challenge_that_names_no_tenant_or_two_gives_none() {
        for header in [
            r#"Bearer authorization_uri="https://login.windows.net/common""#.to_owned(),
            r#"Bearer authorization_uri="https://login.windows.net/""#.to_owned(),
            r#"Bearer authorization_uri="https://login.windows.net/domain1.com""#.to_owned(),
            format!(r#"Bearer authorization_uri="{TENANT}""#),
            format!(r#"Bearer authorization_uri="https://login.windows.net/?tenant={TENANT}""#),
            format!(r#"Basic authorization_uri="https://login.windows.net/{TENANT}""#),
            format!(
                r#"Bearer authorization_uri="https://login.windows.net/{TENANT}", Bearer authorization_uri="https://login.windows.net/22222222-0000-4000-8000-000000000002""#
            ),
            "Bearer".to_owned(),
            String::new(),
        ] {
            assert_eq!(tenant_in(&header), None, "{header}");
        }
    }

    #[test]
    fn claims_are_read_in_either_alphabet_with_or_without_padding() {
        let json = r#"{"access_token":{"nbf":{"essential":true,"value":"1726077595"}},"x":"??>>~~"}"#;
        let standard = base64::engine::general_purpose::STANDARD.encode(json);
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
        for claims in [standard.trim_end_matches('=').to_owned(), standard, url_safe] {
            let header = format!(
                r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="{claims}""#
            );
            assert_eq!(claims_in(&header).as_deref(), Some(json), "{header}");
        }
        assert_eq!(claims_in(r#"Bearer claims="bm8ganNvbg==""#), None);
        assert_eq!(claims_in(r#"Bearer claims="!""#), None);
        assert_eq!(
            claims_in(r#"Bearer claims="{\"a\":{}}""#).as_deref(),
            Some(r#"{"a":{}}"#)
        );
    }

    #[test]
    fn the_older_form_counts_too_but_insufficient_claims_comes_first_with_its_tenant() {
        let (old, new) = ("eyJvbGQiOnt9fQ", "eyJuZXciOnt9fQ");
        let older = format!(
            r#"Bearer authorization_uri="https://login.windows.net/", error="invalid_token", claims="{old}""#
        );
        assert_eq!(claims_in(&older).as_deref(), Some(r#"{"old":{}}"#));
        let both = parse(&format!(
            r#"{older}, Bearer authorization_uri="https://login.windows.net/{TENANT}", error="insufficient_claims", claims="{new}""#
        ));
        let challenge = claims(&both).expect("claims");
        assert_eq!(challenge.claims, r#"{"new":{}}"#);
        assert_eq!(
            challenge.tenant.map(|tenant| tenant.to_string()).as_deref(),
            Some(TENANT)
        );
    }

    proptest! {
        #[test]
        fn no_header_makes_the_parser_panic_or_hang(text in "[\\PC\\t]{0,200}") {
            let challenges = parse(&text);
            let _ = (tenant(&challenges), claims(&challenges));
        }

        #[test]
        fn a_quoted_value_comes_back_as_it_was_written(value in "[ -~]{0,60}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let challenges = parse(&format!("Bearer a=\"{quoted}\", b=c"));
            prop_assert_eq!(challenges.len(), 1);
            prop_assert_eq!(challenges[0].parameter("a"), Some(value.as_str()));
            prop_assert_eq!(challenges[0].parameter("B"), Some("c"));
        }
    }
}
