//! One HTTP exchange as the rooms see it: the call with its whole body, and the answer.
//! Bodies are small here, so nothing streams; a handler is a plain function of a call.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// As it stood on the request line.
    pub(crate) path_and_query: String,
    /// The path's segments, percent-decoded, without empty ones.
    pub(crate) segments: Vec<String>,
    /// The query's pairs, decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn new(method: Method, path_and_query: &str, headers: HeaderMap, body: Vec<u8>) -> Call {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        Call {
            method,
            path_and_query: path_and_query.to_owned(),
            segments: path
                .split('/')
                .filter(|s| !s.is_empty())
                .map(percent_decode)
                .collect(),
            query: pairs(query.as_bytes()),
            headers,
            body,
        }
    }

    /// A header's value as text; absent also when it is not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A query parameter; names are compared without case, as ARM does.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        find(&self.query, |key| key.eq_ignore_ascii_case(name))
    }

    /// The body as form pairs.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// The body as JSON, when it is that.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The segments as string slices, for matching.
    pub(crate) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }
}

/// Sets a member of a JSON object; other values have no members and stay as they are.
pub(crate) fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(members) = body.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// The first value whose name fits.
pub(crate) fn find(pairs: &[(String, String)], fits: impl Fn(&str) -> bool) -> Option<&str> {
    pairs
        .iter()
        .find(|(key, _)| fits(key))
        .map(|(_, value)| value.as_str())
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text)
        .map(|(k, v)| (Cow::into_owned(k), Cow::into_owned(v)))
        .collect()
}

/// Decodes `%41`; a sign that starts no valid escape stands for itself. `+` is a plus, as in any path.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let escape = (byte == b'%')
            .then(|| Some((hex(ahead.next()?)?, hex(ahead.next()?)?)))
            .flatten();
        match escape {
            Some((high, low)) => {
                out.push(high * 16 + low);
                bytes = ahead;
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// A response, whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A status without a body.
    pub(crate) fn empty(status: StatusCode) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// A status with a JSON body.
    pub(crate) fn json(status: StatusCode, body: &Value) -> Answer {
        let answer = Answer {
            status,
            headers: HeaderMap::new(),
            body: body.to_string().into_bytes(),
        };
        answer.with("content-type", "application/json; charset=utf-8")
    }

    /// Sets one header; a value that HTTP can't carry is left out.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Answer {
        self.set(HeaderName::from_static(name), value);
        self
    }

    /// Sets one header under a name that is not known beforehand.
    pub(crate) fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_segments_are_decoded_and_names_keep_their_case() {
        let call = Call::new(
            Method::GET,
            "/subscriptions/a%2Fb/West%20US 2/$Default?API-version=x&y=%20",
            HeaderMap::new(),
            Vec::new(),
        );
        assert_eq!(call.path(), ["subscriptions", "a/b", "West US 2", "$Default"]);
        assert_eq!(call.query("api-version"), Some("x"));
        assert_eq!(call.query("y"), Some(" "));
    }

    #[test]
    fn a_percent_sign_without_digits_stands_for_itself() {
        assert_eq!(percent_decode("100%"), "100%");
        assert_eq!(percent_decode("%zz%41"), "%zzA");
        assert_eq!(percent_decode("%4%31"), "%41");
    }
}
