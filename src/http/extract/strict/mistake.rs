//! What is wrong with the input, in sentences that quote nothing of it but short, plain names.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::domain::FieldError;

/// The most mistakes that are reported for one request.
pub(super) const MAX_MISTAKES: usize = 20;
/// The longest name of an unknown member that is shown.
const MAX_SHOWN_NAME: usize = 40;
/// The most names of unknown members that are shown of one object.
const MAX_SHOWN_NAMES: usize = 3;
/// The longest sentence of a type about its own value, in characters.
const MAX_SENTENCE: usize = 300;

/// Why reading ended early.
#[derive(Debug)]
pub(super) enum Mistake {
    /// Its place is not known yet: the reader of the member adds it.
    Nowhere(String),
    /// With its place.
    At(Misfit),
    /// The object lacks this member.
    Lacks(&'static str),
}

/// A part of the input that doesn't fit its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// Its pointer: what is read as blank while the rest is looked at. Of a member that lacks, where it would stand.
    pub(super) pointer: String,
    pub(super) error: FieldError,
}

impl Mistake {
    pub(super) fn at(pointer: &str, detail: impl Into<String>) -> Self {
        Self::At(Misfit {
            pointer: pointer.to_owned(),
            error: FieldError {
                pointer: pointer.to_owned(),
                detail: detail.into(),
            },
        })
    }

    /// The same with this place, if it has none.
    pub(super) fn or_at(self, pointer: &str) -> Self {
        match self {
            Self::Nowhere(detail) => Self::at(pointer, detail),
            Self::Lacks(member) => Self::at(pointer, format!("lacks the member `{member}`")),
            placed @ Self::At(_) => placed,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere(detail) => formatter.write_str(detail),
            Self::At(misfit) => formatter.write_str(&misfit.error.detail),
            Self::Lacks(member) => write!(formatter, "lacks the member `{member}`"),
        }
    }
}

impl std::error::Error for Mistake {}

/// The sentences of serde's own errors quote the value; these don't.
impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Nowhere(short(&message))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Nowhere(format!("must be {}, not {}", wanted(expected), kind(&found)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Nowhere(format!("must be {}", wanted(expected)))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Nowhere(format!("must be one of: {}", expected.join(", ")))
    }

    fn missing_field(member: &'static str) -> Self {
        Self::Lacks(member)
    }
}

/// What was expected, in the caller's words instead of Rust's.
fn wanted(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "a string" => "a text".to_owned(),
        "a sequence" => "an array".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        other => short(&other),
    }
}

const fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) => "a text",
        Unexpected::Seq => "an array",
        Unexpected::Map => "an object",
        Unexpected::Unit | Unexpected::Option => "null",
        _ => "something else",
    }
}

/// A sentence without control characters, cut off where it is too long.
fn short(message: &impl fmt::Display) -> String {
    message
        .to_string()
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_SENTENCE)
        .collect()
}

/// The mistakes found beside those that end the reading.
#[derive(Default)]
pub(super) struct Mistakes(RefCell<Vec<FieldError>>);

impl Mistakes {
    pub(super) fn add(&self, pointer: &str, detail: impl Into<String>) {
        let mut found = self.0.borrow_mut();
        if found.len() < MAX_MISTAKES {
            found.push(FieldError {
                pointer: pointer.to_owned(),
                detail: detail.into(),
            });
        }
    }

    pub(super) fn into_inner(self) -> Vec<FieldError> {
        self.0.into_inner()
    }
}

/// What is said of an object with members that it doesn't take: their number, what they are called as far as that may be
/// shown, and what it takes.
pub(super) fn unknown(noun: &str, names: &[&str], known: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .filter(|name| may_be_shown(name))
        .take(MAX_SHOWN_NAMES)
        .map(|name| format!("`{name}`"))
        .collect();
    let shown = shown.join(", ");
    let found = match (names.len(), shown.as_str()) {
        (1, "") => format!("has an unknown {noun}"),
        (1, name) => format!("has an unknown {noun} {name}"),
        (count, "") => format!("has {count} unknown {noun}s"),
        (count, names) => format!("has {count} unknown {noun}s, such as {names}"),
    };
    if known.is_empty() {
        format!("{found}; none is known here")
    } else {
        format!("{found}; known are {}", known.join(", "))
    }
}

fn may_be_shown(name: &str) -> bool {
    (1..=MAX_SHOWN_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
