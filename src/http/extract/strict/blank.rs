//! Stands for a part of the input that doesn't fit: a value of whatever type is asked for. What is read with it is never used.

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};

use super::mistake::Mistake;

/// Any value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blank;

impl IntoDeserializer<'_, Mistake> for Blank {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! visit {
    ($($method:ident $visit:ident ($($value:expr)?),)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            visitor.$visit($($value)?)
        })+
    };
}

impl<'de> Deserializer<'de> for Blank {
    type Error = Mistake;

    visit! {
        deserialize_any visit_unit(),
        deserialize_ignored_any visit_unit(),
        deserialize_unit visit_unit(),
        deserialize_option visit_none(),
        deserialize_bool visit_bool(false),
        deserialize_u8 visit_u8(0),
        deserialize_u16 visit_u16(0),
        deserialize_u32 visit_u32(0),
        deserialize_u64 visit_u64(0),
        deserialize_i8 visit_i8(0),
        deserialize_i16 visit_i16(0),
        deserialize_i32 visit_i32(0),
        deserialize_i64 visit_i64(0),
        deserialize_f32 visit_f32(0.0),
        deserialize_f64 visit_f64(0.0),
        deserialize_char visit_char('0'),
        deserialize_str visit_borrowed_str(""),
        deserialize_string visit_borrowed_str(""),
        deserialize_identifier visit_borrowed_str(""),
        deserialize_bytes visit_borrowed_bytes(&[]),
        deserialize_byte_buf visit_borrowed_bytes(&[]),
        deserialize_seq visit_seq(SeqDeserializer::new(std::iter::empty::<Self>())),
        deserialize_map visit_map(MapDeserializer::new(std::iter::empty::<(&str, Self)>())),
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_seq(SeqDeserializer::new(std::iter::repeat_n(self, length)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_map(MapDeserializer::new(known.iter().map(|name| (*name, self))))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let word = words.first().copied().unwrap_or_default();
        let word: StrDeserializer<'_, Mistake> = word.into_deserializer();
        visitor.visit_enum(word)
    }
}
