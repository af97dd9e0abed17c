//! Conditions of a change (RFC 9110, section 13). `If-Modified-Since`, `If-Range` and `Range` are none of a change's, and count
//! for nothing on reads either: nothing here has a date of modification or parts.

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;

use crate::domain::{Code, FieldError};
use crate::http::entity_tag::{EntityTag, IfMatch, IfNoneMatch};
use crate::http::problem::Problem;
use crate::usecases::ExpectedVersion;

/// The preconditions of a change. It cannot hold a condition that cannot be evaluated.
pub(in crate::http) struct Conditions {
    none_match: IfNoneMatch,
    /// The versions that `If-Match` names, if it came.
    pub(in crate::http) expected: Option<ExpectedVersion>,
}

impl<S: Send + Sync> FromRequestParts<S> for Conditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Ignoring it (section 13.1.4, for what has no date) would make a change that its caller wanted only under a condition.
        if parts.headers.contains_key(header::IF_UNMODIFIED_SINCE) {
            return Err(failed(
                "If-Unmodified-Since can't be evaluated: nothing here has a date of modification. Use the ETag with If-Match",
            ));
        }
        let none_match = IfNoneMatch::parse(&parts.headers).ok_or_else(|| {
            Problem::invalid(vec![FieldError {
                pointer: "If-None-Match".to_owned(),
                detail: "must be * or entity tags, each in quotation marks, parted by commas".to_owned(),
            }])
        })?;
        let IfMatch(expected) = IfMatch::read(&parts.headers)?;
        Ok(Self { none_match, expected })
    }
}

impl Conditions {
    /// Whether the tag of what is to be changed is needed to evaluate them.
    pub(in crate::http) fn need_a_tag(&self) -> bool {
        self.none_match != IfNoneMatch::Nothing
    }

    /// Evaluates them for something that is there with this tag.
    pub(in crate::http) fn hold_for(&self, tag: &EntityTag) -> Result<(), Problem> {
        if self.none_match.has(tag) {
            return Err(failed(
                "If-None-Match names what is there, so nothing was changed",
            ));
        }
        Ok(())
    }

    /// Evaluates them for something that is there and has no tag, as a list is.
    pub(in crate::http) fn hold_without_tag(&self) -> Result<(), Problem> {
        if matches!(self.expected, Some(ExpectedVersion::OneOf(_))) {
            return Err(failed(
                "If-Match names a version, and what this path is has none, so nothing was changed",
            ));
        }
        if self.none_match == IfNoneMatch::Any {
            return Err(failed(
                "If-None-Match: * holds for nothing that is there, as this path is, so nothing was changed",
            ));
        }
        Ok(())
    }
}

fn failed(detail: &str) -> Problem {
    Problem::new(Code::PreconditionFailed, detail)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Request};

    use super::*;

    async fn read(headers: &[(HeaderName, &str)]) -> Result<Conditions, u16> {
        let request = headers.iter().fold(Request::builder(), |request, (name, value)| {
            request.header(name, *value)
        });
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        let read = Conditions::from_request_parts(&mut parts, &()).await;
        read.map_err(|problem| problem.status)
    }

    #[tokio::test]
    async fn a_date_is_no_condition_that_can_be_evaluated_be_it_one_or_not() {
        for date in ["Sat, 29 Oct 1994 19:43:31 GMT", "tomorrow", ""] {
            let status = read(&[(header::IF_UNMODIFIED_SINCE, date)]).await.err();
            assert_eq!(status, Some(412), "{date}");
        }
        for name in [header::IF_MODIFIED_SINCE, header::IF_RANGE, header::RANGE] {
            assert!(read(&[(name, "Sat, 29 Oct 1994 19:43:31 GMT")]).await.is_ok());
        }
    }

    #[tokio::test]
    async fn tags_that_can_not_be_read_are_refused_on_a_change() {
        for tags in ["", "a", "\"a", "\"a\" \"b\"", "*, \"a\"", "w/\"a\""] {
            let status = read(&[(header::IF_NONE_MATCH, tags)]).await.err();
            assert_eq!(status, Some(400), "{tags}");
        }
    }

    #[tokio::test]
    async fn what_is_there_must_have_another_tag() {
        let tag = EntityTag::of_content(b"a");
        let name = format!("{tag:?}");
        assert!(!name.is_empty());
        let any = read(&[(header::IF_NONE_MATCH, "*")]).await.expect("a condition");
        assert!(any.need_a_tag() && any.hold_for(&tag).is_err() && any.hold_without_tag().is_err());
        let other = read(&[(header::IF_NONE_MATCH, "\"b\", W/\"c\"")])
            .await
            .expect("a condition");
        assert!(other.need_a_tag() && other.hold_for(&tag).is_ok() && other.hold_without_tag().is_ok());
        let version = read(&[(header::IF_MATCH, "\"1-a\"")]).await.expect("a condition");
        assert!(version.expected.is_some() && version.hold_without_tag().is_err());
        let whichever = read(&[(header::IF_MATCH, "*")]).await.expect("a condition");
        assert!(whichever.hold_without_tag().is_ok());
        assert_eq!(read(&[(header::IF_MATCH, "1-a")]).await.err(), Some(400));
        let none = read(&[]).await.expect("no condition");
        assert!(!none.need_a_tag() && none.hold_for(&tag).is_ok() && none.hold_without_tag().is_ok());
    }
}
