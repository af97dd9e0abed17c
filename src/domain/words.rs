//! Words that responses use: each enumeration with its sentences, which the OpenAPI document shows. The document leaves every
//! such enumeration open, because later versions add words.

use std::fmt::Write as _;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};

/// The database holds a word that this version doesn't know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the database holds the unknown word '{0}'")]
pub struct UnknownWord(pub(super) String);

/// An enumeration whose variants have a word on the wire. The doc comments of the variants are their sentences in the document.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        $vis:vis enum $name:ident {
            $($(#[doc = $sentence:literal])+ $(#[expect($($expected:tt)+)])? $variant:ident => $word:literal,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $vis enum $name {
            $($(#[doc = $sentence])+ $(#[expect($($expected)+)])? $variant,)+
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            $vis const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::domain::words::open_enumeration(
                    concat!($($doc),+),
                    &[$(($word, concat!($($sentence),+))),+],
                )
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use words;

/// Adds to words how a stored one is parsed, and the list of all.
macro_rules! stored_words {
    ($name:ident { $($variant:ident),+ $(,)? }) => {
        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::words::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().copied().find(|known| known.as_str() == text);
                found.ok_or_else(|| $crate::domain::words::UnknownWord(text.to_owned()))
            }
        }
    };
}
pub(crate) use stored_words;

/// The schema of an enumeration in responses: the words that this version knows, or any other text.
pub(crate) fn open_enumeration(description: &str, words: &[(&str, &str)]) -> RefOr<Schema> {
    let mut text = format!(
        "{} Later versions may add words: treat one that you do not know as a text.\n",
        description.trim()
    );
    for (word, sentence) in words {
        // Writing to a text never fails.
        let _ = write!(text, "\n- `{word}`: {}", sentence.trim());
    }
    let known = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().map(|(word, _)| *word)));
    let any = ObjectBuilder::new().schema_type(Type::String);
    AnyOfBuilder::new()
        .description(Some(text))
        .item(known)
        .item(any)
        .into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use utoipa::PartialSchema as _;

    words! {
        /// How it stands.
        enum Standing {
            /// It is good,
            /// on the whole.
            Good => "good",
            /// It is not.
            Bad => "bad",
        }
    }

    #[test]
    fn the_schema_of_an_enumeration_is_open_and_has_a_sentence_for_each_word() {
        let schema = serde_json::to_value(Standing::schema()).expect("a schema");
        assert_eq!(
            schema["anyOf"],
            json!([{"type": "string", "enum": ["good", "bad"]}, {"type": "string"}])
        );
        let text = schema["description"].as_str().expect("a description");
        assert!(
            text.starts_with("How it stands. Later versions may add words"),
            "{text}"
        );
        assert!(
            text.ends_with("- `good`: It is good, on the whole.\n- `bad`: It is not."),
            "{text}"
        );
        assert_eq!(
            serde_json::to_value([Standing::Good, Standing::Bad]).expect("words"),
            json!(["good", "bad"])
        );
    }
}
