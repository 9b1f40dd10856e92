//! `name=value&...`: queries and forms (WHATWG URL, 5.1), as a source of values.

use std::borrow::Cow;

use serde_core::Deserializer;
use serde_core::de::value::MapDeserializer;
use serde_core::de::{DeserializeOwned, Visitor};

use super::fault::Fault;
use super::text::Text;
use super::values::{Named, Values};

/// Pairs of a query or a form; one more is a mistake of who sent it. What reads them keeps all of them in memory, and sorts them.
pub(super) const FORM_FIELDS: usize = 1024;

/// So many pairs need no memory of their own.
const INLINE_PAIRS: usize = 16;

/// Why pairs were not read.
pub(super) enum Unread {
    /// There are more than may be.
    TooMany,
    /// One is not as it should be.
    Fault(Fault),
}

/// A name, decoded, and a value that is decoded when somebody wants it.
#[derive(Clone, Default)]
struct Pair<'t> {
    name: Cow<'t, str>,
    value: &'t str,
}

/// Reads pairs: a struct or a map by their names, wherever they are; a sequence of pairs in their order.
///
/// A name that is there several times is a sequence, and nothing else. What nobody asks for is not looked at.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unread> {
    let texts = || text.split('&').filter(|pair| !pair.is_empty());
    let count = texts().count();
    if count > FORM_FIELDS {
        return Err(Unread::TooMany);
    }
    let (mut inline, mut spilled) = (<[Pair<'_>; INLINE_PAIRS]>::default(), Vec::new());
    let pairs = match inline.get_mut(..count) {
        Some(pairs) => pairs,
        None => {
            spilled.resize(count, Pair::default());
            &mut spilled[..]
        }
    };
    for (pair, text) in pairs.iter_mut().zip(texts()) {
        *pair = Pair::of(text).map_err(Unread::Fault)?;
    }
    T::deserialize(Pairs(pairs)).map_err(Unread::Fault)
}

impl<'t> Pair<'t> {
    fn of(text: &'t str) -> Result<Pair<'t>, Fault> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let decoded = Text::decoded_of_form(name).map_err(|fault| fault.named(name))?;
        Ok(Pair { name: decoded.0, value })
    }
}

/// All pairs.
struct Pairs<'a, 't>(&'a mut [Pair<'t>]);

/// The values of pairs that have one name.
fn values<'a>(pairs: &'a [Pair<'_>]) -> Values<impl Iterator<Item = Result<Text<'a>, Fault>> + Clone> {
    Values(pairs.iter().map(|pair| Text::decoded_of_form(pair.value)))
}

impl<'de> Deserializer<'de> for Pairs<'_, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // Those of one name next to each other, in their order.
        self.0.sort_by(|one, other| one.name.cmp(&other.name));
        let groups = self.0.chunk_by(|one, other| one.name == other.name);
        visitor.visit_map(Named::new(groups.map(|group| (&*group[0].name, values(group)))))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let pairs = self.0.iter().map(|pair| (&*pair.name, values(std::slice::from_ref(pair))));
        MapDeserializer::new(pairs).deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    serde_core::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    fn said<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        read(text).map_err(|unread| match unread {
            Unread::TooMany => "too many".to_owned(),
            Unread::Fault(fault) => fault.to_string(),
        })
    }

    #[derive(Deserialize, PartialEq, Debug)]
    struct Search {
        text: String,
        #[serde(default)]
        tag: Vec<String>,
        page: Option<u32>,
        #[serde(default)]
        exact: bool,
    }

    #[test]
    fn names_are_those_of_the_struct_wherever_they_are() {
        let search = said::<Search>("page=2&&tag=a&text=caf%C3%A9+au+lait&exact=on&tag=b&utm=%zz").unwrap();
        let (text, tag) = ("café au lait".to_owned(), vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(search, Search { text, tag, page: Some(2), exact: true });
        let least = said::<Search>("text=&page=").unwrap();
        assert_eq!(least, Search { text: String::new(), tag: vec![], page: None, exact: false });
    }

    #[test]
    fn what_is_wrong_is_said_with_its_name() {
        assert_eq!(said::<Search>("page=2").unwrap_err(), "text: is missing");
        let wrong = said::<Search>("text=a&page=two").unwrap_err();
        assert_eq!(wrong, "page: expected a whole number, found \"two\"");
        assert_eq!(said::<Search>("text=a&text=b").unwrap_err(), "text: is there more than once");
        assert_eq!(said::<Search>("text=%ff").unwrap_err(), "text: is not percent-encoded UTF-8");
        assert_eq!(said::<Search>("%ff=1").unwrap_err(), "%ff: is not percent-encoded UTF-8");
        assert_eq!(said::<u8>("a=1").unwrap_err(), "expected a whole number, found an object");
    }

    #[test]
    fn maps_and_sequences_of_pairs_take_all_that_is_there() {
        let map = said::<HashMap<String, u8>>("b=2&a=1").unwrap();
        assert_eq!((map.len(), map["a"], map["b"]), (2, 1, 2));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let pairs = said::<Vec<(String, String)>>("b=2&a=1&b").unwrap();
        assert_eq!(pairs, [pair("b", "2"), pair("a", "1"), pair("b", "")]);
        assert_eq!((said(""), said("")), (Ok(None::<Search>), Ok(())));
    }

    #[test]
    fn as_many_pairs_as_may_be_are_read_and_no_more() {
        let text = |count: usize| (0..count).map(|number| format!("n{number}={number}&")).collect::<String>();
        assert_eq!(said::<HashMap<String, usize>>(&text(FORM_FIELDS)).unwrap().len(), 1024);
        assert_eq!(said::<HashMap<String, usize>>(&text(FORM_FIELDS + 1)), Err("too many".to_owned()));
        for count in [INLINE_PAIRS, INLINE_PAIRS + 1] {
            assert_eq!(said::<HashMap<String, usize>>(&text(count)).unwrap().len(), count);
        }
    }
}
