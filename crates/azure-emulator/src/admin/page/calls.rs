//! The journal as people read it.

use http::StatusCode;

use super::super::Admin;
use super::super::journal::who;
use super::super::refusal::Refusal;
use super::html::{escape, frame, row, section as part, small};
use crate::azure::Azure;
use crate::journal::{Entry, Host};

const COLUMNS: [&str; 6] = ["Call", "Host", "What", "Status", "By", "Auxiliary tenants"];

/// How many calls the page begins with.
const SHOWN: usize = 50;

pub(super) fn section(admin: &Admin) -> String {
    let more = "<p><a href=\"/calls\">Calls alone</a></p>";
    part("calls", "Calls", &format!("{}{more}", table(admin, SHOWN)))
}

/// A page of nothing but calls. Without scripts it loads itself anew.
pub(super) fn alone(admin: &Admin) -> String {
    let again = "<noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript>";
    let back = "<p><a href=\"/\">Everything</a></p>";
    frame("Calls", &format!("{again}{back}{}", table(admin, 10 * SHOWN)))
}

fn table(admin: &Admin, shown: usize) -> String {
    let (mut entries, next) = admin.journal.finished_after(0, |_| true);
    entries.sort_by_key(|entry| entry.sequence);
    let young = entries.split_off(entries.len().saturating_sub(shown));
    let head: String = COLUMNS.iter().map(|name| format!("<th>{name}</th>")).collect();
    format!(
        "<table class=\"calls\"><thead><tr>{head}</tr></thead>\
         <tbody id=\"rows\" data-next=\"{next}\">{}</tbody></table>",
        rows(&admin.azure, &young)
    )
}

/// Rows of these calls, the youngest first.
pub(super) fn rows(azure: &Azure, entries: &[Entry]) -> String {
    entries
        .iter()
        .rev()
        .map(|entry| row(&COLUMNS, &cells(azure, entry)))
        .collect()
}

fn cells(azure: &Azure, entry: &Entry) -> Vec<String> {
    let number = format!("<a href=\"/calls/{0}\">{0}</a>", entry.sequence);
    let host = match entry.host {
        Host::Entra => "login",
        Host::Arm => "ARM",
    };
    let shown = entry.redacted();
    let path = shown
        .get("pathAndQuery")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let grant = entry
        .grant
        .as_ref()
        .map(|grant| grant.grant_type.rsplit(':').next().unwrap_or_default());
    let what = format!("<b>{}</b> <code>{}</code>", escape(&entry.method), escape(path));
    let what = match (grant, error_code(entry)) {
        (None, None) => what,
        (grant, code) => {
            let notes = [grant, code.as_deref()];
            format!(
                "{what} {}",
                small(&notes.into_iter().flatten().collect::<Vec<_>>().join(" · "))
            )
        }
    };
    let class = match entry.status {
        _ if !entry.delivered => "bad",
        200..=399 => "good",
        500.. => "bad",
        _ => "mixed",
    };
    let status = match (entry.status, entry.delivered) {
        (0, _) => "cut".to_owned(),
        (status, false) => format!("{status}, cut"),
        (status, true) => status.to_string(),
    };
    let world = azure.world();
    let tenant = |id: &str| {
        let known = world
            .directory
            .tenant(id)
            .and_then(|tenant| tenant.domains.first());
        escape(known.map_or(id, String::as_str))
    };
    let auxiliary: Vec<String> = entry
        .auxiliary
        .iter()
        .map(|token| tenant(&token.tenant))
        .collect();
    vec![
        format!("{number} {}", small(&entry.at.format("%H:%M:%S").to_string())),
        host.to_owned(),
        what,
        format!("<b class=\"{class}\">{}</b>", escape(&status)),
        escape(&who(entry)),
        auxiliary.join(" "),
    ]
}

/// ARM's code or Entra's number, of a refusal.
fn error_code(entry: &Entry) -> Option<String> {
    let body = entry.response_body.as_ref()?;
    let arm = body
        .pointer("/error/code")
        .and_then(serde_json::Value::as_str)
        .map(str::to_owned);
    let number = || {
        body.pointer("/error_codes/0")
            .map(|number| format!("AADSTS{number}"))
    };
    arm.or_else(number)
}

/// One call with its headers and bodies, without secrets.
pub(super) fn one(admin: &Admin, sequence: &str) -> Result<String, Refusal> {
    let known = |entry: &Entry| entry.sequence.to_string() == sequence;
    let (found, _) = admin.journal.finished_after(0, known);
    let entry = found.first().ok_or_else(|| {
        let error = format!("there is no call {sequence} in the journal");
        Refusal::new(StatusCode::NOT_FOUND, error, "GET /admin/journal")
    })?;
    let text = serde_json::to_string_pretty(&entry.redacted()).unwrap_or_default();
    let body = format!(
        "<p><a href=\"/#calls\">Everything</a></p><pre>{}</pre>",
        escape(&text)
    );
    Ok(frame(&format!("Call {sequence}"), &body))
}
