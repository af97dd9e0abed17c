//! Faults of answers: the call has its effect, and what comes back of it is wrong.

use http::{HeaderName, StatusCode};

use super::{FaultAnswer, FaultBody};
use crate::exchange::Answer;

/// Headers in which ARM says where to ask for an operation.
const OPERATION_URLS: [&str; 2] = ["location", "azure-asyncoperation"];

impl FaultAnswer {
    pub(super) fn answer(&self) -> Answer {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = Answer::empty(status);
        self.body.put_into(&mut answer);
        set_headers(&mut answer, &self.headers);
        answer
    }
}

impl FaultBody {
    /// Replaces the body and its content type.
    pub(super) fn put_into(&self, answer: &mut Answer) {
        let (text, content_type) = match self {
            FaultBody::Empty => {
                answer.body.clear();
                answer.headers.remove(http::header::CONTENT_TYPE);
                return;
            }
            FaultBody::Json(body) => (body.to_string(), "application/json; charset=utf-8"),
            FaultBody::Text(text) => (text.clone(), "text/plain; charset=utf-8"),
            FaultBody::Typed { content_type, text } => (text.clone(), content_type.as_str()),
        };
        answer.body = text.into_bytes();
        answer.set(http::header::CONTENT_TYPE, content_type);
    }
}

/// Headers that say where a body ends. They are the transport's: one that tells otherwise breaks the connection for the
/// calls after it too. `Truncated` is the fault of a body that ends too early.
pub(crate) const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// Sets headers; names that HTTP can't carry are left out, and those of the transport.
pub(super) fn set_headers(answer: &mut Answer, headers: &[(String, String)]) {
    let own = |name: &str| FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name));
    for (name, value) in headers.iter().filter(|(name, _)| !own(name)) {
        if let Ok(name) = HeaderName::try_from(name.as_str()) {
            answer.set(name, value);
        }
    }
}

pub(super) fn remove_headers(answer: &mut Answer, names: &[String]) {
    for name in names {
        answer.headers.remove(name.as_str());
    }
}

/// Lets the URLs of an operation point to another origin, with path and query as they were.
pub(super) fn lead_astray(answer: &mut Answer, origin: &str) {
    for name in OPERATION_URLS {
        let known = answer.headers.get(name).and_then(|value| value.to_str().ok());
        // Not parsed as a URL: ARM's own has raw spaces in some versions.
        let path = known.and_then(|url| url.split_once("://")).map(|(_, rest)| {
            rest.find('/')
                .map_or("", |start| rest.split_at(start).1)
                .to_owned()
        });
        if let Some(path) = path {
            let astray = format!("{}{path}", origin.trim_end_matches('/'));
            answer.set(HeaderName::from_static(name), &astray);
        }
    }
}
