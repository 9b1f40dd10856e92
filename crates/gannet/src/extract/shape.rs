//! Which parameters of a path a type is read from, found out by having it read from nothing.

use serde_core::Deserializer;
use serde_core::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};

use super::fault::Fault;
use super::text::Text;

/// What a type takes of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// So many parameters, by their places.
    Count(usize),
    /// At least those of these names.
    Names(Vec<&'static str>),
    /// Whatever there is, or that cannot be told.
    Any,
}

/// Texts that something or other is read from. What none of them suits is thought to need what its type says.
const SAMPLES: [&str; 8] = [
    "1",
    "00000000-0000-0000-0000-000000000000",
    "127.0.0.1",
    "2000-01-01",
    "2000-01-01T00:00:00Z",
    "00:00:00",
    "a",
    "",
];

/// What `T` takes.
pub(super) fn shape_of<T: DeserializeOwned>() -> Shape {
    let mut shape = Shape::Any;
    // It is told before anything is read; what comes of it is of no interest.
    let _ = T::deserialize(Probe(&mut shape));
    match shape {
        Shape::Names(fields) => {
            Shape::Names(fields.iter().copied().filter(|field| is_required::<T>(&fields, field)).collect())
        }
        shape => shape,
    }
}

/// Whether a struct cannot be read without this field, when all others are there.
fn is_required<T: DeserializeOwned>(fields: &[&'static str], field: &'static str) -> bool {
    let mut samples: Vec<(&'static str, usize)> =
        fields.iter().filter(|other| **other != field).map(|other| (*other, 0)).collect();
    // Each try has another text for one field, or leaves one out.
    for _ in 0..=fields.len() * SAMPLES.len() {
        let fault = match T::deserialize(Sample(&samples)) {
            Ok(_) => return false,
            Err(fault) => fault,
        };
        let Some(name) = fault.name.as_deref() else { return true };
        if fault.is_missing {
            return name == field;
        }
        match samples.iter().position(|(other, _)| *other == name) {
            Some(at) if fault.detail != super::fault::REPEATED && samples[at].1 + 1 < SAMPLES.len() => {
                samples[at].1 += 1;
            }
            // Two names of one field, or nothing suits.
            Some(at) if fault.detail == super::fault::REPEATED => drop(samples.remove(at)),
            _ => return true,
        }
    }
    true
}

/// Finds out what is asked for, and gives nothing.
struct Probe<'s>(&'s mut Shape);

macro_rules! told {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
            self.told(Shape::Count(1))
        }
    )*};
}

impl Probe<'_> {
    fn told<T>(self, shape: Shape) -> Result<T, Fault> {
        *self.0 = shape;
        Err(Fault::new("that is all that was to be known"))
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Fault;

    told! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_identifier deserialize_option
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        self.told(Shape::Any)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, _: V) -> Result<V::Value, Fault> {
        self.told(Shape::Count(length))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        _: V,
    ) -> Result<V::Value, Fault> {
        self.told(Shape::Count(length))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Fault> {
        self.told(Shape::Names(fields.to_vec()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Fault> {
        self.told(Shape::Count(1))
    }

    serde_core::forward_to_deserialize_any! { seq map unit unit_struct ignored_any }
}

/// Gives texts for these fields.
struct Sample<'s>(&'s [(&'static str, usize)]);

impl<'de> Deserializer<'de> for Sample<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(SampleMap { left: self.0.iter(), value: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    serde_core::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct SampleMap<'s> {
    left: std::slice::Iter<'s, (&'static str, usize)>,
    value: Option<(&'static str, usize)>,
}

impl<'de> MapAccess<'de> for SampleMap<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.left.next().copied();
        let Some((name, _)) = self.value else { return Ok(None) };
        seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (name, sample) = self.value.ok_or_else(|| de::Error::custom("a value is behind its name"))?;
        seed.deserialize(SampleText(SAMPLES[sample])).map_err(|fault| fault.named(name))
    }
}

/// A text; of an enum's variants the first.
struct SampleText(&'static str);

macro_rules! of_text {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            Text(self.0.into()).$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for SampleText {
    type Error = Fault;

    of_text! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_identifier deserialize_seq deserialize_map
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        Text(variants.first().copied().unwrap_or_default().into()).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    serde_core::forward_to_deserialize_any! { unit unit_struct tuple tuple_struct struct }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::IpAddr;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
    }

    #[derive(Deserialize)]
    struct Id(#[expect(dead_code, reason = "read only")] u64);

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "read only")]
    struct Post {
        #[serde(rename = "user-id", alias = "user")]
        user: Id,
        address: IpAddr,
        order: Order,
        slug: String,
        page: Option<u32>,
        #[serde(default)]
        exact: bool,
    }

    #[derive(Deserialize)]
    struct Wrapped(#[expect(dead_code, reason = "read only")] Post);

    #[derive(Deserialize)]
    struct Two(#[expect(dead_code, reason = "read only")] u8, #[expect(dead_code, reason = "read only")] u8);

    #[test]
    fn what_is_read_by_its_place_says_how_many_there_have_to_be() {
        for (shape, expected) in [
            (shape_of::<u64>(), 1),
            (shape_of::<String>(), 1),
            (shape_of::<Id>(), 1),
            (shape_of::<Order>(), 1),
            (shape_of::<IpAddr>(), 1),
            (shape_of::<(u8,)>(), 1),
            (shape_of::<(u8, String, Order)>(), 3),
            (shape_of::<Two>(), 2),
        ] {
            assert_eq!(shape, Shape::Count(expected));
        }
        for shape in [shape_of::<Vec<u8>>(), shape_of::<HashMap<String, String>>(), shape_of::<()>()] {
            assert_eq!(shape, Shape::Any);
        }
    }

    #[test]
    fn a_struct_says_the_names_that_it_cannot_do_without() {
        let names = Shape::Names(vec!["user-id", "address", "order", "slug"]);
        assert_eq!((shape_of::<Post>(), shape_of::<Wrapped>()), (names.clone(), names));
    }
}
