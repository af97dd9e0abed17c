//! The page for people: what is in the cloud, whether data flows, what was called, and the most useful switches.
//! Plain HTML; a small script lets the journal grow, and without it the page is as useful.
//! `html` has the pieces, the other files a section each.

mod calls;
mod connections;
mod directory;
mod faults;
mod html;
mod resources;

use http::{Method, StatusCode};
use serde_json::Value;

use self::html::{escape, frame};
use super::refusal::Refusal;
use super::state::State;
use super::{Admin, change, journal};
use crate::exchange::{Answer, Call, find};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");

/// Nothing inline, nothing from elsewhere, forms to here only, and no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

pub(super) async fn answer(admin: &Admin, call: &Call) -> Result<Answer, Refusal> {
    match (&call.method, call.path().as_slice()) {
        (&Method::GET, []) => Ok(page(&overview(admin))),
        (&Method::GET, ["calls"]) => Ok(page(&calls::alone(admin))),
        (&Method::GET, ["calls", sequence]) => calls::one(admin, sequence).map(|html| page(&html)),
        (&Method::GET, ["rows"]) => {
            let (entries, next) = journal::read(&admin.journal, &journal::Query::of(call)?).await;
            let rows = calls::rows(&admin.azure, &entries);
            Ok(content("text/html; charset=utf-8", &rows).with("x-next", &next.to_string()))
        }
        (&Method::GET, ["connections"]) => {
            let shown = connections::table(&super::state::connections(&admin.azure));
            Ok(content("text/html; charset=utf-8", &shown))
        }
        (&Method::GET, ["style.css"]) => Ok(content("text/css; charset=utf-8", STYLE)),
        (&Method::GET, ["page.js"]) => Ok(content("text/javascript; charset=utf-8", SCRIPT)),
        (&Method::POST, ["changes" | "faults"]) => Ok(submitted(admin, call)),
        _ => Err(super::not_found(call)),
    }
}

fn overview(admin: &Admin) -> String {
    let state = State::of(&admin.azure);
    let token = admin.token.as_str();
    let body = [
        html::summary(&state, admin.token.as_str()),
        connections::section(&state, token),
        calls::section(admin),
        faults::section(&super::faults::list(&admin.faults), token),
        directory::sections(&state, token),
        resources::sections(&state, token),
    ];
    frame("Emulated Azure", &body.concat())
}

/// A form of the page: done, and back to where it stood; or told what is wrong.
fn submitted(admin: &Admin, call: &Call) -> Answer {
    let form = call.form();
    let done = admin.token.check(&form).and_then(|()| {
        let field = |name: &str| find(&form, |known| known == name);
        if call.segments.first().is_some_and(|first| first == "faults") {
            return faults::submitted(&admin.faults, &form);
        }
        let change: Value = serde_json::from_str(field("change").unwrap_or_default())
            .map_err(|error| Refusal::bad("change", error.to_string(), ""))?;
        change::apply(&admin.azure, &change).map(|_| ())
    });
    match done {
        Ok(()) => {
            let back = find(&form, |known| known == "back").unwrap_or_default();
            let back: String = back.chars().filter(char::is_ascii_lowercase).collect();
            Answer::empty(StatusCode::SEE_OTHER).with("location", &format!("/#{back}"))
        }
        Err(refusal) => {
            let text = [&refusal.error, &refusal.path, &refusal.fix];
            let text: String = text
                .iter()
                .map(|text| format!("<p>{}</p>", escape(text)))
                .collect();
            let body = format!("<section class=\"refusal\">{text}<p><a href=\"/\">Back</a></p></section>");
            let mut answer = page(&frame("That was refused", &body));
            answer.status = refusal.status;
            answer
        }
    }
}

fn page(html: &str) -> Answer {
    content("text/html; charset=utf-8", html)
        .with("content-security-policy", POLICY)
        .with("referrer-policy", "same-origin")
}

fn content(content_type: &str, text: &str) -> Answer {
    let mut answer = Answer::empty(StatusCode::OK);
    answer.body = text.as_bytes().to_vec();
    answer.with("content-type", content_type)
}
