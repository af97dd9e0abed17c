//! The page for people: three static files. The script reads the JSON API and makes changes through it.

use http::StatusCode;

use crate::exchange::Answer;

/// Nothing inline, nothing from elsewhere, no form that is sent without the script, and no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'none'; \
    base-uri 'none'; frame-ancestors 'none'";

/// The file of this name; the page itself has none.
pub(super) fn file(name: &str) -> Option<Answer> {
    let (content_type, text) = match name {
        "" => ("text/html; charset=utf-8", include_str!("page/page.html")),
        "style.css" => ("text/css; charset=utf-8", include_str!("page/style.css")),
        "page.js" => ("text/javascript; charset=utf-8", include_str!("page/page.js")),
        _ => return None,
    };
    let mut answer = Answer::empty(StatusCode::OK);
    answer.body = text.as_bytes().to_vec();
    let answer = answer.with("content-type", content_type);
    Some(
        answer
            .with("content-security-policy", POLICY)
            .with("referrer-policy", "same-origin"),
    )
}
