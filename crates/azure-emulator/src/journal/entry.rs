//! One exchange.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::redact;
use super::view::{GrantView, TokenView};
use crate::exchange::{Answer, Call};

/// Which listener took the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Host {
    /// The login host.
    Entra,
    /// Azure Resource Manager.
    Arm,
}

/// One call and its answer. Headers and bodies hold real tokens: use `redacted` for anything that leaves the process.
#[derive(Clone)]
pub struct Entry {
    /// Order of arrival, from 1.
    pub sequence: u64,
    /// When it arrived, by the emulator's clock.
    pub at: DateTime<Utc>,
    /// Which listener took it.
    pub host: Host,
    /// HTTP method.
    pub method: String,
    /// As it stood on the request line.
    pub path_and_query: String,
    /// Lower-case names; a header sent twice is joined with ", ".
    pub request_headers: BTreeMap<String, String>,
    /// JSON, or a form as an object of strings; nothing for other bodies.
    pub request_body: Option<Value>,
    /// HTTP status; 0 when the line was cut before anything was decided.
    pub status: u16,
    /// Lower-case names.
    pub response_headers: BTreeMap<String, String>,
    /// JSON; nothing for other bodies.
    pub response_body: Option<Value>,
    /// Whether the answer went out; false when a fault cut the line.
    pub delivered: bool,
    /// From arrival to answer.
    pub duration: Duration,
    /// The token of the `Authorization` header.
    pub primary: Option<TokenView>,
    /// The tokens of `x-ms-authorization-auxiliary`.
    pub auxiliary: Vec<TokenView>,
    /// What was asked for and given, at the token endpoint.
    pub grant: Option<GrantView>,
    /// Bytes of headers and bodies that went over the line.
    pub(super) bytes: usize,
}

impl Entry {
    /// An entry for a call that has just arrived; the answer is added later.
    pub(crate) fn arrived(sequence: u64, at: DateTime<Utc>, host: Host, call: &Call) -> Entry {
        let request_headers = headers(&call.headers);
        let bearer = |name: &str| {
            let value = request_headers.get(name).map_or("", String::as_str);
            value
                .split([',', ';'])
                .filter_map(TokenView::from_header)
                .collect::<Vec<_>>()
        };
        let primary = bearer("authorization").into_iter().next();
        let auxiliary = bearer("x-ms-authorization-auxiliary");
        let request_body = request_body(call);
        let bytes = call.path_and_query.len() + length(&call.headers) + call.body.len();
        Entry {
            bytes,
            sequence,
            at,
            host,
            method: call.method.to_string(),
            path_and_query: call.path_and_query.clone(),
            grant: None,
            request_headers,
            request_body,
            status: 0,
            response_headers: BTreeMap::new(),
            response_body: None,
            delivered: false,
            duration: Duration::ZERO,
            primary,
            auxiliary,
        }
    }

    /// Adds the answer.
    pub(crate) fn answered(mut self, answer: Option<&Answer>, delivered: bool, duration: Duration) -> Entry {
        if let Some(answer) = answer {
            self.status = answer.status.as_u16();
            self.bytes += length(&answer.headers) + answer.body.len();
            self.response_headers = headers(&answer.headers);
            self.response_body = serde_json::from_slice(&answer.body).ok();
        }
        self.delivered = delivered;
        self.duration = duration;
        if self.host == Host::Entra && self.path().ends_with("/token") {
            self.grant = self
                .request_body
                .as_ref()
                .map(|form| GrantView::new(self.path(), form, self.response_body.as_ref()));
        }
        self
    }

    /// The path without its query.
    pub fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }

    /// The path without its query, with marks where somebody put a token into it.
    pub fn redacted_path(&self) -> String {
        redact::path_and_query(self.path())
    }

    /// The entry as JSON with every token and secret replaced by a mark that still tells equal from different.
    pub fn redacted(&self) -> Value {
        redact::entry(self)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.redacted())
    }
}

fn length(headers: &http::HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

fn headers(map: &http::HeaderMap) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in map {
        let value = String::from_utf8_lossy(value.as_bytes());
        let known = out.entry(name.as_str().to_owned()).or_default();
        if !known.is_empty() {
            known.push_str(", ");
        }
        known.push_str(&value);
    }
    out
}

fn request_body(call: &Call) -> Option<Value> {
    if call
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    {
        return Some(Value::Object(
            call.form()
                .into_iter()
                .map(|(k, v)| (k, Value::String(v)))
                .collect(),
        ));
    }
    call.json()
}
