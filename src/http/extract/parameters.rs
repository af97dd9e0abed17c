//! Path and query parameters.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::strict;
use crate::domain::Code;
use crate::http::problem::Problem;

/// The one parameter of a path. A path whose parameter doesn't parse names nothing that exists.
pub(in crate::http) struct Path<T>(pub(in crate::http) T);

/// What can stand in a path.
pub(in crate::http) trait InPath: Sized {
    /// What is said of a path with anything else in it.
    const NOTHING: &'static str;

    /// `None` for what it can't be.
    fn parse(text: String) -> Option<Self>;
}

impl InPath for Uuid {
    const NOTHING: &'static str = "there is nothing at this path: its id must be a UUID";

    /// In the form with hyphens alone (RFC 9562, section 4), so that a thing has one path but for case. The other forms that
    /// the parser knows are longer or shorter.
    fn parse(text: String) -> Option<Self> {
        if text.len() == uuid::fmt::Hyphenated::LENGTH {
            Self::try_parse(&text).ok()
        } else {
            None
        }
    }
}

impl InPath for String {
    const NOTHING: &'static str = "there is nothing at this path";

    fn parse(text: String) -> Option<Self> {
        Some(text)
    }
}

impl<S: Send + Sync, T: InPath> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    #[expect(
        clippy::disallowed_types,
        reason = "this is the extractor that the rule points to"
    )]
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .ok()
            .and_then(|path| T::parse(path.0))
            .map(Self)
            .ok_or_else(|| Problem::new(Code::NotFound, T::NOTHING))
    }
}

/// The parsed query parameters; unknown ones are refused.
pub(in crate::http) struct Query<T>(pub(in crate::http) T);

/// Of a path that takes no parameters.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct NoParameters {}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        strict::query(parts.uri.query().unwrap_or_default())
            .map(Self)
            .map_err(Problem::invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_with_hyphens_in_either_case_and_in_no_other_form() {
        let id = Uuid::from_u128(0x0192_f0c1_6a2d_7c84_b1f0_9e3d_5a7c_1b20);
        let parsed = |text: String| <Uuid as InPath>::parse(text);
        let hyphens = id.hyphenated().to_string();
        assert_eq!(parsed(hyphens.to_ascii_uppercase()), Some(id));
        assert_eq!(parsed(hyphens), Some(id));
        for other in [
            id.simple().to_string(),
            id.braced().to_string(),
            id.urn().to_string(),
        ] {
            assert_eq!(parsed(other.clone()), None, "{other}");
        }
    }
}
