//! What stands behind a name: one text, or several.

use serde_core::Deserializer;
use serde_core::de::{self, DeserializeSeed, IntoDeserializer, SeqAccess, Visitor};

use super::fault::{Fault, REPEATED};
use super::text::Text;

/// The texts behind one name, decoded when somebody wants them: usually one. Several are a sequence, and nothing else.
#[derive(Clone)]
pub(super) struct Values<I>(pub(super) I);

/// Names and what stands behind each, as a map. What is wrong with a value is said with its name.
pub(super) struct Named<'n, I, V> {
    entries: I,
    /// What the name that was asked for last stands for.
    value: Option<(&'n str, Values<V>)>,
}

impl<'n, I, V> Named<'n, I, V> {
    pub(super) fn new(entries: I) -> Named<'n, I, V> {
        Named { entries, value: None }
    }
}

impl<'de, 'n, 't, I, V> de::MapAccess<'de> for Named<'n, I, V>
where
    I: Iterator<Item = (&'n str, Values<V>)>,
    V: Iterator<Item = Result<Text<'t>, Fault>> + Clone,
{
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some((name, value));
        seed.deserialize(Text(name.into())).map(Some).map_err(|fault| fault.named(name))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (name, value) = self.value.take().expect("a value is asked for behind its name, and once");
        seed.deserialize(value).map_err(|fault| fault.named(name))
    }
}

impl<'t, I: Iterator<Item = Result<Text<'t>, Fault>> + Clone> Values<I> {
    /// The one text that there is.
    fn one(mut self) -> Result<Text<'t>, Fault> {
        let text = self.0.next().unwrap_or_else(|| Ok(Text("".into())))?;
        if self.0.next().is_some() { Err(Fault::new(REPEATED)) } else { Ok(text) }
    }

    fn is_empty(&self) -> bool {
        matches!(self.clone().one(), Ok(text) if text.0.is_empty())
    }
}

macro_rules! of_one {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.one()?.$method(visitor)
        }
    )*};
}

impl<'de, 't, I: Iterator<Item = Result<Text<'t>, Fault>> + Clone> Deserializer<'de> for Values<I> {
    type Error = Fault;

    of_one! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_map deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let mut others = self.0.clone();
        others.next();
        if others.next().is_some() {
            self.deserialize_seq(visitor)
        } else {
            self.one()?.deserialize_any(visitor)
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(&mut self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(mut self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        let value = visitor.visit_seq(&mut self)?;
        if self.0.next().is_some() { Err(Fault::new("is there too often")) } else { Ok(value) }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.one()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}

impl<'de, 't, I: Iterator<Item = Result<Text<'t>, Fault>> + Clone> SeqAccess<'de> for Values<I> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.0.next().map(|text| seed.deserialize(text?)).transpose()
    }
}

impl<'de, 't, I: Iterator<Item = Result<Text<'t>, Fault>> + Clone> IntoDeserializer<'de, Fault>
    for Values<I>
{
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
