//! Reads input into a type, which itself says which members it knows.

use std::str::FromStr;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::Source;
use super::blank::Blank;
use super::mistake::{Misfit, Mistake, Mistakes, unknown};
use super::node::Node;
use crate::domain::FieldError;

/// Reads one piece of the input.
pub(super) struct Reader<'a> {
    pub(super) source: Source,
    pub(super) node: &'a Node,
    pub(super) pointer: String,
    pub(super) mistakes: &'a Mistakes,
    /// What was found not to fit, and is read as blank.
    pub(super) misfits: &'a [Misfit],
}

type Member<'a> = (&'a str, &'a Node);

impl<'a> Reader<'a> {
    fn below(&self, name: &str, node: &'a Node) -> Self {
        Self {
            source: self.source,
            node,
            pointer: self.source.pointer(&self.pointer, name),
            mistakes: self.mistakes,
            misfits: self.misfits,
        }
    }

    /// Whether this part was found not to fit.
    fn is_misfit(&self) -> bool {
        self.misfits.iter().any(|misfit| misfit.pointer == self.pointer)
    }

    /// The object's members, and as null those that it lacks, once that is known.
    fn members(&self, known: &'static [&'static str], members: &'a [(String, Node)]) -> Vec<Member<'a>> {
        let mut taken: Vec<Member<'a>> = Vec::new();
        let mut foreign = Vec::new();
        for (name, node) in members {
            let name = name.as_str();
            if !known.contains(&name) {
                foreign.push(name);
                continue;
            }
            let pointer = self.source.pointer(&self.pointer, name);
            if taken.iter().any(|(other, _)| *other == name) {
                self.mistakes.add(&pointer, "stands more than once");
            } else {
                taken.push((name, node));
            }
        }
        if !foreign.is_empty() {
            let sentence = unknown(self.source.noun(), &foreign, known);
            self.mistakes.add(&self.pointer, sentence);
        }
        let absent = |name: &&&str| !members.iter().any(|(other, _)| other == **name);
        let lacking = known.iter().filter(absent).map(|name| (*name, &Node::Null));
        taken.extend(lacking.filter(|(name, node)| self.below(name, node).is_misfit()));
        taken
    }

    /// A number or the like, which stands in a query as text.
    fn parsed<T: FromStr>(&self, expected: &str) -> Result<Option<T>, Mistake> {
        let Node::Parameter(text) = self.node else {
            return Ok(None);
        };
        let wrong = |_| Mistake::at(&self.pointer, format!("must be {expected}"));
        text.parse().map(Some).map_err(wrong)
    }
}

const NULL: &str = "must not be null; leave it out to say nothing";

macro_rules! from_parameters {
    ($($method:ident $visit:ident $type:ty: $expected:literal,)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            match self.parsed::<$type>($expected)? {
                Some(value) => visitor.$visit(value),
                None => self.deserialize_any(visitor),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let pointer = self.pointer.clone();
        let read = match self.node {
            Node::Null => Err(Mistake::custom(NULL)),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), ..) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (.., Some(value)) => visitor.visit_f64(value),
                _ => Err(Mistake::custom("is no number that can be used")),
            },
            Node::Text(text) | Node::Parameter(text) => visitor.visit_borrowed_str(text),
            Node::List(entries) => visitor.visit_seq(Entries {
                reader: &self,
                entries: entries.iter().enumerate(),
            }),
            // Names of the caller's own lead to no pointer.
            Node::Object(members) => visitor.visit_map(Members {
                known: false,
                ..Members::of(
                    &self,
                    members.iter().map(|(name, node)| (name.as_str(), node)).collect(),
                )
            }),
        };
        read.map_err(|mistake| mistake.or_at(&pointer))
    }

    from_parameters! {
        deserialize_bool visit_bool bool: "true or false",
        deserialize_u16 visit_u16 u16: "a whole number that is not negative",
        deserialize_u32 visit_u32 u32: "a whole number that is not negative",
        deserialize_u64 visit_u64 u64: "a whole number that is not negative",
        deserialize_i32 visit_i32 i32: "a whole number",
        deserialize_i64 visit_i64 i64: "a whole number",
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node {
            Node::Null => Err(Mistake::at(&self.pointer, NULL)),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let Node::Object(members) = self.node else {
            let detail = format!("must be an object, not {}", self.node.kind());
            return Err(Mistake::at(&self.pointer, detail));
        };
        let taken = self.members(known, members);
        let read = visitor.visit_map(Members::of(&self, taken));
        read.map_err(|mistake| match mistake {
            Mistake::Lacks(member) => Mistake::At(Misfit {
                pointer: self.source.pointer(&self.pointer, member),
                error: FieldError {
                    pointer: self.pointer.clone(),
                    detail: format!("lacks the {} `{member}`", self.source.noun()),
                },
            }),
            other => other.or_at(&self.pointer),
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let (Node::Text(word) | Node::Parameter(word)) = self.node else {
            let detail = format!("must be a text, not {}", self.node.kind());
            return Err(Mistake::at(&self.pointer, detail));
        };
        let word: StrDeserializer<'_, Mistake> = word.as_str().into_deserializer();
        visitor
            .visit_enum(word)
            .map_err(|mistake| mistake.or_at(&self.pointer))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier
    }
}

struct Entries<'a, 'de> {
    reader: &'a Reader<'de>,
    entries: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> SeqAccess<'de> for Entries<'_, 'de> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
        let Some((index, node)) = self.entries.next() else {
            return Ok(None);
        };
        let entry = self.reader.below(&index.to_string(), node);
        if entry.is_misfit() {
            return seed.deserialize(Blank).map(Some);
        }
        seed.deserialize(entry).map(Some)
    }
}

struct Members<'a, 'de> {
    reader: &'a Reader<'de>,
    members: std::vec::IntoIter<Member<'de>>,
    value: Option<Reader<'de>>,
    /// Whether the names are the type's own.
    known: bool,
}

impl<'a, 'de> Members<'a, 'de> {
    fn of(reader: &'a Reader<'de>, members: Vec<Member<'de>>) -> Self {
        Self {
            reader,
            members: members.into_iter(),
            value: None,
            known: true,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        let Some((name, node)) = self.members.next() else {
            return Ok(None);
        };
        let mut value = self.reader.below(name, node);
        if !self.known {
            value.pointer.clone_from(&self.reader.pointer);
        }
        self.value = Some(value);
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let Some(value) = self.value.take() else {
            return Err(Mistake::custom("a member without a value"));
        };
        if value.is_misfit() {
            return seed.deserialize(Blank);
        }
        if matches!(value.node, Node::Null) {
            return Err(Mistake::at(&value.pointer, NULL));
        }
        let pointer = value.pointer.clone();
        seed.deserialize(value).map_err(|mistake| mistake.or_at(&pointer))
    }
}
