//! Converts OpenAPI 3.1 to 3.0.3, for tools that read nothing newer. The conversion knows every keyword it keeps and fails on
//! any other, so that nothing is lost silently. `objects` has the document's own objects, `schema` the schemas; nothing here
//! depends on this API.

mod objects;
mod schema;

use serde_json::{Map, Value};

/// Why a document can't be converted. Each names the place as a JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConvertError {
    /// A keyword that the conversion does not know.
    #[error("{pointer}: the keyword {keyword:?} is not known")]
    Unknown {
        /// Where.
        pointer: String,
        /// Which.
        keyword: String,
    },
    /// Something that 3.0.3 has no words for.
    #[error("{pointer}: {what}")]
    Inexpressible {
        /// Where.
        pointer: String,
        /// What, in a sentence.
        what: &'static str,
    },
}

/// Converts a whole document.
///
/// # Errors
/// When it holds a keyword that is not known here, or says what 3.0.3 can't.
pub(crate) fn to_3_0(document: &Value) -> Result<Value, ConvertError> {
    objects::document(document)
}

/// A place in the document.
#[derive(Debug, Clone)]
struct Place(String);

impl Place {
    fn root() -> Self {
        Self(String::new())
    }

    fn under(&self, member: &str) -> Self {
        let escaped = member.replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{escaped}", self.0))
    }

    fn unknown(&self, keyword: &str) -> ConvertError {
        ConvertError::Unknown {
            pointer: self.0.clone(),
            keyword: keyword.to_owned(),
        }
    }

    fn inexpressible(&self, what: &'static str) -> ConvertError {
        ConvertError::Inexpressible {
            pointer: self.0.clone(),
            what,
        }
    }

    fn object<'a>(&self, value: &'a Value) -> Result<&'a Map<String, Value>, ConvertError> {
        value
            .as_object()
            .ok_or_else(|| self.inexpressible("is no object"))
    }

    fn list<'a>(&self, value: &'a Value) -> Result<&'a Vec<Value>, ConvertError> {
        value.as_array().ok_or_else(|| self.inexpressible("is no list"))
    }
}

/// Converts every member of a map with names of the author's choice.
fn map(place: &Place, value: &Value, convert: Convert) -> Result<Value, ConvertError> {
    place
        .object(value)?
        .iter()
        .map(|(name, member)| Ok((name.clone(), convert(&place.under(name), member)?)))
        .collect::<Result<Map<_, _>, _>>()
        .map(Value::Object)
}

/// Converts every entry of a list.
fn list(place: &Place, value: &Value, convert: Convert) -> Result<Value, ConvertError> {
    place
        .list(value)?
        .iter()
        .enumerate()
        .map(|(index, entry)| convert(&place.under(&index.to_string()), entry))
        .collect()
}

/// Converts one object of the specification.
type Convert = fn(&Place, &Value) -> Result<Value, ConvertError>;
