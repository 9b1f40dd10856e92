//! Error pages: bodies of one's own for errors, in the form that a client prefers.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{
    Body, Bytes, DETAIL_BYTES, Fields, Filter, IntoFilter, IntoResponse, PrefersProblems, Rejection, Request,
    Response, Status, around, error_meaning, is_bare_error, preferred_media_type,
};

use crate::accept::Accept;
use crate::request_id::RequestId;
use crate::vary::vary;

/// A filter that puts bodies of one's own in the place of those of errors (4xx and 5xx), whoever made them: handlers, extractors, the server itself (404,
/// 405), filters behind this one.
///
/// Which one is told by the status (of several that fit the one for the fewest statuses) and by what the client prefers of the forms that there are
/// (`Accept`, RFC 9110, 12.5.1; who asks for JSON takes a problem). Where it likes several as much it gets the first of these:
///
/// 1. what is there, where that says more than its status in a form of its own: a handler's page or form, JSON, a [problem](gannet_core::Rejection);
/// 2. a [problem](ErrorPages::problems);
/// 3. the other forms, in the order in which they were named;
/// 4. the text that is there.
///
/// So browsers get their page, but for a page that a handler made; programs get the details, or a problem. What a handler said in text (of 1 KiB at most) is the
/// problem's detail. Who takes none of them gets the problem, if there are problems, and else the error as it is.
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
    /// What is known of it beside the status. It is not shown in pages: it may quote what a client sent.
    detail: &'a str,
}

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain";
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

    /// Answers all errors that have no details of their own with a problem (RFC 9457), unless the client prefers HTML or text. Its `detail` says what the handler
    /// said in text; of 404 which path is not there, of 405 which methods are; else what the status means.
    #[must_use]
    pub fn problems(self) -> ErrorPages {
        self.form(400..=599, PROBLEM, |failure| {
            match Rejection::new(failure.status, failure.detail.to_owned()).into_response().into_parts().2 {
                Body::Bytes(problem) => problem,
                _ => Bytes::new(), // no problem is anything else
            }
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

    /// The forms that there are for a status: of each media type the one for the fewest statuses; problems, and then in the order in which types were first named.
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
        candidates.sort_by_key(|form| !form.is_problem());
        candidates
    }

    fn has_problems(&self) -> bool {
        self.forms.iter().any(Form::is_problem)
    }

    /// The form that an error is to be told in; none: as it is.
    fn choose<'f>(&self, candidates: &[&'f Form], response: &Response, accept: &Accept) -> Option<&'f Form> {
        let own = own_type(response);
        let says_more = own != Some(TEXT) && !is_bare_error(response);
        let forms = candidates.iter().map(|form| (media_type(&form.content_type), Some(*form)));
        let own = own.map(|own| (own, None)).into_iter();
        let (before, behind) = if says_more { (Some(own), None) } else { (None, Some(own)) };
        let offers: Vec<_> =
            before.into_iter().flatten().chain(forms).chain(behind.into_iter().flatten()).collect();
        let types: Vec<&str> = offers.iter().map(|(media_type, _)| *media_type).collect();
        match preferred_media_type(accept.value(), &types) {
            Some(place) => offers[place].1,
            None => candidates.iter().copied().find(|form| form.is_problem() && !says_more),
        }
    }

    #[cold]
    fn replace(&self, mut response: Response, asked: &Asked) -> Response {
        let status = response.status();
        let candidates = self.candidates(status.code());
        if candidates.is_empty() {
            return response;
        }
        let chosen = self.choose(&candidates, &response, &asked.accept);
        vary(response.fields_mut(), "Accept");
        let Some(form) = chosen else { return response };
        let request_id = asked.request_id.as_ref().map(RequestId::as_str);
        let detail = detail(&response);
        let bytes = (form.make)(&Failure { status, request_id, detail: &detail });
        let (_, mut fields, _) = response.into_parts();
        OF_THE_BODY.iter().for_each(|name| _ = fields.remove(name));
        fields.append("Content-Type", &*form.content_type).expect("it was tried when it was named");
        Response::new(status).with_fields(fields).with_body(Body::Bytes(bytes))
    }
}

impl Form {
    fn is_problem(&self) -> bool {
        *self.content_type == *PROBLEM
    }
}

/// What of a request is to be known where it fails.
struct Asked {
    accept: Accept,
    request_id: Option<RequestId>,
}

impl IntoFilter<ErrorPages> for ErrorPages {
    fn into_filter(self) -> Rc<dyn Filter> {
        let problems = self.has_problems().then(|| Rc::new(PrefersProblems));
        let before = move |request: &mut Request| {
            // What no route answers the server refuses, and knows best why.
            if let Some(problems) = problems.as_ref().filter(|_| request.route().is_none()) {
                request.extensions_mut().insert_shared(problems.clone());
            }
            let accept = Accept::of(request.field("Accept"));
            Ok(Asked { accept, request_id: RequestId::of(request).copied() })
        };
        around(before, move |asked: Asked, response: Response| match response.status().code() {
            400..=599 => self.replace(response, &asked),
            _ => response,
        })
    }
}

/// The media type of what an error says, if it says anything.
fn own_type(response: &Response) -> Option<&str> {
    if matches!(response.body(), Body::Empty) {
        return None;
    }
    let said = response.fields().get("Content-Type").and_then(|value| std::str::from_utf8(value).ok())?;
    Some(media_type(said))
}

/// What is known of an error: what a handler says in text, else what its status means.
fn detail(response: &Response) -> Cow<'static, str> {
    if let Body::Bytes(text) = response.body()
        && own_type(response) == Some(TEXT)
        && !is_bare_error(response)
        && text.len() <= DETAIL_BYTES
        && let Ok(text) = std::str::from_utf8(text)
    {
        return text.trim().to_owned().into();
    }
    error_meaning(response.status()).into()
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
