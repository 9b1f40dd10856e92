//! Error pages: bodies of one's own for errors, in the form that a client prefers.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{
    Body, Bytes, Fields, Filter, IntoFilter, Request, Response, Status, around, preferred_media_type,
};

use crate::accept::Accept;
use crate::request_id::RequestId;
use crate::vary::vary;

/// A filter that puts bodies of one's own in the place of those of errors (4xx and 5xx), whoever made them: handlers, extractors, the server itself (404,
/// 405), filters behind this one.
///
/// Which one is told by the status (of several that fit the one for the fewest statuses) and by what the client prefers of the forms that there are
/// (`Accept`, RFC 9110, 12.5.1): browsers name HTML first, programs get the form that was named first here. Where there is no form that it takes, the error stays as
/// it is. So does one in a form that none of these is, such as JSON with details, where the client likes that as much: browsers get their page, programs
/// their details.
///
/// Status and fields stay, but for those that told of the old body: `Content-Type`, `Content-Encoding`, `Content-Language`, `Content-Disposition`,
/// `Content-Security-Policy`, `ETag`, `Last-Modified`.
///
/// ```
/// # use gannet_features::error_pages::ErrorPages;
/// ErrorPages::new()
///     .page(404..=404, "<!DOCTYPE html><title>Not here</title><p>Not here.")
///     .page_by(400..=599, |error| {
///         let id = error.request_id.unwrap_or("none");
///         format!("<!DOCTYPE html><title>{0}</title><h1>{0}</h1><p>Number: {id}", error.status.code())
///     })
///     .problems();
/// ```
#[derive(Clone, Default)]
pub struct ErrorPages {
    forms: Vec<Form>,
}

/// What is answered to some statuses, in one form.
#[derive(Clone)]
struct Form {
    statuses: RangeInclusive<u16>,
    content_type: Arc<str>,
    make: Arc<Make>,
}

type Make = dyn Fn(&Failure<'_>) -> Bytes + Send + Sync;

/// An error that is to be told.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// Its status.
    pub status: Status,
    /// The request's id, where a [`RequestIds`](crate::request_id::RequestIds) is before this: what a visitor can name to whoever reads the log. It is
    /// text that can stand in HTML as it is.
    pub request_id: Option<&'a str>,
}

const HTML: &str = "text/html; charset=utf-8";
const PROBLEM: &str = "application/problem+json";

/// Those that are told of the body that is replaced.
const OF_THE_BODY: [&str; 7] = [
    "Content-Type",
    "Content-Encoding",
    "Content-Language",
    "Content-Disposition",
    "Content-Security-Policy",
    "ETag",
    "Last-Modified",
];

impl ErrorPages {
    /// Errors stay as they are.
    pub fn new() -> ErrorPages {
        ErrorPages::default()
    }

    /// Answers these statuses with a page of HTML.
    #[must_use]
    pub fn page(self, statuses: RangeInclusive<u16>, html: impl Into<Bytes>) -> ErrorPages {
        let html = html.into();
        self.form(statuses, HTML, move |_| html.clone())
    }

    /// The same with what `make` makes for each.
    #[must_use]
    pub fn page_by(
        self,
        statuses: RangeInclusive<u16>,
        make: impl Fn(&Failure<'_>) -> String + Send + Sync + 'static,
    ) -> ErrorPages {
        self.form(statuses, HTML, move |failure| make(failure).into())
    }

    /// Answers all errors that say no more than their status with a problem (RFC 9457), where that is preferred.
    #[must_use]
    pub fn problems(self) -> ErrorPages {
        self.form(400..=599, PROBLEM, |failure| {
            let (code, title) = (failure.status.code(), failure.status.reason());
            let id = failure.request_id.map(|id| format!(",\"instance\":\"urn:request:{id}\""));
            let id = id.unwrap_or_default();
            format!("{{\"type\":\"about:blank\",\"title\":\"{title}\",\"status\":{code}{id}}}\n").into()
        })
    }

    /// Answers these statuses in any form: its media type, and what `make` makes for each.
    ///
    /// # Panics
    /// When the type cannot be sent.
    #[must_use]
    #[track_caller]
    pub fn form(
        mut self,
        statuses: RangeInclusive<u16>,
        content_type: &str,
        make: impl Fn(&Failure<'_>) -> Bytes + Send + Sync + 'static,
    ) -> ErrorPages {
        if let Err(error) = Fields::new().append("Content-Type", content_type) {
            panic!("{content_type:?} is no media type: {error}");
        }
        self.forms.push(Form { statuses, content_type: content_type.into(), make: Arc::new(make) });
        self
    }

    /// The forms that there are for a status: of each media type the one for the fewest statuses, in the order in which types were first named.
    fn candidates(&self, status: u16) -> Vec<&Form> {
        let mut candidates: Vec<&Form> = Vec::new();
        for form in self.forms.iter().filter(|form| form.statuses.contains(&status)) {
            match candidates.iter_mut().find(|other| other.content_type == form.content_type) {
                Some(other) if form.statuses.clone().count() < other.statuses.clone().count() => {
                    *other = form;
                }
                Some(_) => {}
                None => candidates.push(form),
            }
        }
        candidates
    }

    #[cold]
    fn replace(&self, response: Response, asked: &Asked) -> Response {
        let candidates = self.candidates(response.status().code());
        let detailed = detailed_type(&response).map(str::to_owned);
        let mut offers: Vec<&str> = detailed.as_deref().into_iter().collect();
        offers.extend(candidates.iter().map(|form| media_type(&form.content_type)));
        let preferred = preferred_media_type(asked.accept.value(), &offers);
        // The error's own form is the first of the offers, if it counts.
        let chosen = preferred.and_then(|place| place.checked_sub(usize::from(detailed.is_some())));
        let (status, mut fields, body) = response.into_parts();
        if offers.len() > 1 {
            vary(&mut fields, "Accept");
        }
        let Some(form) = chosen.map(|place| candidates[place]) else {
            return Response::new(status).with_fields(fields).with_body(body);
        };
        OF_THE_BODY.iter().for_each(|name| _ = fields.remove(name));
        fields.append("Content-Type", &*form.content_type).expect("it was tried when it was named");
        let request_id = asked.request_id.as_ref().map(RequestId::as_str);
        let bytes = (form.make)(&Failure { status, request_id });
        Response::new(status).with_fields(fields).with_body(Body::Bytes(bytes))
    }
}

/// What of a request is to be known where it fails.
struct Asked {
    accept: Accept,
    request_id: Option<RequestId>,
}

impl IntoFilter<ErrorPages> for ErrorPages {
    fn into_filter(self) -> Rc<dyn Filter> {
        let before = |request: &mut Request| {
            let accept = Accept::of(request.field("Accept"));
            Ok(Asked { accept, request_id: RequestId::of(request).copied() })
        };
        around(before, move |asked: Asked, response: Response| match response.status().code() {
            400..=599 => self.replace(response, &asked),
            _ => response,
        })
    }
}

/// The media type of an error that may say more than its status: one in another form than text and HTML, in which the server says what has no other words.
fn detailed_type(response: &Response) -> Option<&str> {
    if matches!(response.body(), Body::Empty) {
        return None;
    }
    let said = response.fields().get("Content-Type").and_then(|value| std::str::from_utf8(value).ok())?;
    let media_type = media_type(said);
    let is_bare = ["text/plain", "text/html"].iter().any(|bare| media_type.eq_ignore_ascii_case(bare));
    (!is_bare).then_some(media_type)
}

/// A media type without its parameters.
fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

impl fmt::Debug for ErrorPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.forms.iter().map(|form| (&form.statuses, &form.content_type))).finish()
    }
}
