//! `Header` and `Headers`: fields of a request's head.

use std::ops::{Deref, DerefMut};

use gannet_core::{FromRequest, Place, Rejection, Request, Status};
use serde_core::Deserializer;
use serde_core::de::{DeserializeOwned, Visitor};

use super::fault::Fault;
use super::text::Text;
use super::values::{Named, Values};

/// Fields of the head, as a `T`: a struct of which each field is called as the one it is read from, in lower case and with `_` for `-`.
///
/// ```
/// # use gannet::prelude::*;
/// #[derive(serde::Deserialize)]
/// struct Wanted {
///     user_agent: Option<String>,
///     x_api_key: u64,
/// }
///
/// App::new().get("/", |wanted: Header<Wanted>| format!("{} by {:?}", wanted.x_api_key, wanted.user_agent));
/// ```
///
/// So the name is said once, where its value's type is, as with [`Path`](super::Path), [`Query`](super::Query) and [`Form`](super::Form), and several
/// are one argument. A struct may say another name by `#[serde(rename)]`. What is not there has to be an `Option` or to have a
/// `#[serde(default)]`; what is there several times is a `Vec`. What is missing or wrong is refused with 400, which names the field. [`Headers`] are
/// all of them, as they were sent.
#[derive(Clone, Copy, Debug)]
pub struct Header<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Header<T> {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Header<T>, Rejection> {
        T::deserialize(Head(request)).map(Header).map_err(refused)
    }
}

#[cold]
fn refused(fault: Fault) -> Rejection {
    fault.rejection(
        Status::BAD_REQUEST,
        "a field of the request's head is not as expected",
        |name| match name.contains('_') {
            true => Place::field(name.replace('_', "-")),
            false => Place::field(name),
        },
    )
}

/// Whether a struct's field is what a field of a head is called as.
fn is_called(head: &str, field: &str) -> bool {
    let same = |(one, other): (u8, u8)| one.eq_ignore_ascii_case(&other) || (one, other) == (b'-', b'_');
    head.len() == field.len() && head.bytes().zip(field.bytes()).all(same)
}

/// A request's fields, as a source of values.
struct Head<'r>(&'r Request);

impl<'r> Head<'r> {
    /// What there is of one name.
    fn values<'n: 'r>(
        &self,
        name: &'n str,
    ) -> Values<impl Iterator<Item = Result<Text<'r>, Fault>> + Clone + use<'r, 'n>> {
        let fields = self.0.fields().filter(move |(other, _)| is_called(other, name));
        Values(fields.map(|(_, value)| Text::of_bytes(value)))
    }
}

impl<'de> Deserializer<'de> for Head<'_> {
    type Error = Fault;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let there = fields.iter().filter(|name| self.0.fields().any(|(other, _)| is_called(other, name)));
        visitor.visit_map(Named::new(there.map(|name| (*name, self.values(name)))))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::new("Header takes a struct; Headers are all fields"))
    }

    serde_core::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// All fields of the request's head, as they were sent, in their order.
///
/// ```
/// # use gannet::prelude::*;
/// App::new().get("/", |fields: Headers| format!("{} by {:?}", fields.iter().count(), fields.get_str("User-Agent")));
/// ```
#[derive(Clone, Default, Debug)]
pub struct Headers {
    /// Names and values one behind the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<(usize, usize)>,
}

impl Headers {
    /// The first value of a name, in any case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The same, if it is text.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut from = 0;
        self.ends.iter().map(move |&(name, value)| {
            let begin = std::mem::replace(&mut from, value);
            let name_text = std::str::from_utf8(&self.text[begin..name]).unwrap_or_default();
            (name_text, &self.text[name..value])
        })
    }
}

impl FromRequest for Headers {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Headers, Rejection> {
        let mut fields = Headers::default();
        for (name, value) in request.fields() {
            fields.text.extend_from_slice(name.as_bytes());
            let name = fields.text.len();
            fields.text.extend_from_slice(value);
            fields.ends.push((name, fields.text.len()));
        }
        Ok(fields)
    }
}

impl<T> Deref for Header<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Header<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
