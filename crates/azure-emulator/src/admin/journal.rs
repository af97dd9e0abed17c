//! Reading the journal: all of it, or what came since, waiting for it if need be.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::refusal::Refusal;
use crate::exchange::{Answer, Call};
use crate::journal::{Entry, Host, Journal};

/// The longest wait.
const LONGEST_WAIT: f64 = 60.0;

const PARAMETERS: &str = "after, last (only so many, the youngest), wait (seconds, up to 60), host (entra or arm), \
    method, path (a part of path and query), status (503 or 5xx), user (a part of the UPN)";

/// What is asked for.
#[derive(Debug, Default)]
struct Query {
    after: u64,
    last: Option<usize>,
    wait: Duration,
    host: Option<Host>,
    method: Option<String>,
    path: Option<String>,
    status: Option<String>,
    user: Option<String>,
}

impl Query {
    fn of(call: &Call) -> Result<Query, Refusal> {
        let mut query = Query::default();
        for (name, value) in &call.query {
            let wrong = || {
                Refusal::bad(
                    &format!("?{name}"),
                    format!("\"{value}\" is no {name}"),
                    PARAMETERS,
                )
            };
            let lower = || Some(value.to_ascii_lowercase());
            match name.as_str() {
                "after" => query.after = value.parse().map_err(|_| wrong())?,
                "last" => query.last = Some(value.parse().map_err(|_| wrong())?),
                "wait" => {
                    let seconds: f64 = value.parse().map_err(|_| wrong())?;
                    query.wait =
                        Duration::try_from_secs_f64(seconds.min(LONGEST_WAIT)).map_err(|_| wrong())?;
                }
                "host" => query.host = Some(host(value).ok_or_else(wrong)?),
                "method" => query.method = Some(value.clone()),
                "path" => query.path = lower(),
                "status" => query.status = lower(),
                "user" => query.user = lower(),
                _ => {
                    let error = format!("there is no parameter \"{name}\"");
                    return Err(Refusal::bad(&format!("?{name}"), error, PARAMETERS));
                }
            }
        }
        Ok(query)
    }

    fn fits(&self, entry: &Entry) -> bool {
        let contains = |part: &Option<String>, whole: &str| {
            (part.as_ref()).is_none_or(|part| whole.to_ascii_lowercase().contains(part))
        };
        self.host.is_none_or(|host| host == entry.host)
            && (self.method.as_ref()).is_none_or(|method| method.eq_ignore_ascii_case(&entry.method))
            && contains(&self.path, &entry.path_and_query)
            && (self.status.as_ref()).is_none_or(|pattern| status_fits(pattern, entry.status))
            && contains(&self.user, &who(entry))
    }
}

/// `entra` or `arm`.
fn host(name: &str) -> Option<Host> {
    match name.to_ascii_lowercase().as_str() {
        "entra" => Some(Host::Entra),
        "arm" => Some(Host::Arm),
        _ => None,
    }
}

/// Whoever called: the UPN of the user in the token that was sent or issued.
fn who(entry: &Entry) -> String {
    let grant = entry.grant.as_ref();
    let of_grant = || grant.and_then(|grant| grant.issued.as_ref().or(grant.assertion.as_ref()));
    let token = entry.primary.as_ref().or_else(of_grant);
    token.and_then(|token| token.upn.clone()).unwrap_or_default()
}

/// `503`, or with `x` for any digit.
fn status_fits(pattern: &str, status: u16) -> bool {
    let status = format!("{status:03}");
    pattern.len() == status.len()
        && pattern
            .bytes()
            .zip(status.bytes())
            .all(|(p, s)| p == b'x' || p == s)
}

/// Entries that fit, waiting for the first of them at most as long as the query says, and what to ask after next.
async fn read(journal: &Journal, query: &Query) -> (Vec<Entry>, u64) {
    let deadline = tokio::time::Instant::now() + query.wait;
    // Subscribed before the look, so that nothing falls between the two.
    let mut news = journal.subscribe();
    loop {
        let (mut entries, next) = journal.finished_after(query.after, |entry| query.fits(entry));
        if !entries.is_empty() {
            entries.sort_by_key(|entry| entry.sequence);
            let shown = query.last.unwrap_or(usize::MAX).min(entries.len());
            return (entries.split_off(entries.len() - shown), next);
        }
        match tokio::time::timeout_at(deadline, news.recv()).await {
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => {}
            Ok(Err(RecvError::Closed)) | Err(_) => return (entries, next),
        }
    }
}

pub(super) async fn answer(journal: &Journal, call: &Call) -> Result<Answer, Refusal> {
    let (entries, next) = read(journal, &Query::of(call)?).await;
    let entries: Vec<Value> = entries.iter().map(Entry::redacted).collect();
    Ok(Answer::json(
        StatusCode::OK,
        &json!({ "value": entries, "next": next }),
    ))
}
