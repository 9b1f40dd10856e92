//! One text, as a source of values: a parameter of a path, an input of a form, a field of a head.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde_core::Deserializer;
use serde_core::de::value::CowStrDeserializer;
use serde_core::de::{self, IntoDeserializer, Unexpected, Visitor};

use super::fault::Fault;

/// A text from which whatever is asked for is read: numbers as Rust writes them, `true` and `false` (of a checkbox `on`, too), a variant by its
/// name. An optional value that is empty is not there: a form sends also what was not filled in.
pub(super) struct Text<'t>(pub(super) Cow<'t, str>);

impl<'t> Text<'t> {
    /// The text of bytes.
    pub(super) fn of_bytes(bytes: &'t [u8]) -> Result<Text<'t>, Fault> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Text(text.into())),
            Err(error) => Err(Fault::new(format!("is not UTF-8 from byte {} on", error.valid_up_to() + 1))),
        }
    }

    /// Percent-decoded text (RFC 3986, 2.1).
    pub(super) fn decoded(encoded: &'t str) -> Result<Text<'t>, Fault> {
        gannet_core::percent_decoded(encoded).map(Text).ok_or_else(|| Fault::new(UNDECODABLE))
    }

    /// The same, as a form encodes it: a plus is a blank, too.
    pub(super) fn decoded_of_form(encoded: &'t str) -> Result<Text<'t>, Fault> {
        if !encoded.contains('+') {
            return Text::decoded(encoded);
        }
        let blanks = encoded.replace('+', " ");
        let decoded = gannet_core::percent_decoded(&blanks).ok_or_else(|| Fault::new(UNDECODABLE))?;
        Ok(Text(Cow::Owned(decoded.into_owned())))
    }

    fn parsed<N: FromStr>(&self, expected: &dyn de::Expected) -> Result<N, Fault> {
        self.0.parse().map_err(|_| self.unexpected(expected))
    }

    fn unexpected(&self, expected: &dyn de::Expected) -> Fault {
        de::Error::invalid_value(Unexpected::Str(&self.0), expected)
    }
}

const UNDECODABLE: &str = "is not percent-encoded UTF-8";

macro_rules! numbers {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let number = self.parsed(&visitor)?;
            visitor.$visit(number)
        }
    )*};
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Fault;

    numbers! {
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_i128 visit_i128 deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32
        deserialize_u64 visit_u64 deserialize_u128 visit_u128 deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Cow::Borrowed(text) => visitor.visit_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &*self.0 {
            "true" | "on" | "1" => visitor.visit_bool(true),
            "false" | "off" | "0" => visitor.visit_bool(false),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let character = self.parsed(&visitor)?;
        visitor.visit_char(character)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.is_empty() { visitor.visit_unit() } else { Err(self.unexpected(&visitor)) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
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
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let name: CowStrDeserializer<'_, Fault> = self.0.into_deserializer();
        visitor.visit_enum(name)
    }

    serde_core::forward_to_deserialize_any! {
        str string bytes byte_buf seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        T::deserialize(Text(text.into())).map_err(|fault| fault.to_string())
    }

    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
        Down,
    }

    #[derive(Deserialize, PartialEq, Debug)]
    struct Id(u64);

    #[test]
    fn a_text_becomes_whatever_is_asked_for() {
        assert_eq!((read("7"), read("-7"), read("7")), (Ok(7u8), Ok(-7i64), Ok(Id(7))));
        assert_eq!((read("1.5"), read("é"), read("a b")), (Ok(1.5f64), Ok('é'), Ok("a b".to_owned())));
        assert_eq!((read("340282366920938463463374607431768211455"), read("on")), (Ok(u128::MAX), Ok(true)));
        assert_eq!((read("false"), read("up"), read("down")), (Ok(false), Ok(Order::Up), Ok(Order::Down)));
        assert_eq!((read(""), read("7"), read("")), (Ok(None::<u8>), Ok(Some(7u8)), Ok(String::new())));
        assert_eq!(read("::1"), Ok(std::net::Ipv6Addr::LOCALHOST));
    }

    #[test]
    fn what_a_text_cannot_become_is_said_with_what_was_expected() {
        let said = |text: Result<u8, String>| text.unwrap_err();
        assert_eq!(said(read("256")), "is too large: 255 is the largest that is taken");
        assert_eq!(said(read("")), "expected a whole number, found nothing");
        assert_eq!(read::<bool>("yes").unwrap_err(), "expected true or false, found \"yes\"");
        assert_eq!(read::<char>("ab").unwrap_err(), "expected a character, found \"ab\"");
        assert_eq!(read::<Order>("left").unwrap_err(), "is not known; known: up, down");
    }

    #[test]
    fn text_is_decoded_as_paths_and_forms_encode_it() {
        let decoded = |text: Result<Text<'_>, Fault>| text.map(|text| text.0.into_owned()).ok();
        assert_eq!(decoded(Text::decoded("a+b%20c")).as_deref(), Some("a+b c"));
        assert_eq!(decoded(Text::decoded_of_form("a+b%20%2B")).as_deref(), Some("a b +"));
        assert!(Text::decoded("%ff").is_err() && Text::decoded_of_form("+%4").is_err());
        assert!(Text::of_bytes(b"a\xff").unwrap_err().to_string().contains("byte 2"));
    }
}
