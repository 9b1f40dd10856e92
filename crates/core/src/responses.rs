//! What can be made into a response, of types that are not ours: and a head's parts before it.

use std::borrow::Cow;
use std::convert::Infallible;

use bytes::Bytes;
use gannet_proto::Status;

use crate::{Body, Fields, IntoResponse, ReceivedBody, Response};

/// A part of a response's head. In a tuple it is written before what the rest of the response is made of, and changes that:
/// `(Status::CREATED, [("Location", "/users/7")], "made")`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no part of a response's head",
    label = "this is not `ResponsePart`",
    note = "in a tuple all but the last are parts of the head: a `Status`, `[(name, value); N]`, `Fields`, a `SetCookie`; the last is what the rest is made of"
)]
pub trait ResponsePart {
    /// Changes the response.
    fn change(self, response: Response) -> Response;
}

impl ResponsePart for Status {
    fn change(self, response: Response) -> Response {
        response.with_status(self)
    }
}

/// Each is put in the place of those of its name. One that cannot be sent makes the response a 500 that names it.
impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> ResponsePart for [(N, V); COUNT] {
    fn change(self, response: Response) -> Response {
        self.into_iter().fold(response, |mut response, (name, value)| {
            response.fields_mut().remove(name.as_ref());
            response.with(name.as_ref(), value)
        })
    }
}

/// Each is put in the place of those of its name; of several of one name all are sent.
impl ResponsePart for Fields {
    fn change(self, mut response: Response) -> Response {
        for (name, _) in self.iter() {
            response.fields_mut().remove(name);
        }
        self.iter().fold(response, |response, (name, value)| response.with(name, value))
    }
}

impl<P: ResponsePart> ResponsePart for Option<P> {
    fn change(self, response: Response) -> Response {
        match self {
            Some(part) => part.change(response),
            None => response,
        }
    }
}

macro_rules! tuples {
    ($(($($part:ident)+))+) => {$(
        impl<$($part: ResponsePart,)+ R: IntoResponse> IntoResponse for ($($part,)+ R) {
            #[allow(non_snake_case, reason = "parts are called as their types are")]
            fn into_response(self) -> Response {
                let ($($part,)+ rest) = self;
                let response = rest.into_response();
                $(let response = $part.change(response);)+
                response
            }
        }
    )+};
}

tuples! {
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
}

/// What is not there is not found: 404.
impl<R: IntoResponse> IntoResponse for Option<R> {
    fn into_response(self) -> Response {
        match self {
            Some(value) => value.into_response(),
            None => crate::Rejection::new(Status::NOT_FOUND, "there is nothing here").into_response(),
        }
    }
}

impl IntoResponse for Cow<'static, str> {
    fn into_response(self) -> Response {
        match self {
            Cow::Borrowed(text) => text.into_response(),
            Cow::Owned(text) => text.into_response(),
        }
    }
}

impl IntoResponse for Box<str> {
    fn into_response(self) -> Response {
        String::from(self).into_response()
    }
}

impl IntoResponse for char {
    fn into_response(self) -> Response {
        self.to_string().into_response()
    }
}

impl IntoResponse for &'static [u8] {
    fn into_response(self) -> Response {
        Response::bytes(self)
    }
}

impl<const COUNT: usize> IntoResponse for &'static [u8; COUNT] {
    fn into_response(self) -> Response {
        Response::bytes(&self[..])
    }
}

impl<const COUNT: usize> IntoResponse for [u8; COUNT] {
    fn into_response(self) -> Response {
        Response::bytes(Bytes::copy_from_slice(&self))
    }
}

/// A body of no particular kind: `(fields, body)` says what it is.
impl IntoResponse for Body {
    fn into_response(self) -> Response {
        Response::new(Status::OK).with_body(self)
    }
}

/// What was received, sent back.
impl IntoResponse for ReceivedBody {
    fn into_response(self) -> Response {
        Body::Received(self, None).into_response()
    }
}

impl IntoResponse for Fields {
    fn into_response(self) -> Response {
        Response::new(Status::OK).with_fields(self)
    }
}

impl IntoResponse for Infallible {
    fn into_response(self) -> Response {
        match self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(response: &Response, name: &str) -> Option<String> {
        response.fields().get(name).map(|value| value.escape_ascii().to_string())
    }

    fn text(response: &Response) -> &[u8] {
        match response.body() {
            Body::Bytes(bytes) => bytes,
            _ => b"",
        }
    }

    #[test]
    fn what_is_before_the_last_of_a_tuple_changes_the_head() {
        let response =
            (Status::CREATED, [("Location", "/7"), ("Content-Type", "text/css")], "a {}").into_response();
        assert_eq!((response.status(), text(&response)), (Status::CREATED, &b"a {}"[..]));
        assert_eq!(field(&response, "location").as_deref(), Some("/7"));
        assert_eq!(response.fields().iter().filter(|(name, _)| *name == "Content-Type").count(), 1);
        assert_eq!(field(&response, "content-type").as_deref(), Some("text/css"));
        let mut fields = Fields::new();
        fields.append("Link", "</a>").unwrap();
        fields.append("Link", "</b>").unwrap();
        let response = (fields, None::<Status>, Some([("X-A", String::from("1"))]), "b").into_response();
        assert_eq!(response.fields().iter().filter(|(name, _)| *name == "Link").count(), 2);
        assert_eq!((response.status(), field(&response, "x-a").as_deref()), (Status::OK, Some("1")));
    }

    #[test]
    fn a_field_that_cannot_be_sent_is_told_as_such() {
        assert_eq!(([("X-A", "a\nb")], "text").into_response().status(), Status::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn nothing_is_not_found() {
        assert_eq!(None::<&str>.into_response().status(), Status::NOT_FOUND);
        assert_eq!(text(&Some("there").into_response()), b"there");
    }

    #[test]
    fn texts_and_bytes_say_what_they_are() {
        for response in [
            "é".into_response(),
            Cow::Borrowed("é").into_response(),
            'é'.into_response(),
            Box::<str>::from("é").into_response(),
        ] {
            assert_eq!(text(&response), "é".as_bytes());
            assert_eq!(field(&response, "content-type").as_deref(), Some("text/plain; charset=utf-8"));
        }
        for response in [b"ab".into_response(), [97, 98].into_response(), (&b"ab"[..]).into_response()] {
            assert_eq!(text(&response), b"ab");
            assert_eq!(field(&response, "content-type").as_deref(), Some("application/octet-stream"));
        }
    }
}
