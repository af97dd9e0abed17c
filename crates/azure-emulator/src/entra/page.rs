//! Pages for people: plain HTML with forms, which work without scripts.

use std::fmt::Write as _;

use http::StatusCode;
use uuid::Uuid;

use super::error::{EntraError, correlation};
use crate::azure::Azure;
use crate::exchange::{Answer, Call};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}\
    button{font:inherit;padding:.4rem .8rem;margin:.2rem 0;text-align:left}\
    .accounts button{display:block;width:100%}.refusal{border-left:4px solid #b00;padding-left:.8rem}\
    code{overflow-wrap:anywhere}";

/// A page. `body` is HTML: whoever writes it has escaped what came from outside. No other site may show it in a frame,
/// where a click meant for something else could consent.
pub(super) fn page(status: StatusCode, title: &str, body: &str) -> Answer {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n{body}\n\
         <p><small>This is an emulator. No account here is real.</small></p></body></html>\n"
    );
    let answer = Answer {
        body: html.into_bytes(),
        ..Answer::empty(status)
    };
    answer
        .with("content-type", "text/html; charset=utf-8")
        .with(
            "content-security-policy",
            "frame-ancestors 'none'; base-uri 'none'",
        )
        .with("x-frame-options", "DENY")
}

/// A refusal that can't be sent back to the app, because there is no trustworthy place to send it to. The status is a
/// guess; what scripts can rely on is the code in the text.
pub(super) fn refusal(azure: &Azure, call: &Call, error: &EntraError) -> Answer {
    let (trace, correlation) = (Uuid::new_v4(), correlation(call));
    let text = error.description(&trace, &correlation, azure.clock.now());
    let body = format!("<p class=\"refusal\"><code>{}</code></p>", escape(&text));
    page(
        StatusCode::BAD_REQUEST,
        "Sorry, but we’re having trouble signing you in.",
        &body,
    )
    .with("x-ms-request-id", &trace.to_string())
}

/// Text as HTML shows it, also within quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Form fields that carry values along unseen.
pub(super) fn hidden<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    fields.into_iter().fold(String::new(), |mut out, (name, value)| {
        let _ = writeln!(
            out,
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escape(name),
            escape(value)
        );
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_markup() {
        let field = hidden([("state", "\"><script>'&")]);
        assert_eq!(
            field,
            "<input type=\"hidden\" name=\"state\" value=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">\n"
        );
    }
}
