//! What members a format has, read off the types that parse it: so that documentation and refusals can't fall behind.
//! A type is parsed from nothing, and what it asks for on the way is written down.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer as _,
    MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// A text that is also an RFC 3339 time: what every string is said to be.
const ANY_TEXT: &str = "2020-01-01T00:00:00Z";

/// Every member of a struct and of what is within it: `users`, `users[].guest_in`, `users[].guest_in[].tenant`.
/// Of an enum within, the first variant's.
#[cfg(test)]
pub(crate) fn members<T: DeserializeOwned>() -> Vec<String> {
    let notes = Notes::default();
    // A value that the type refuses in the end has shown its members all the same.
    let _ = T::deserialize(Probe::root(&notes, 0));
    notes.members.into_inner()
}

/// The variants of an enum, each with its members.
pub(crate) fn variants<T: DeserializeOwned>() -> Vec<(&'static str, Vec<String>)> {
    let mut found = Vec::new();
    loop {
        let notes = Notes::default();
        let _ = T::deserialize(Probe::root(&notes, found.len()));
        match notes.variants.into_inner().get(found.len()) {
            Some(&name) => found.push((name, notes.members.into_inner())),
            None => return found,
        }
    }
}

#[derive(Default)]
struct Notes {
    members: RefCell<Vec<String>>,
    variants: RefCell<Vec<&'static str>>,
}

#[derive(Clone)]
struct Probe<'a> {
    path: String,
    notes: &'a Notes,
    /// Which variant of the outermost enum to take; nothing within.
    variant: Option<usize>,
}

impl<'a> Probe<'a> {
    fn root(notes: &'a Notes, variant: usize) -> Probe<'a> {
        let (path, variant) = (String::new(), Some(variant));
        Probe { path, notes, variant }
    }

    fn within(&self, path: String) -> Probe<'a> {
        let (notes, variant) = (self.notes, None);
        Probe { path, notes, variant }
    }
}

#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the probe ends here")
    }
}

impl std::error::Error for Stopped {}

impl de::Error for Stopped {
    fn custom<T: fmt::Display>(_: T) -> Stopped {
        Stopped
    }
}

macro_rules! answers {
    ($($method:ident => $visit:ident($($value:expr)?)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
            visitor.$visit($($value)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Stopped;

    answers! {
        deserialize_any => visit_unit(),
        deserialize_bool => visit_bool(true),
        deserialize_i32 => visit_i32(1),
        deserialize_i64 => visit_i64(1),
        deserialize_u8 => visit_u8(1),
        deserialize_u16 => visit_u16(1),
        deserialize_u32 => visit_u32(1),
        deserialize_u64 => visit_u64(1),
        deserialize_f64 => visit_f64(1.0),
        deserialize_str => visit_str(ANY_TEXT),
        deserialize_string => visit_str(ANY_TEXT),
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        self.deserialize_tuple(1, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Stopped> {
        let item = self.within(format!("{}[]", self.path));
        visitor.visit_seq(Items { item, left })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        let fields = [].iter();
        visitor.visit_map(Fields {
            of: self,
            fields,
            current: "",
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        let fields = fields.iter();
        visitor.visit_map(Fields {
            of: self,
            fields,
            current: "",
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        if self.variant.is_some() {
            *self.notes.variants.borrow_mut() = variants.to_vec();
        }
        let name = variants.get(self.variant.unwrap_or_default()).ok_or(Stopped)?;
        visitor.visit_enum(Chosen {
            name,
            of: self.within(self.path.clone()),
        })
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 char bytes byte_buf unit unit_struct tuple_struct identifier ignored_any
    }
}

struct Items<'a> {
    item: Probe<'a>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Stopped;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stopped> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.item.clone()).map(Some)
    }
}

struct Fields<'a> {
    of: Probe<'a>,
    fields: std::slice::Iter<'static, &'static str>,
    current: &'static str,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Stopped;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stopped> {
        let Some(name) = self.fields.next() else {
            return Ok(None);
        };
        self.current = name;
        let key: StrDeserializer<'_, Stopped> = name.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stopped> {
        let dot = if self.of.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{}", self.of.path, self.current);
        self.of.notes.members.borrow_mut().push(path.clone());
        seed.deserialize(self.of.within(path))
    }
}

struct Chosen<'a> {
    name: &'static str,
    of: Probe<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Chosen<'a> {
    type Error = Stopped;
    type Variant = Content<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content<'a>), Stopped> {
        let name: StrDeserializer<'_, Stopped> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.of)))
    }
}

struct Content<'a>(Probe<'a>);

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Stopped;

    fn unit_variant(self) -> Result<(), Stopped> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stopped> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Stopped> {
        Err(Stopped::custom("no format here has them"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        self.0.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Outer {
        one: String,
        many: Vec<Inner>,
        maybe: Option<chrono::DateTime<chrono::Utc>>,
        last: bool,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Inner {
        word: Word,
        size: u32,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
    #[expect(dead_code, reason = "only its shape matters")]
    enum Word {
        Plain,
        WithMembers {
            how_many: u32,
            inner: Option<Box<Inner>>,
        },
    }

    #[test]
    fn members_are_found_at_every_depth() {
        let found = members::<Outer>();
        assert_eq!(
            found,
            ["one", "many", "many[].word", "many[].size", "maybe", "last"]
        );
    }

    #[test]
    fn variants_are_found_with_their_members() {
        let found = variants::<Word>();
        let inner = ["howMany", "inner", "inner.word", "inner.size"].map(str::to_owned);
        assert_eq!(found, [("plain", Vec::new()), ("withMembers", inner.to_vec())]);
    }
}
