//! Entries without their secrets. A mark keeps the first 12 hex digits of a SHA-256, so that a reader sees which
//! tokens are the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::entry::Entry;
use super::view::{GrantView, TokenView};

/// Body members that hold a token or a secret.
const SECRET_MEMBERS: &[&str] = &[
    "access_token",
    "accessToken",
    "refresh_token",
    "id_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "id_token_hint",
    "password",
    "key",
    "primaryKey",
    "secondaryKey",
    "primaryConnectionString",
    "secondaryConnectionString",
];

/// Headers that hold tokens, or URLs that only their receiver may know.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "x-ms-authorization-auxiliary",
    "azure-asyncoperation",
    "location",
    "cookie",
    "set-cookie",
];

pub(super) fn entry(entry: &Entry) -> Value {
    json!({
        "sequence": entry.sequence,
        "at": entry.at.to_rfc3339(),
        "host": entry.host,
        "method": entry.method,
        "pathAndQuery": path_and_query(&entry.path_and_query),
        "requestHeaders": headers(&entry.request_headers),
        "requestBody": entry.request_body.as_ref().map(body),
        "status": entry.status,
        "delivered": entry.delivered,
        "responseHeaders": headers(&entry.response_headers),
        "responseBody": entry.response_body.as_ref().map(body),
        "durationMs": u64::try_from(entry.duration.as_millis()).unwrap_or(u64::MAX),
        "primary": entry.primary.as_ref().map(token),
        "auxiliary": entry.auxiliary.iter().map(token).collect::<Vec<_>>(),
        "grant": entry.grant.as_ref().map(grant),
    })
}

fn token(view: &TokenView) -> Value {
    json!({
        "tenant": view.tenant,
        "audience": view.audience,
        "oid": view.oid,
        "upn": view.upn,
        "app": view.app,
        "kind": view.kind.as_str(),
        "expires": view.expires,
    })
}

fn grant(view: &GrantView) -> Value {
    json!({
        "grantType": view.grant_type,
        "tenant": view.tenant,
        "clientId": view.client_id,
        "assertion": view.assertion.as_ref().map(token),
        "scope": view.scope,
        "issued": view.issued.as_ref().map(token),
    })
}

fn headers(headers: &BTreeMap<String, String>) -> Map<String, Value> {
    headers
        .iter()
        .map(|(name, value)| {
            let shown = if SECRET_HEADERS.contains(&name.as_str()) || value.contains("Bearer ") {
                marks(value)
            } else {
                hide(value)
            };
            (name.clone(), Value::String(shown))
        })
        .collect()
}

/// Every entry of a header becomes its scheme and a mark.
fn marks(value: &str) -> String {
    let mark = |part: &str| match part.trim().split_once(' ') {
        Some((scheme, secret)) => format!("{scheme} {}", fingerprint(secret)),
        None => fingerprint(part.trim()),
    };
    value.split([',', ';']).map(mark).collect::<Vec<_>>().join(", ")
}

fn body(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let shown = members.iter().map(|(name, value)| {
                let hidden = SECRET_MEMBERS
                    .contains(&name.as_str())
                    .then(|| value.as_str().map(fingerprint))
                    .flatten();
                (name.clone(), hidden.map_or_else(|| body(value), Value::String))
            });
            Value::Object(shown.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(body).collect()),
        Value::String(text) => Value::String(hide(text)),
        other => other.clone(),
    }
}

/// An operation URL's signature lets whoever has it poll, and a hint to a session is a token: they are cut off, with
/// all that follows.
fn signed_query(path_and_query: &str) -> String {
    ["&t=", "id_token_hint="]
        .iter()
        .find_map(|secret| {
            path_and_query
                .split_once(secret)
                .map(|(head, _)| format!("{head}{secret}…"))
        })
        .unwrap_or_else(|| path_and_query.to_owned())
}

/// A path and query without what only its sender may know: also where somebody put a secret that belongs elsewhere.
pub(super) fn path_and_query(text: &str) -> String {
    let text = signed_query(text);
    let Some((path, query)) = text.split_once('?') else {
        return hide(&text);
    };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, secret)) if SECRET_MEMBERS.contains(&name) && !secret.starts_with('…') => {
            format!("{name}={}", fingerprint(secret))
        }
        _ => hide(pair),
    });
    format!("{}?{}", hide(path), pairs.collect::<Vec<_>>().join("&"))
}

/// Text in which tokens and keys are marks, wherever they stand in it.
fn hide(text: &str) -> String {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let text = hide_after(text, "eyJ", is_of_token, |token| token.matches('.').count() == 2);
    hide_after(
        &text,
        "SharedAccessKey=",
        |c| c != ';' && !c.is_whitespace(),
        |_| true,
    )
}

/// Replaces what begins with `start` and goes on with such characters, if it is one of those that are meant.
fn hide_after(
    text: &str,
    start: &str,
    goes_on: impl Fn(char) -> bool,
    is_meant: impl Fn(&str) -> bool,
) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(start) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c| !goes_on(c)).unwrap_or(from.len());
        let (found, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(&if is_meant(found) {
            fingerprint(found)
        } else {
            found.to_owned()
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `sha256:` and 12 hex digits.
fn fingerprint(secret: &str) -> String {
    let mut out = "sha256:".to_owned();
    for byte in Sha256::digest(secret).iter().take(6) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_somebody_put_them() {
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln";
        for text in [
            path_and_query(&format!("/x/{token}/y")),
            path_and_query(&format!("/x?token={token}")),
            path_and_query("/x?client_secret=c2ln&a=b"),
            body(&json!({ "note": format!("take {token}, please") })).to_string(),
            body(&json!({ "note": "Endpoint=sb://a/;SharedAccessKey=c2ln;EntityPath=h" })).to_string(),
            Value::from(headers(
                &[("x-custom".to_owned(), "Bearer c2ln".to_owned())].into(),
            ))
            .to_string(),
            Value::from(headers(&[("x-custom".to_owned(), token.to_owned())].into())).to_string(),
        ] {
            assert!(!text.contains("c2ln") && text.contains("sha256:"), "{text}");
        }
        for text in ["/a/eyJ.b?c=d&e", "/x?api-version=2024-04-13&$filter=atScope()"] {
            assert_eq!(path_and_query(text), text);
        }
    }

    #[test]
    fn bodies_and_headers_lose_their_secrets_and_keep_the_rest() {
        let shown =
            body(&json!({ "access_token": "abc", "expires_in": 5, "inner": [{ "client_secret": "s" }] }));
        assert_eq!(shown["access_token"], "sha256:ba7816bf8f01");
        assert_eq!(shown["expires_in"], 5);
        assert!(!shown.to_string().contains("\"s\""));
        assert_eq!(
            marks("Bearer abc, Bearer abc"),
            "Bearer sha256:ba7816bf8f01, Bearer sha256:ba7816bf8f01"
        );
    }
}
