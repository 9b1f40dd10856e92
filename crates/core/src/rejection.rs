//! Why a request is not taken, as its client is told: problem details (RFC 9457).

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use gannet_proto::Status;

use crate::{Body, BodyError, Fields, IntoResponse, Response};

/// Why a request is refused: a status, what is wrong in words, and where.
///
/// It is answered as `application/problem+json` (RFC 9457):
///
/// ```json
/// {"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"the body is not as expected",
///  "errors":[{"pointer":"#/age","detail":"expected a whole number, found \"ten\""}]}
/// ```
///
/// All extractors of the library reject by it, and a handler may, as the error of its `Result`.
///
/// ```
/// use gannet_core::{Place, Rejection, Status};
///
/// fn check(age: u8) -> Result<(), Rejection> {
///     if age < 18 {
///         return Err(Rejection::new(Status::UNPROCESSABLE_CONTENT, "this is for adults")
///             .with_error(Place::pointer("/age"), "must be 18 at least"));
///     }
///     Ok(())
/// }
/// assert_eq!(check(7).unwrap_err().errors()[0].detail, "must be 18 at least");
/// ```
///
/// An extractor of one's own that is to answer otherwise makes it of any response: `Rejection::from(response)`.
pub struct Rejection {
    // In a box: what succeeds is not to be as large as what fails.
    kind: Box<Kind>,
}

enum Kind {
    Problem(Problem),
    Response(Response),
}

struct Problem {
    status: Status,
    /// A URI and a title; without them the status says it all.
    named: Option<(Cow<'static, str>, Cow<'static, str>)>,
    detail: Cow<'static, str>,
    errors: Vec<RejectionError>,
}

/// One thing that is wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RejectionError {
    /// Where.
    pub place: Place,
    /// What.
    pub detail: Cow<'static, str>,
}

/// Where in a request something is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// In a body of JSON: a JSON Pointer (RFC 6901), as `/items/0/name`; the body itself is the empty one. It is told as a fragment, as in
    /// RFC 9457, 3: `#/items/0/name`.
    Pointer(Cow<'static, str>),
    /// A parameter of the path or of the query, by its name.
    Parameter(Cow<'static, str>),
    /// A field of the head, or of a form, by its name.
    Field(Cow<'static, str>),
}

/// The longest detail that is told; longer ones are cut. What is wrong may quote what a client sent, and that may be as large as a body.
pub const DETAIL_BYTES: usize = 1024;

/// Places that are told; what is wrong beyond them is left out.
pub const ERRORS_TOLD: usize = 64;

/// Kept nowhere: the next request may be in order.
const FIELDS: &str = "Content-Type: application/problem+json\r\nCache-Control: no-store\r\n";

impl Place {
    /// A place in a body of JSON, as a JSON Pointer.
    pub fn pointer(pointer: impl Into<Cow<'static, str>>) -> Place {
        Place::Pointer(pointer.into())
    }

    /// A parameter of the path or the query.
    pub fn parameter(name: impl Into<Cow<'static, str>>) -> Place {
        Place::Parameter(name.into())
    }

    /// A field of the head, or of a form.
    pub fn field(name: impl Into<Cow<'static, str>>) -> Place {
        Place::Field(name.into())
    }
}

impl Rejection {
    /// A rejection: its status, and what is wrong in a sentence for whoever wrote the client.
    pub fn new(status: Status, detail: impl Into<Cow<'static, str>>) -> Rejection {
        let problem = Problem { status, named: None, detail: detail.into(), errors: Vec::new() };
        Rejection { kind: Box::new(Kind::Problem(problem)) }
    }

    /// Says where something is wrong, too. The first 64 of them are told. A rejection that is a response stays what it is.
    #[must_use]
    pub fn with_error(mut self, place: Place, detail: impl Into<Cow<'static, str>>) -> Rejection {
        if let Kind::Problem(problem) = &mut *self.kind
            && problem.errors.len() < ERRORS_TOLD
        {
            problem.errors.push(RejectionError { place, detail: detail.into() });
        }
        self
    }

    /// Names the kind of problem: a URI, best one that leads to an explanation, and a title that is the same for all of the kind (RFC 9457,
    /// 3.1). Without it the kind is `about:blank`, and the title that of the status. A rejection that is a response stays what it is.
    #[must_use]
    pub fn with_type(
        mut self,
        uri: impl Into<Cow<'static, str>>,
        title: impl Into<Cow<'static, str>>,
    ) -> Rejection {
        if let Kind::Problem(problem) = &mut *self.kind {
            problem.named = Some((uri.into(), title.into()));
        }
        self
    }

    /// The status that is answered.
    pub fn status(&self) -> Status {
        match &*self.kind {
            Kind::Problem(problem) => problem.status,
            Kind::Response(response) => response.status(),
        }
    }

    /// What is wrong; empty for one that is a response.
    pub fn detail(&self) -> &str {
        match &*self.kind {
            Kind::Problem(problem) => &problem.detail,
            Kind::Response(_) => "",
        }
    }

    /// What is wrong where, as far as that is known.
    pub fn errors(&self) -> &[RejectionError] {
        match &*self.kind {
            Kind::Problem(problem) => &problem.errors,
            Kind::Response(_) => &[],
        }
    }

    /// The response, if it is one: an extractor of somebody else made it.
    pub fn as_response(&self) -> Option<&Response> {
        match &*self.kind {
            Kind::Problem(_) => None,
            Kind::Response(response) => Some(response),
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match *self.kind {
            Kind::Problem(problem) => Response::new(problem.status)
                .with_fields(Fields::with_prepared(Bytes::from_static(FIELDS.as_bytes())))
                .with_body(Body::Bytes(problem.to_json().into())),
            Kind::Response(response) => response,
        }
    }
}

impl From<Response> for Rejection {
    fn from(response: Response) -> Rejection {
        Rejection { kind: Box::new(Kind::Response(response)) }
    }
}

impl From<Status> for Rejection {
    fn from(status: Status) -> Rejection {
        Rejection::new(status, status.reason())
    }
}

/// A body that could not be read: who sent it is told why.
impl From<BodyError> for Rejection {
    fn from(error: BodyError) -> Rejection {
        let (status, detail) = match error {
            BodyError::TooLarge => (Status::CONTENT_TOO_LARGE, "the body is larger than is taken here"),
            BodyError::Incomplete => (Status::BAD_REQUEST, "the body was cut short"),
            BodyError::Malformed => (Status::BAD_REQUEST, "the body is not framed as it has to be"),
            BodyError::Aborted => {
                (Status::INTERNAL_SERVER_ERROR, "what reads the body on its way here gave up")
            }
        };
        Rejection::new(status, detail)
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Rejection");
        debug.field("status", &self.status().code());
        match &*self.kind {
            Kind::Problem(problem) => debug.field("detail", &problem.detail).field("errors", &problem.errors),
            Kind::Response(response) => debug.field("response", response),
        };
        debug.finish()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status().code())?;
        if !self.detail().is_empty() {
            write!(f, ": {}", self.detail())?;
        }
        for error in self.errors() {
            let (_, name) = error.place.told();
            write!(f, "; {name}: {}", error.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

impl Place {
    /// The member that it is told as, and how it begins.
    fn told(&self) -> (&'static str, &str) {
        match self {
            Place::Pointer(pointer) => ("pointer", pointer),
            Place::Parameter(name) => ("parameter", name),
            Place::Field(name) => ("field", name),
        }
    }
}

impl Problem {
    fn to_json(&self) -> String {
        let (uri, title) = match &self.named {
            Some((uri, title)) => (&**uri, &**title),
            None => ("about:blank", self.status.reason()),
        };
        let mut json = String::with_capacity(256);
        json.push_str("{\"type\":");
        push_text(&mut json, "", uri);
        json.push_str(",\"title\":");
        push_text(&mut json, "", title);
        json.push_str(",\"status\":");
        json.push_str(&self.status.code().to_string());
        json.push_str(",\"detail\":");
        push_text(&mut json, "", &self.detail);
        let mut separator = ",\"errors\":[";
        for error in &self.errors {
            let (member, name) = error.place.told();
            json.push_str(separator);
            json.push_str("{\"");
            json.push_str(member);
            json.push_str("\":");
            push_text(&mut json, if member == "pointer" { "#" } else { "" }, name);
            json.push_str(",\"detail\":");
            push_text(&mut json, "", &error.detail);
            json.push('}');
            separator = ",";
        }
        json.push_str(if self.errors.is_empty() { "}\n" } else { "]}\n" });
        json
    }
}

/// A string of JSON (RFC 8259, 7), cut where it would be too long.
fn push_text(json: &mut String, prefix: &str, text: &str) {
    json.push('"');
    json.push_str(prefix);
    let told = text.floor_char_boundary(DETAIL_BYTES);
    for character in text[..told].chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            character if character < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(character))),
            character => json.push(character),
        }
    }
    if told < text.len() {
        json.push('\u{2026}');
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(rejection: Rejection) -> String {
        let response = rejection.into_response();
        assert_eq!(response.fields().get("content-type"), Some(&b"application/problem+json"[..]));
        let Body::Bytes(bytes) = response.body() else { panic!("a problem has a body of bytes") };
        String::from_utf8(bytes.to_vec()).expect("JSON is UTF-8")
    }

    #[test]
    fn a_rejection_is_told_as_problem_details_rfc_9457() {
        let bare = Rejection::new(Status::BAD_REQUEST, "this is not JSON");
        assert_eq!(
            json(bare),
            "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"this is not JSON\"}\n"
        );
        let placed = Rejection::new(Status::UNPROCESSABLE_CONTENT, "not as expected")
            .with_type("https://example.com/problems/order", "The order cannot be taken")
            .with_error(Place::pointer("/items/0"), "is missing")
            .with_error(Place::parameter("id"), "is no number")
            .with_error(Place::field("If-Match"), "is no entity tag");
        assert_eq!(
            json(placed),
            "{\"type\":\"https://example.com/problems/order\",\"title\":\"The order cannot be taken\",\"status\":422,\
             \"detail\":\"not as expected\",\"errors\":[{\"pointer\":\"#/items/0\",\"detail\":\"is missing\"},\
             {\"parameter\":\"id\",\"detail\":\"is no number\"},\
             {\"field\":\"If-Match\",\"detail\":\"is no entity tag\"}]}\n"
        );
    }

    #[test]
    fn whatever_a_client_sent_stays_within_its_string() {
        let text = json(Rejection::new(Status::BAD_REQUEST, "\"}\\\u{0}\u{1f}\n\r\té"));
        assert!(text.ends_with("\"detail\":\"\\\"}\\\\\\u0000\\u001f\\n\\r\\té\"}\n"), "{text}");
    }

    #[test]
    fn a_detail_is_cut_between_two_characters_and_only_the_first_64_errors_are_told() {
        let long = "é".repeat(DETAIL_BYTES);
        let text = json(Rejection::new(Status::BAD_REQUEST, long));
        assert!(text.ends_with("é…\"}\n") && text.len() < DETAIL_BYTES + 100, "{} bytes", text.len());
        let many = (0..1000).fold(Rejection::from(Status::BAD_REQUEST), |rejection, _| {
            rejection.with_error(Place::parameter("a"), "is wrong")
        });
        assert_eq!(many.errors().len(), 64);
        assert_eq!(json(many).matches("is wrong").count(), 64);
    }

    #[test]
    fn a_rejection_of_any_response_is_that_response() {
        let response = Response::text("come in by the other door").with_status(Status::FORBIDDEN);
        let rejection = Rejection::from(response)
            .with_error(Place::parameter("id"), "is wrong")
            .with_type("about:me", "Me");
        assert_eq!((rejection.status(), rejection.detail()), (Status::FORBIDDEN, ""));
        assert!(rejection.errors().is_empty() && rejection.as_response().is_some());
        let Body::Bytes(text) = rejection.into_response().into_parts().2 else { panic!("text") };
        assert_eq!(text, "come in by the other door");
    }

    #[test]
    fn what_keeps_a_body_from_being_read_has_a_status_each() {
        for (error, status) in [
            (BodyError::TooLarge, 413),
            (BodyError::Incomplete, 400),
            (BodyError::Malformed, 400),
            (BodyError::Aborted, 500),
        ] {
            let rejection = Rejection::from(error);
            assert_eq!((rejection.status().code(), rejection.detail().is_empty()), (status, false));
            assert_eq!(error.into_response().status().code(), status);
        }
    }

    #[test]
    fn a_rejection_reads_as_a_line_in_a_log() {
        let rejection =
            Rejection::new(Status::BAD_REQUEST, "wrong").with_error(Place::pointer("/a"), "is missing");
        assert_eq!(rejection.to_string(), "400: wrong; /a: is missing");
    }
}
