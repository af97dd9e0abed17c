//! Input from outside, read strictly: a structure is an object with members that it knows, each there once and never null.
//! Mistakes are named by pointers of known members alone, however the caller named theirs.

mod blank;
mod mistake;
mod node;
mod reader;

use mistake::{MAX_MISTAKES, Misfit, Mistake, Mistakes};
use node::Node;
use reader::Reader;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use url::form_urlencoded;

use crate::domain::FieldError;

/// Where the input stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Body,
    Query,
}

impl Source {
    /// The place of all of it: the empty pointer is the whole body (RFC 6901, section 5).
    const fn root(self) -> &'static str {
        match self {
            Self::Body => "",
            Self::Query => "query",
        }
    }

    /// What its parts are called.
    const fn noun(self) -> &'static str {
        match self {
            Self::Body => "member",
            Self::Query => "parameter",
        }
    }

    /// The place of a member: a JSON pointer (RFC 6901), or the parameter's name.
    fn pointer(self, parent: &str, name: &str) -> String {
        match self {
            Self::Body => format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1")),
            Self::Query => name.to_owned(),
        }
    }
}

/// A JSON body, or all that is wrong with it.
pub(super) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Vec<FieldError>> {
    let node: Node = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let detail = match error.classify() {
            Category::Eof => format!("is no JSON: it ends at {place}, before its value does"),
            _ => format!("is no JSON: see {place}"),
        };
        vec![FieldError {
            pointer: Source::Body.root().to_owned(),
            detail,
        }]
    })?;
    read(Source::Body, &node)
}

/// The parameters of a query, or all that is wrong with them.
pub(super) fn query<T: DeserializeOwned>(query: &str) -> Result<T, Vec<FieldError>> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let parameter = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        (name.into_owned(), Node::Parameter(value.into_owned()))
    };
    read(Source::Query, &Node::Object(pairs.map(parameter).collect()))
}

/// Reads the whole input. A type ends its reading at the first part that doesn't fit, so what was found is read as blank, and
/// the rest once more: one answer has all mistakes.
fn read<T: DeserializeOwned>(source: Source, node: &Node) -> Result<T, Vec<FieldError>> {
    let mut misfits: Vec<Misfit> = Vec::new();
    loop {
        let mistakes = Mistakes::default();
        let read = T::deserialize(Reader {
            source,
            node,
            pointer: source.root().to_owned(),
            mistakes: &mistakes,
            misfits: &misfits,
        });
        let mut found = mistakes.into_inner();
        let at_end = match read.map_err(|mistake| mistake.or_at(source.root())) {
            Ok(value) if found.is_empty() && misfits.is_empty() => return Ok(value),
            Err(Mistake::At(misfit)) if misfits.iter().all(|known| known.pointer != misfit.pointer) => {
                misfits.push(misfit);
                found.len() + misfits.len() >= MAX_MISTAKES
            }
            _ => true,
        };
        if at_end {
            found.extend(misfits.into_iter().map(|misfit| misfit.error));
            found.truncate(MAX_MISTAKES);
            return Err(found);
        }
    }
}

#[cfg(test)]
mod tests;
