//! Entity tags: `ETag`, `If-None-Match` on reads and `If-Match` on changes (RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponseParts, ResponseParts};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::domain::{ConnectionRecord, FieldError, hex};
use crate::http::models;
use crate::usecases::ExpectedVersion;

/// How many bytes of the hash of a file's content stand in its tag.
const CONTENT_BYTES: usize = 8;
/// How many bytes of the hash of how it stands.
const STATUS_BYTES: usize = 4;

/// The tag of what is shown. Of a connection as one caller sees it: `"<version>-<status>"`. The version rises with each new
/// configuration and each new `found`, and is what a change is tied to; the second part changes with whatever else a reader would
/// want to know. When the service last looked at Azure (`observedAt`) changes neither: it changes by itself, and no client waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntityTag(String);

impl EntityTag {
    /// The tag of a connection, as it is shown to whom this record was read for.
    pub(super) fn of(record: &ConnectionRecord) -> Self {
        let operation = record.last_operation.as_ref().map(models::standing);
        // A list in JSON, so that no two different standings are the same bytes. It holds only words and ids, which always
        // serialize.
        let resource = record.found.as_ref().map(|found| found.resource.is_some());
        let standing = (
            record.state(),
            operation,
            record.justification.is_some(),
            resource,
        );
        let standing = Sha256::digest(serde_json::to_vec(&standing).unwrap_or_default());
        Self(format!(
            "{}-{}",
            record.version,
            start_of(&standing, STATUS_BYTES)
        ))
    }

    /// The tag of a file.
    pub(super) fn of_content(content: &[u8]) -> Self {
        Self(start_of(&Sha256::digest(content), CONTENT_BYTES))
    }
}

fn start_of(hash: &[u8], bytes: usize) -> String {
    hex(hash.get(..bytes).unwrap_or(hash))
}

/// As the header `ETag`.
impl IntoResponseParts for EntityTag {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            parts.headers_mut().insert(header::ETAG, value);
        }
        Ok(parts)
    }
}

/// What the caller already has.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IfNoneMatch {
    /// No usable header came. One that can't be read matches nothing: the whole answer is never wrong.
    Nothing,
    /// `*`: any representation.
    Any,
    /// One of these.
    Tags(Vec<Tag>),
}

impl IfNoneMatch {
    /// Whether the caller has the representation of this tag, compared weakly as section 13.1.2 wants it.
    pub(super) fn has(&self, tag: &EntityTag) -> bool {
        match self {
            Self::Nothing => false,
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|known| known.text == tag.0.as_bytes()),
        }
    }

    /// The tags in the headers; `None` if they cannot be parsed.
    pub(super) fn parse(headers: &HeaderMap) -> Option<Self> {
        if !headers.contains_key(header::IF_NONE_MATCH) {
            return Some(Self::Nothing);
        }
        let list = lines_of(headers, header::IF_NONE_MATCH);
        if list.trim_ascii() == b"*" {
            return Some(Self::Any);
        }
        tags(&list).filter(|tags| !tags.is_empty()).map(Self::Tags)
    }

    fn read(headers: &HeaderMap) -> Self {
        Self::parse(headers).unwrap_or(Self::Nothing)
    }
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers))
    }
}

/// What a change is tied to: the versions of the connection that the caller means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IfMatch(pub(super) Option<ExpectedVersion>);

impl IfMatch {
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        // An empty one is malformed: its sender lost the tag, and must not change anything without one.
        if !headers.contains_key(header::IF_MATCH) {
            return Ok(Self(None));
        }
        let list = lines_of(headers, header::IF_MATCH);
        if list.trim_ascii() == b"*" {
            return Ok(Self(Some(ExpectedVersion::Any)));
        }
        let Some(tags) = tags(&list).filter(|tags| !tags.is_empty()) else {
            let detail = "must be * or a list of entity tags, each in quotation marks, as ETag gave it";
            return Err(Problem::invalid(vec![FieldError {
                pointer: "If-Match".to_owned(),
                detail: detail.to_owned(),
            }]));
        };
        // A tag that was never given out, or a weak one, names no version, and so matches none.
        let versions = tags.iter().filter_map(Tag::version).collect();
        Ok(Self(Some(ExpectedVersion::OneOf(versions))))
    }
}

/// A tag of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag {
    is_weak: bool,
    text: Vec<u8>,
}

impl Tag {
    /// The version that a tag of a connection begins with; of a weak one none, since changes compare strongly (RFC 9110, section
    /// 13.1.1).
    fn version(&self) -> Option<i32> {
        let text = std::str::from_utf8(&self.text).ok().filter(|_| !self.is_weak)?;
        let (version, _) = text.split_once('-')?;
        let is_number = version.bytes().all(|byte| byte.is_ascii_digit());
        version.parse().ok().filter(|_| is_number)
    }
}

/// The lines of a header as one list (RFC 9110, section 5.3).
fn lines_of(headers: &HeaderMap, name: HeaderName) -> Vec<u8> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    lines.join(&b","[..])
}

/// The tags of a list; nothing if it is no list of tags. A comma may stand inside a tag, and an
/// element may be empty (RFC 9110, sections 5.6.1.2 and 8.8.3).
fn tags(list: &[u8]) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    let mut rest = list.trim_ascii_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
            continue;
        }
        let strong = rest.strip_prefix(b"W/");
        let opened = strong.unwrap_or(rest).strip_prefix(b"\"")?;
        let end = opened.iter().position(|byte| *byte == b'"')?;
        let (tag, closed) = opened.split_at_checked(end)?;
        if !tag
            .iter()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff))
        {
            return None;
        }
        tags.push(Tag {
            is_weak: strong.is_some(),
            text: tag.to_vec(),
        });
        rest = closed.strip_prefix(b"\"")?.trim_ascii_start();
        if !(rest.is_empty() || rest.starts_with(b",")) {
            return None;
        }
    }
    Some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(lines: &[&str], tag: &str) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                header::IF_NONE_MATCH,
                HeaderValue::from_bytes(line.as_bytes()).expect("a header"),
            );
        }
        IfNoneMatch::read(&headers).has(&EntityTag(tag.to_owned()))
    }

    #[test]
    fn a_tag_is_found_wherever_it_stands_in_the_list() {
        for lines in [
            &["\"a-1\""][..],
            &["W/\"a-1\""],
            &["\"b-1\", \"a-1\""],
            &["\"b-1\",W/\"a-1\" , \"c\""],
            &["\"b-1\"", "\"a-1\""],
            &[", ,\"a-1\",,"],
            &["\"with,comma\"", "\"a-1\""],
            &["\"ä\", \"\", \"a-1\""],
            &["  *\t"],
        ] {
            assert!(has(lines, "a-1"), "{lines:?}");
        }
    }

    #[test]
    fn another_tag_is_no_match() {
        for lines in [
            &[][..],
            &[""],
            &[","],
            &["\"a-2\""],
            &["\"A-1\""],
            &["\"b,a-1\""],
            &["\"a-1 \""],
        ] {
            assert!(!has(lines, "a-1"), "{lines:?}");
        }
    }

    #[test]
    fn a_list_that_can_not_be_read_matches_nothing() {
        for lines in [
            &["a-1"][..],
            &["\"a-1\" \"b\""],
            &["\"a-1\", b"],
            &["\"with a space\", \"a-1\""],
            &["\"a-1\", \"b"],
            &["w/\"a-1\""],
            &["W/ \"a-1\""],
            &["*, \"a-1\""],
            &["*", "*"],
            &["\"a-1\"", "*"],
        ] {
            assert!(!has(lines, "a-1"), "{lines:?}");
        }
    }

    fn expected(lines: &[&str]) -> Result<Option<ExpectedVersion>, Problem> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                header::IF_MATCH,
                HeaderValue::from_bytes(line.as_bytes()).expect("a header"),
            );
        }
        IfMatch::read(&headers).map(|IfMatch(expected)| expected)
    }

    #[test]
    fn a_change_is_tied_to_the_versions_of_strong_tags_alone() {
        let one_of = |versions: &[i32]| Some(ExpectedVersion::OneOf(versions.to_vec()));
        for (lines, versions) in [
            (&["\"3-0a1b\""][..], one_of(&[3])),
            (&["\"3-0a1b\", \"12-x\""], one_of(&[3, 12])),
            (&["\"3-0a1b\"", "\"4-\""], one_of(&[3, 4])),
            (&["W/\"3-0a1b\""], one_of(&[])),
            (&["\"0a1b\""], one_of(&[])),
            (&["\"+3-0a1b\""], one_of(&[])),
            (&["\"99999999999-0a1b\""], one_of(&[])),
            (&[" * "], Some(ExpectedVersion::Any)),
            (&[][..], None),
        ] {
            assert_eq!(expected(lines).ok(), Some(versions), "{lines:?}");
        }
        for nonsense in ["3-0a1b", "\"3-0a1b", "*, \"3-0a1b\"", "\"a\" \"b\"", ",", "", " "] {
            assert_eq!(
                expected(&[nonsense]).map_err(|problem| problem.status),
                Err(400),
                "{nonsense}"
            );
        }
    }
}
