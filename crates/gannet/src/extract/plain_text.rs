//! `Text`: a body of text.

use std::ops::{Deref, DerefMut};

use gannet_core::{FromRequest, IntoResponse, Needs, OptionalFromRequest, Rejection, Request, Response};

use super::media_type::{essence, parameter, unsupported};

/// A body of text: as an argument the request's, as what a handler returns the response's, as `String` is.
///
/// As an argument: a type that is not `text/...`, or a charset that is not UTF-8 (or its part ASCII), is refused with 415; a body without a type is
/// taken. More than 2 MiB, or than a filter says, is refused with 413, and what is no UTF-8 with 400. A `String` is the same of whatever type.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Text(pub String);

impl FromRequest for Text {
    async fn from_request(request: &mut Request) -> Result<Text, Rejection> {
        if let Some(kind) = essence(request)
            && !kind.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("text/"))
        {
            return Err(unsupported(request, "text/plain, or another text,"));
        }
        let value = request.field_str("Content-Type").unwrap_or_default();
        if let Some(charset) = parameter(value, "charset")
            && !["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
        {
            return Err(Rejection::unsupported("has a charset that is not utf-8"));
        }
        String::from_request(request).await.map(Text)
    }

    fn needs(needs: &mut Needs) {
        needs.body("Text");
    }
}

impl OptionalFromRequest for Text {
    fn is_there(request: &Request) -> bool {
        request.has_body()
    }
}

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl Deref for Text {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl DerefMut for Text {
    fn deref_mut(&mut self) -> &mut String {
        &mut self.0
    }
}
