//! Responses, and what can be made into one.

use bytes::Bytes;
use gannet_proto::Status;

use crate::{Body, Fields, InvalidField, Upgrade};

/// A response: a status, fields and a body. The server adds what frames it (`Content-Length` or chunks) and `Date`.
#[derive(Debug)]
pub struct Response {
    status: Status,
    fields: Fields,
    body: Body,
}

impl Response {
    /// A response without fields and body.
    pub fn new(status: Status) -> Response {
        Response { status, fields: Fields::new(), body: Body::Empty }
    }

    /// A `200 OK` of UTF-8 text.
    pub fn text(text: impl Into<Bytes>) -> Response {
        Response::typed(b"Content-Type: text/plain; charset=utf-8\r\n", Body::Bytes(text.into()))
    }

    /// A `200 OK` of bytes of no particular kind.
    pub fn bytes(bytes: impl Into<Bytes>) -> Response {
        Response::typed(b"Content-Type: application/octet-stream\r\n", Body::Bytes(bytes.into()))
    }

    /// `101 Switching Protocols` to `protocol` (RFC 9110, 7.8): `conversation` gets both halves of the connection. The client
    /// must have asked for it with `Upgrade`, else it is told `426 Upgrade Required` instead.
    pub fn upgrade<F>(protocol: &str, conversation: impl FnOnce(crate::Upgraded) -> F + 'static) -> Response
    where
        F: Future<Output = ()> + 'static,
    {
        let upgrade = Body::Upgrade(Upgrade::new(conversation));
        Response::new(Status::SWITCHING_PROTOCOLS).with("Upgrade", protocol).with_body(upgrade)
    }

    /// Exchanges the status.
    #[must_use]
    pub fn with_status(mut self, status: Status) -> Response {
        self.status = status;
        self
    }

    /// Adds a field. One that cannot be sent (see [`InvalidField`]) makes the response `500 Internal Server Error`, so that
    /// the mistake is seen where it was made; use [`fields_mut`](Response::fields_mut) for names or values from outside.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Response {
        match self.fields.append(name, value) {
            Ok(()) => self,
            Err(error) => Response::invalid(name, error),
        }
    }

    /// Exchanges the body.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Response {
        self.body = body;
        self
    }

    /// Exchanges the fields.
    #[must_use]
    pub fn with_fields(mut self, fields: Fields) -> Response {
        self.fields = fields;
        self
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The fields, to be changed.
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The response in its parts.
    pub fn into_parts(self) -> (Status, Fields, Body) {
        (self.status, self.fields, self.body)
    }

    fn typed(field: &'static [u8], body: Body) -> Response {
        Response { status: Status::OK, fields: Fields::with_prepared(Bytes::from_static(field)), body }
    }

    fn invalid(name: &str, error: InvalidField) -> Response {
        Response::text(format!("500: the response's field {name:?} cannot be sent: {error}\n"))
            .with_status(Status::INTERNAL_SERVER_ERROR)
    }
}

/// What can be made into a response.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made into a response",
    label = "this is not `IntoResponse`",
    note = "text, bytes, a `Status`, a `Response`, `Json`, `Html`, `Redirect`, ... can; `Result`s and `Option`s of these; and these behind parts of a head: `(Status, R)`, `(Status, [(name, value)], R)`",
    note = "a value is sent as JSON by `Json(value)`"
)]
pub trait IntoResponse {
    /// Makes it one.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl IntoResponse for Status {
    fn into_response(self) -> Response {
        Response::new(self)
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::new(Status::NO_CONTENT)
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Response {
        Response::bytes(self)
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        Response::bytes(self)
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

/// A body that could not be read: the client is told why, as by [`Rejection`](crate::Rejection).
impl IntoResponse for crate::BodyError {
    fn into_response(self) -> Response {
        crate::Rejection::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_cannot_be_sent_makes_the_response_a_500_that_names_it() {
        let response = Response::text("fine").with("x-a", "1\r\nx-b: 2");
        assert_eq!(response.status(), Status::INTERNAL_SERVER_ERROR);
        let Body::Bytes(text) = response.body() else { panic!("an explanation") };
        assert!(String::from_utf8_lossy(text).contains("x-a"));
    }

    #[test]
    fn a_result_is_whichever_response_it_holds() {
        let fine: Result<&str, Status> = Ok("fine");
        let gone: Result<&str, Status> = Err(Status::GONE);
        assert_eq!(
            (fine.into_response().status(), gone.into_response().status()),
            (Status::OK, Status::GONE)
        );
        assert_eq!((Status::CREATED, "made").into_response().status(), Status::CREATED);
    }
}
