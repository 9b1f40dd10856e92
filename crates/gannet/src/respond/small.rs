//! `Html`, `NoContent`, `Created`: responses that say one thing.

use std::borrow::Cow;

use gannet_core::{Bytes, Fields, IntoResponse, Response, ResponsePart, Status};

use super::Redirect;

/// A page: text of HTML, in UTF-8.
///
/// What comes from elsewhere has to be escaped before it is put in there: templates do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Html<T>(pub T);

impl<T: IntoResponse> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        let (status, mut fields, body) = self.0.into_response().into_parts();
        let is_bare = fields.iter().all(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if is_bare {
            fields = Fields::with_prepared(Bytes::from_static(b"Content-Type: text/html; charset=utf-8\r\n"));
        } else {
            fields.remove("Content-Type");
            fields.append("Content-Type", "text/html; charset=utf-8").expect("a field as any other");
        }
        Response::new(status).with_fields(fields).with_body(body)
    }
}

/// Done, and nothing to say of it: 204.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        Response::new(Status::NO_CONTENT)
    }
}

/// Something was made: 201, with where it is and what it is. `Created::at("/users/7", Json(user))`.
#[derive(Clone, Debug)]
pub struct Created<R> {
    location: Cow<'static, str>,
    rest: R,
}

impl<R> Created<R> {
    /// At this place, and told by `rest`, which may be `()`.
    pub fn at(location: impl Into<Cow<'static, str>>, rest: R) -> Created<R> {
        Created { location: location.into(), rest }
    }
}

impl<R: IntoResponse> IntoResponse for Created<R> {
    fn into_response(self) -> Response {
        let to = Redirect::with_status(Status::CREATED, self.location).into_response();
        let (status, fields, _) = to.into_parts();
        status.change(fields.change(self.rest.into_response()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_it_is() {
        let page = Html((Status::GONE, "<p>")).into_response();
        assert_eq!(page.status(), Status::GONE);
        assert_eq!(page.fields().get("content-type"), Some(&b"text/html; charset=utf-8"[..]));
        let page = Html(([("X-A", "1")], "<p>")).into_response();
        assert_eq!(page.fields().iter().count(), 2);
        assert_eq!(NoContent.into_response().status(), Status::NO_CONTENT);
        let made = Created::at("/users/7 a", "made").into_response();
        assert_eq!(
            (made.status(), made.fields().get("location")),
            (Status::CREATED, Some(&b"/users/7%20a"[..]))
        );
        assert_eq!(made.fields().get("content-type"), Some(&b"text/plain; charset=utf-8"[..]));
    }
}
