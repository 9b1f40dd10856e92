//! `Path`: what a route's parameters matched.

use std::ops::{Deref, DerefMut};

use gannet_core::{FromRequest, Needs, Place, Rejection, Request, Status};
use serde_core::Deserializer;
use serde_core::de::{DeserializeOwned, DeserializeSeed, SeqAccess, Visitor};

use super::fault::Fault;
use super::shape::{Shape, shape_of};
use super::text::Text;
use super::values::{Named, Values};

/// What the parameters of the route's pattern matched, percent-decoded, as a `T`.
///
/// | `T` | takes |
/// |---|---|
/// | a number, a `String`, an `enum` of names, whatever is read from a text (a `Uuid`) | the one parameter |
/// | a tuple | the parameters from left to right, all of them |
/// | a struct | the parameters that its fields are called as |
/// | `Vec<_>`, `HashMap<String, _>` | whatever there is |
///
/// ```
/// # use gannet::prelude::*;
/// #[derive(serde::Deserialize)]
/// struct Post {
///     user: u64,
///     slug: String,
/// }
///
/// App::new()
///     .get("/users/:id", |id: Path<u64>| format!("user {}", *id))
///     .get("/users/:user/posts/:slug", |post: Path<Post>| format!("{} of {}", post.slug, post.user))
///     .get("/range/:from/:to", |Path((from, to)): Path<(u32, u32)>| (from..to).len().to_string());
/// ```
///
/// Numbers cost no allocation. A value that is not what was asked for is refused with 400, which names the parameter; that the pattern has not the
/// parameters is a mistake that is found when the application is built.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Path<T> {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Path<T>, Rejection> {
        T::deserialize(Parameters(request)).map(Path).map_err(refused)
    }

    fn needs(needs: &mut Needs) {
        match shape_of::<T>() {
            Shape::Count(count) => needs.parameter_count(count),
            Shape::Names(names) => names.into_iter().for_each(|name| needs.parameter(name)),
            Shape::Any => {}
        }
    }
}

/// What the client did not do wrong is a pattern without the parameters that its handler takes, in an application that was not built.
#[cold]
fn refused(fault: Fault) -> Rejection {
    if fault.is_missing {
        return fault.rejection(
            Status::INTERNAL_SERVER_ERROR,
            "the route has no such parameter",
            Place::Parameter,
        );
    }
    fault.rejection(Status::BAD_REQUEST, "the path is not as expected", Place::Parameter)
}

/// A request's parameters, as a source of values.
struct Parameters<'r>(&'r Request);

/// What of a parameter is decoded when it is wanted.
fn value(encoded: &str) -> Values<impl Iterator<Item = Result<Text<'_>, Fault>> + Clone> {
    Values(std::iter::once(encoded).map(Text::decoded))
}

impl<'r> Parameters<'r> {
    /// The only parameter.
    fn one(&self) -> Result<(&'r str, &'r str), Fault> {
        let mut parameters = self.0.params();
        match (parameters.next(), parameters.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(Fault::missing("the handler takes one parameter, and the route has another number")),
        }
    }
}

macro_rules! of_one {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let (name, encoded) = self.one()?;
            value(encoded).$method(visitor).map_err(|fault| fault.named(name))
        }
    )*};
}

impl<'de> Deserializer<'de> for Parameters<'_> {
    type Error = Fault;

    of_one! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_identifier deserialize_option
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Named::new(self.0.params().map(|(name, encoded)| (name, value(encoded)))))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(Each(self.0.params()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        if self.0.params().count() != length {
            return Err(Fault::missing(
                "the handler takes so many parameters, and the route has another number",
            ));
        }
        self.deserialize_seq(visitor)
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

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        of: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let (name, encoded) = self.one()?;
        value(encoded).deserialize_enum(of, variants, visitor).map_err(|fault| fault.named(name))
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

    serde_core::forward_to_deserialize_any! { map struct ignored_any }
}

/// Parameters one after the other.
struct Each<I>(I);

impl<'de, 'r, I: Iterator<Item = (&'r str, &'r str)>> SeqAccess<'de> for Each<I> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((name, encoded)) = self.0.next() else { return Ok(None) };
        seed.deserialize(value(encoded)).map(Some).map_err(|fault| fault.named(name))
    }
}

impl<T> Deref for Path<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Path<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
