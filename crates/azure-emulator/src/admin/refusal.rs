//! What the admin API answers to a request that it does not take: what is wrong, where, and what would mend it.

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::exchange::Answer;

/// A refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// What is wrong.
    pub(super) error: String,
    /// Where in the body, such as `[1].revokeConsent.tenant`; empty for the whole of it.
    pub(super) path: String,
    /// What would do instead.
    pub(super) fix: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl Into<String>, fix: impl Into<String>) -> Refusal {
        let (error, path, fix) = (error.into(), String::new(), fix.into());
        Refusal {
            status,
            error,
            path,
            fix,
        }
    }

    /// 400.
    pub(super) fn bad(path: &str, error: impl Into<String>, fix: impl Into<String>) -> Refusal {
        let path = path.to_owned();
        Refusal {
            path,
            ..Refusal::new(StatusCode::BAD_REQUEST, error, fix)
        }
    }

    pub(super) fn answer(&self) -> Answer {
        let mut body = json!({ "error": self.error });
        for (name, text) in [("path", &self.path), ("fix", &self.fix)] {
            if !text.is_empty() {
                crate::exchange::set(&mut body, name, json!(text));
            }
        }
        Answer::json(self.status, &body)
    }
}

/// The body as a type; `fix` says what the type takes.
pub(super) fn body<T: DeserializeOwned>(bytes: &[u8], fix: &str) -> Result<T, Refusal> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Refusal::bad("", format!("the body is no JSON: {error}"), fix))?;
    parse(&value, "", fix)
}

/// A value as a type; a refusal's path begins with `at`.
pub(super) fn parse<T: DeserializeOwned>(value: &Value, at: &str, fix: &str) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let inner = error.path().to_string();
        let path = match (at, inner.as_str()) {
            (_, ".") => at.to_owned(),
            ("", _) => inner,
            _ => format!("{at}.{inner}"),
        };
        Refusal::bad(&path, error.inner().to_string(), fix)
    })
}
