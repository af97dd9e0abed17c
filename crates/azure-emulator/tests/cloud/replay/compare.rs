//! Whether an answer is the recorded one: status, ARM's headers, every key, every type, and every value that a request
//! decides. Times and generated ids are told by their shape.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use reqwest::header::HeaderName;
use serde_json::Value;
use uuid::Uuid;

use super::recording::{Exchange, Recording, Subject};
use crate::support::Reply;

/// What both sides may name differently.
#[derive(Default)]
pub(super) struct Names {
    /// Ids of operations: the recorded one, and the one here.
    pub(super) operations: BTreeMap<String, String>,
    /// GUIDs that the recording's requests hold: these must come back.
    given: BTreeSet<String>,
    /// Moments that they hold: these must come back, spelt as recorded.
    given_moments: BTreeSet<i64>,
}

impl Names {
    pub(super) fn of(recording: &Recording) -> Names {
        let mut names = Names::default();
        for exchange in &recording.exchanges {
            if matches!(exchange.subject(), Subject::Operation(..)) {
                continue;
            }
            let said = format!("{}{}", exchange.path, exchange.body);
            let words = said.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
            let guids = words.filter(|word| Uuid::parse_str(word).is_ok());
            names.given.extend(guids.map(str::to_ascii_lowercase));
            let texts = said.split('"').filter_map(moment);
            names.given_moments.extend(texts);
        }
        names
    }

    /// The recorded text with the ids that operations have here.
    pub(super) fn here(&self, recorded: &str) -> String {
        let rename = |text: String, (old, new): (&String, &String)| text.replace(old.as_str(), new);
        self.operations.iter().fold(recorded.to_owned(), rename)
    }
}

/// Every difference, named.
pub(super) fn compare(recorded: &Exchange, here: &Reply, names: &Names) -> Vec<String> {
    let mut different = Vec::new();
    if recorded.status != here.status.as_u16() {
        different.push(format!(
            "status: {} instead of {}",
            here.status.as_u16(),
            recorded.status
        ));
    }
    headers(recorded, here, names, &mut different);
    let comparison = Comparison { names };
    comparison.values("", &recorded.answer, &here.body, &mut different);
    different
}

fn headers(recorded: &Exchange, here: &Reply, names: &Names, different: &mut Vec<String>) {
    for name in ["azure-asyncoperation", "location", "retry-after", "etag"] {
        let old = recorded.headers.get(name).map(|url| plain(&names.here(url)));
        let new = here.headers.get(name).map(|value| plain(value.to_str().unwrap()));
        if old != new {
            different.push(format!("header {name}: {new:?} instead of {old:?}"));
        }
    }
    let root = "x-ms-operation-root-activity-id";
    if recorded.headers.contains_key(root) != here.headers.contains_key(root) {
        different.push(format!("header {root}: there and not there"));
    }
    let is_limit = |name: &&str| name.starts_with("x-ms-ratelimit-");
    let old: BTreeSet<&str> = recorded
        .headers
        .keys()
        .map(String::as_str)
        .filter(is_limit)
        .collect();
    let new: BTreeSet<&str> = here
        .headers
        .keys()
        .map(HeaderName::as_str)
        .filter(is_limit)
        .collect();
    different.extend(old.difference(&new).map(|name| format!("header {name}: missing")));
    different.extend(new.difference(&old).map(|name| format!("header {name}: extra")));
}

/// A text that is a time, in microseconds.
fn moment(text: &str) -> Option<i64> {
    let is_time = text.contains('T');
    let time = DateTime::parse_from_rfc3339(text).ok().filter(|_| is_time);
    time.map(|time| time.timestamp_micros())
}

/// A URL without its host, and without what a signature holds.
fn plain(url: &str) -> String {
    let Some((_, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name @ ("t" | "c" | "s" | "h"), _)) => format!("{name}=…"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

struct Comparison<'a> {
    names: &'a Names,
}

impl Comparison<'_> {
    fn values(&self, path: &str, old: &Value, new: &Value, different: &mut Vec<String>) {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                for (name, value) in old {
                    match new.get(name) {
                        Some(here) => self.values(&format!("{path}/{name}"), value, here, different),
                        None => different.push(format!("{path}/{name}: missing, was {value}")),
                    }
                }
                let extra = new.iter().filter(|(name, _)| !old.contains_key(*name));
                different.extend(extra.map(|(name, value)| format!("{path}/{name}: extra, {value}")));
            }
            (Value::Array(old), Value::Array(new)) => {
                if old.len() != new.len() {
                    different.push(format!("{path}: {} items instead of {}", new.len(), old.len()));
                }
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.values(&format!("{path}/{index}"), old, new, different);
                }
            }
            (Value::String(text), Value::String(here)) => {
                if !self.same_text(path, text, here) {
                    different.push(format!("{path}: {here:?} instead of {text:?}"));
                }
            }
            _ if old == new => {}
            _ => different.push(format!("{path}: {new} instead of {old}")),
        }
    }

    fn same_text(&self, path: &str, old: &str, new: &str) -> bool {
        let is_guid = |text: &str| Uuid::parse_str(text).is_ok();
        let is_given = self.names.given.contains(&old.to_ascii_lowercase());
        self.names.here(old) == new
            || (moment(new).is_some() && moment(old).is_some_and(|old| !self.names.given_moments.contains(&old)))
            || (is_guid(old) && is_guid(new) && !is_given && !self.names.operations.contains_key(old))
            // Who called is not in a request's recording.
            || (path.contains("/systemData/") && path.ends_with("By"))
    }
}
