//! Entity tags: `ETag`, and `If-None-Match` on reads (RFC 9110, sections 8.8.3 and 13.1.2).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponseParts, ResponseParts};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::shapes::Operation;
use crate::connection::ConnectionRecord;
use crate::ledger::hex;

/// How many bytes of the hash of the configuration stand in a tag.
const CONFIGURATION_BYTES: usize = 8;
/// How many bytes of the hash of how it stands.
const STATUS_BYTES: usize = 4;

/// The tag of what is shown. Of a connection as one caller sees it: `"<configuration>-<status>"`. The first part changes with what was asked for
/// and is what a change could be tied to; the second with what a reader would want to know. When the service last looked at
/// Azure (`observedAt`) changes neither: it moves by itself, and nobody waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntityTag(String);

impl EntityTag {
    /// The tag of a connection, as it is shown to whom this record was read for.
    pub(super) fn of(record: &ConnectionRecord) -> Self {
        let operation = record.last_operation.as_ref().map(Operation::from);
        let operation = operation.as_ref().map(Operation::standing);
        // A list in JSON, so that no two different standings are the same bytes. It holds only words and ids, which always
        // serialize.
        let standing = (record.state(), operation, record.justification.is_some());
        let standing = Sha256::digest(serde_json::to_vec(&standing).unwrap_or_default());
        Self(format!(
            "{}-{}",
            start_of(&record.request_hash, CONFIGURATION_BYTES),
            start_of(&standing, STATUS_BYTES)
        ))
    }

    /// The tag of a file.
    pub(super) fn of_content(content: &[u8]) -> Self {
        Self(start_of(&Sha256::digest(content), CONFIGURATION_BYTES))
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
    /// One of these, without their quotation marks.
    Tags(Vec<Vec<u8>>),
}

impl IfNoneMatch {
    /// Whether the caller has the representation of this tag, compared weakly as section 13.1.2 wants it.
    pub(super) fn has(&self, tag: &EntityTag) -> bool {
        match self {
            Self::Nothing => false,
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|known| known == tag.0.as_bytes()),
        }
    }

    /// What the headers say; nothing if that can't be read.
    pub(super) fn parse(headers: &HeaderMap) -> Option<Self> {
        let lines: Vec<&[u8]> = headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        if lines.is_empty() {
            return Some(Self::Nothing);
        }
        // Several lines are one list (RFC 9110, section 5.3).
        let list = lines.join(&b","[..]);
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

/// The tags of a list, weak ones without their mark; nothing if it is no list of tags. A comma may stand inside a tag, and an
/// element may be empty (RFC 9110, sections 5.6.1.2 and 8.8.3).
fn tags(list: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut tags = Vec::new();
    let mut rest = list.trim_ascii_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
            continue;
        }
        let opened = rest.strip_prefix(b"W/").unwrap_or(rest).strip_prefix(b"\"")?;
        let end = opened.iter().position(|byte| *byte == b'"')?;
        let (tag, closed) = opened.split_at_checked(end)?;
        if !tag
            .iter()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff))
        {
            return None;
        }
        tags.push(tag.to_vec());
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
}
