//! `Form`: what a page's form says.

use std::ops::{Deref, DerefMut};

use gannet_core::{FromRequest, Method, Needs, OptionalFromRequest, Place, Rejection, Request, Status};
use serde_core::de::DeserializeOwned;

use super::media_type::{essence, unsupported};
use super::pairs::{self, FORM_FIELDS, Unread};
use super::query;

/// What a form of a page says, as a `T`: read as a [`Query`](super::Query) is, of a GET or HEAD from there, of others from a body of the type
/// `application/x-www-form-urlencoded` (HTML, 4.10.21).
///
/// ```
/// # use gannet::prelude::*;
/// #[derive(serde::Deserialize)]
/// struct Login {
///     name: String,
///     #[serde(default)]
///     remember: bool,
/// }
///
/// App::new().post("/login", async |login: Form<Login>| format!("hello {}", login.name));
/// ```
///
/// A checkbox is a `bool` with a `#[serde(default)]`: it is `on`, or not there. Another type of body is refused with 415, one of more than 2 MiB (or
/// what a filter says) or 1024 fields with 413, one that is no form with 400, and one that is not what was asked for with 422; those name the field.
/// For forms with files there is [`Multipart`](super::Multipart).
#[derive(Clone, Copy, Debug)]
pub struct Form<T>(pub T);

const TYPE: &str = "application/x-www-form-urlencoded";

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    async fn from_request(request: &mut Request) -> Result<Form<T>, Rejection> {
        if matches!(request.method(), Method::Get | Method::Head) {
            return pairs::read(request.query().unwrap_or_default()).map(Form).map_err(query::refused);
        }
        if !essence(request).is_some_and(|essence| essence.eq_ignore_ascii_case(TYPE)) {
            return Err(unsupported(request, TYPE));
        }
        let body = request.whole_body().await?;
        let text = std::str::from_utf8(&body).map_err(|error| {
            let at = error.valid_up_to() + 1;
            Rejection::new(Status::BAD_REQUEST, format!("the form is not UTF-8 from byte {at} on"))
        })?;
        pairs::read(text).map(Form).map_err(refused)
    }

    fn needs(needs: &mut Needs) {
        needs.body("Form");
    }
}

/// None where there is no body, and of a GET where there is no query.
impl<T: DeserializeOwned + 'static> OptionalFromRequest for Form<T> {
    fn is_there(request: &Request) -> bool {
        match request.method() {
            Method::Get | Method::Head => request.query().is_some(),
            _ => request.has_body(),
        }
    }
}

#[cold]
fn refused(unread: Unread) -> Rejection {
    match unread {
        Unread::TooMany => {
            Rejection::new(Status::CONTENT_TOO_LARGE, format!("the form has more than {FORM_FIELDS} fields"))
        }
        Unread::Fault(fault) => {
            fault.rejection(Status::UNPROCESSABLE_CONTENT, "the form is not as expected", Place::Field)
        }
    }
}

impl<T> Deref for Form<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Form<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
