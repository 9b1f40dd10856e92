//! `Redirect`: another place to go to.

use std::borrow::Cow;
use std::fmt::Write;

use gannet_core::{IntoResponse, Response, Status};

/// Leads the client to another place (RFC 9110, 15.4): a URI, or a path and query of the same host.
///
/// | | status | what the client does |
/// |---|---|---|
/// | [`to`](Redirect::to), [`see_other`](Redirect::see_other) | 303 | GETs the other place: after a form was sent |
/// | [`temporary`](Redirect::temporary) | 307 | asks there the same way, this time |
/// | [`permanent`](Redirect::permanent) | 308 | asks there the same way, from now on |
///
/// What a URI cannot have (blanks, letters that are not ASCII) is percent-encoded. A place that a client named should be one of yours: who follows a
/// link to your site does not expect to end elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    status: Status,
    location: Cow<'static, str>,
}

impl Redirect {
    /// To a place that is fetched by GET, whatever was asked: 303.
    pub fn to(location: impl Into<Cow<'static, str>>) -> Redirect {
        Redirect::with_status(Status::SEE_OTHER, location)
    }

    /// The same by the status's name.
    pub fn see_other(location: impl Into<Cow<'static, str>>) -> Redirect {
        Redirect::to(location)
    }

    /// To a place that is asked the same way, this time: 307.
    pub fn temporary(location: impl Into<Cow<'static, str>>) -> Redirect {
        Redirect::with_status(Status::TEMPORARY_REDIRECT, location)
    }

    /// To a place that is asked the same way, from now on, and browsers remember it: 308.
    pub fn permanent(location: impl Into<Cow<'static, str>>) -> Redirect {
        Redirect::with_status(Status::PERMANENT_REDIRECT, location)
    }

    /// With another status of the 300s: 301 and 302 are read in different ways by different clients.
    pub fn with_status(status: Status, location: impl Into<Cow<'static, str>>) -> Redirect {
        Redirect { status, location: location.into() }
    }
}

/// What may be sent as a URI.
fn encoded(location: &str) -> Cow<'_, str> {
    let stays = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    if location.bytes().all(stays) {
        return location.into();
    }
    let mut text = String::with_capacity(location.len() + 16);
    for byte in location.bytes() {
        if stays(byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}"); // a `String` takes all
        }
    }
    text.into()
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        Response::new(self.status).with("Location", encoded(&self.location).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_has_its_status_and_a_location_that_can_be_sent() {
        for (redirect, status, location) in [
            (Redirect::to("/a?b=c#d"), 303, "/a?b=c#d"),
            (Redirect::see_other("https://b.example/"), 303, "https://b.example/"),
            (Redirect::temporary("/caf\u{e9} x"), 307, "/caf%C3%A9%20x"),
            (Redirect::permanent("/%20"), 308, "/%20"),
            (Redirect::with_status(Status::FOUND, "/a\r\nX: y"), 302, "/a%0D%0AX:%20y"),
        ] {
            let response = redirect.into_response();
            assert_eq!(response.status().code(), status);
            assert_eq!(response.fields().get("location"), Some(location.as_bytes()));
        }
    }
}
