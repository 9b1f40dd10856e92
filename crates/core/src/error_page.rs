//! What is answered where there is nothing else to answer: a status in words, for a browser as a page, for an API's client as a problem.

use bytes::Bytes;
use gannet_proto::Status;

use crate::accept::asks_for_json;
use crate::{Body, Fields, IntoResponse, PAGE_STYLE, Rejection, Request, Response, preferred_media_type};

/// A response that says its status, in the [form](ErrorForm) that the client prefers by its `Accept`.
pub fn error_page(status: Status, accept: Option<&[u8]>) -> Response {
    ErrorForm::preferred(accept).response(status)
}

/// In which form an error is told that nobody has said more of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorForm {
    /// A line: `404 Not Found`.
    Text,
    /// A page, for browsers. It has what the status means and what the visitor can do; no script, nothing from elsewhere, and nothing
    /// that the request said.
    Page,
    /// A problem (RFC 9457), as a [`Rejection`] is told.
    Problem,
}

/// Left with a request by a filter that has errors told as problems: a client that says nothing of what it likes better gets them, too.
#[derive(Clone, Copy, Debug)]
pub struct PrefersProblems;

impl ErrorForm {
    /// By a request's Accept field (RFC 9110, 12.5.1): who names JSON (`application/json`, any `+json`), and nothing that it likes better, gets a problem; browsers,
    /// which name HTML first, a page; who takes anything the line.
    pub fn preferred(accept: Option<&[u8]>) -> ErrorForm {
        if asks_for_json(accept) {
            return ErrorForm::Problem;
        }
        match preferred_media_type(accept, &["text/plain", "text/html"]) {
            Some(1) => ErrorForm::Page,
            _ => ErrorForm::Text,
        }
    }

    /// For a client of what tells problems: they are what it gets, unless it likes HTML or text better.
    pub fn preferred_to_problems(accept: Option<&[u8]>) -> ErrorForm {
        match preferred_media_type(accept, &["application/problem+json", "text/html", "text/plain"]) {
            Some(1) => ErrorForm::Page,
            Some(2) => ErrorForm::Text,
            _ => ErrorForm::Problem,
        }
    }

    /// A response that says its status. It is not to be stored: the next answer may be another, and an address that leads nowhere is not worth a cache's room.
    pub fn response(self, status: Status) -> Response {
        self.response_with(status, || error_meaning(status).to_owned())
    }

    /// The same, with more than the status for those who read problems.
    pub fn response_with(self, status: Status, detail: impl FnOnce() -> String) -> Response {
        let (fields, text) = match self {
            ErrorForm::Text => (TEXT_FIELDS, line(status) + "\n"),
            ErrorForm::Page => (PAGE_FIELDS, page(status)),
            ErrorForm::Problem => {
                return Rejection::new(status, detail()).into_response().with("Vary", "Accept");
            }
        };
        Response::new(status)
            .with_fields(Fields::with_prepared(Bytes::from_static(fields.as_bytes())))
            .with_body(Body::Bytes(text.into()))
    }
}

impl Request {
    /// The response to this request that says a status, in the form that its client prefers; a problem has `detail`.
    pub fn refusal(&self, status: Status, detail: impl FnOnce() -> String) -> Response {
        let accept = self.field("Accept");
        let form = match self.extension::<PrefersProblems>() {
            Some(_) => ErrorForm::preferred_to_problems(accept),
            None => ErrorForm::preferred(accept),
        };
        form.response_with(status, detail)
    }
}

/// What a status means, in a sentence (RFC 9110, 15; RFC 6585).
pub fn error_meaning(status: Status) -> &'static str {
    words(status).0
}

/// Whether a response says no more than its status: it has no body, or the server's own line or page.
pub fn is_bare_error(response: &Response) -> bool {
    let fields = response.fields().rendered();
    matches!(response.body(), Body::Empty)
        || [TEXT_FIELDS, PAGE_FIELDS].iter().any(|own| fields.starts_with(own.as_bytes()))
}

const TEXT_FIELDS: &str = "Content-Type: text/plain; charset=utf-8\r\n\
    Cache-Control: no-store\r\n\
    Vary: Accept\r\n";

/// The policy's hashes are those of the page's two style elements; a test holds them to it.
const PAGE_FIELDS: &str = "Content-Type: text/html; charset=utf-8\r\n\
    Cache-Control: no-store\r\n\
    Vary: Accept\r\n\
    Content-Security-Policy: default-src 'none'; \
    style-src 'sha256-o4/Fvj0V7HKhlB0urIzmCG3bfFSdTBs0H2uSap86jxY=' 'sha256-gTOlFaS+nIb9yCmF2rU0wmQuZQmfvCzIlgNi+Lx9JlE='; \
    base-uri 'none'; form-action 'none'\r\n";

const STYLE: &str = include_str!("error_page.css");

fn line(status: Status) -> String {
    let line = format!("{} {}", status.code(), status.reason());
    line.trim_end().to_owned()
}

fn page(status: Status) -> String {
    let (meaning, advice) = words(status);
    let (code, line) = (status.code(), line(status));
    let heading = if status.reason().is_empty() { "Error" } else { status.reason() };
    format!(
        "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
         <meta name=color-scheme content=\"light dark\">\n<title>{line}</title>\n\
         <style>{PAGE_STYLE}</style>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=code>{code}</p>\n<hr aria-hidden=true>\n<h1>{heading}</h1>\n<p>{meaning}</p>\n\
         <p class=advice>{advice}</p>\n</main>\n</body>\n</html>\n"
    )
}

const HOME: &str = "Check the address, or go to the <a href=\"/\">start page</a>.";
const AGAIN: &str = "Please <a href=\"\">try again</a> in a moment.";
const PROGRAM: &str = "This is for the program that sent the request to mend.";

/// What a status means, and what can be done about it (RFC 9110, 15; RFC 6585).
fn words(status: Status) -> (&'static str, &'static str) {
    match status.code() {
        400 => ("The server could not make sense of this request.", PROGRAM),
        401 => ("This page is for those who have signed in.", "Sign in, and try again."),
        403 => ("This is not for everyone to see.", "If it should be for you, ask whoever runs this site."),
        404 => ("There is nothing at this address: it may have moved, or never been.", HOME),
        405 => ("This address does not take that kind of request.", HOME),
        406 => ("There is nothing here in a form that was asked for.", PROGRAM),
        408 => ("The request took too long to arrive.", AGAIN),
        409 => {
            ("The request does not fit what is here now.", "Load the page again, and repeat what you did.")
        }
        410 => ("What was here is gone, and will not come back.", HOME),
        411 | 417 | 421 | 426 | 428 => ("The server cannot take the request in this form.", PROGRAM),
        412 => ("What is here has changed in the meantime.", "Load the page again, and repeat what you did."),
        413 => ("What was sent is larger than the server takes.", "Send something smaller."),
        414 | 431 => (
            "The request is longer than the server takes.",
            "Shorten the address, or clear this site's cookies.",
        ),
        415 => ("What was sent is of a kind that the server does not take.", "Send it in another format."),
        416 => ("The file has no such part: it may have become shorter.", "Start the download anew."),
        422 => (
            "What was sent was understood, but cannot be used.",
            "Check what you entered, and send it again.",
        ),
        429 => (
            "There were too many requests in a short time.",
            "Wait a little, then <a href=\"\">try again</a>.",
        ),
        451 => ("This may not be shown, for legal reasons.", "Whoever runs this site can say more."),
        code if code / 100 == 4 => ("The server will not answer this request.", HOME),
        501 => ("The server does not know this kind of request.", PROGRAM),
        502 => ("The server asked another for this page, and got no proper answer.", AGAIN),
        503 => ("The server cannot answer just now: it is busy, or being looked after.", AGAIN),
        504 => ("The server asked another for this page, and got no answer in time.", AGAIN),
        505 => ("The server does not speak this version of HTTP.", PROGRAM),
        code if code / 100 == 5 => ("Something went wrong on the server. It is not your fault.", AGAIN),
        _ => ("There is nothing more to say about this.", HOME),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::request::tests::request;

    const BROWSER: Option<&[u8]> = Some(b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

    fn text(response: &Response) -> &str {
        let Body::Bytes(bytes) = response.body() else { panic!("an error has a body of bytes") };
        std::str::from_utf8(bytes).unwrap()
    }

    fn field<'a>(response: &'a Response, name: &str) -> &'a str {
        std::str::from_utf8(response.fields().get(name).unwrap_or_default()).unwrap()
    }

    #[test]
    fn a_program_gets_a_line_and_a_browser_a_page() {
        for accept in [None, Some(&b"*/*"[..]), Some(b"image/png"), Some(b"text/html;q=0")] {
            let response = error_page(Status::NOT_FOUND, accept);
            assert_eq!((response.status(), text(&response)), (Status::NOT_FOUND, "404 Not Found\n"));
            assert_eq!(field(&response, "Content-Type"), "text/plain; charset=utf-8");
        }
        let response = error_page(Status::NOT_FOUND, BROWSER);
        assert!(text(&response).contains("<title>404 Not Found</title>"));
        assert_eq!(
            (response.status(), field(&response, "Content-Type")),
            (Status::NOT_FOUND, "text/html; charset=utf-8")
        );
    }

    #[test]
    fn who_asks_for_json_gets_a_problem() {
        for accept in ["application/json", "application/problem+json", "application/json, text/plain, */*"] {
            let response = error_page(Status::NOT_FOUND, Some(accept.as_bytes()));
            assert_eq!(field(&response, "Content-Type"), "application/problem+json");
            assert_eq!(
                text(&response),
                "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\
                 \"detail\":\"There is nothing at this address: it may have moved, or never been.\"}\n"
            );
        }
    }

    #[test]
    fn a_refusal_says_more_to_those_who_read_problems_and_an_application_may_prefer_them() {
        let mut request = request("GET", "/nowhere");
        let refusal = |request: &Request| request.refusal(Status::NOT_FOUND, || "what was asked".to_owned());
        assert_eq!(text(&refusal(&request)), "404 Not Found\n");
        request.extensions_mut().insert(PrefersProblems);
        assert!(text(&refusal(&request)).contains("what was asked"));
    }

    #[test]
    fn what_says_no_more_than_its_status_is_told_from_what_somebody_wrote() {
        for accept in [None, BROWSER] {
            assert!(is_bare_error(&error_page(Status::FORBIDDEN, accept).with("X-A", "1")));
        }
        assert!(is_bare_error(&Response::new(Status::NOT_FOUND)));
        assert!(!is_bare_error(&Response::text("no such bird").with_status(Status::NOT_FOUND)));
        assert!(!is_bare_error(&error_page(Status::NOT_FOUND, Some(b"application/json"))));
    }

    #[test]
    fn caches_keep_the_forms_apart_and_store_none() {
        for accept in [None, BROWSER, Some(&b"application/json"[..])] {
            let response = error_page(Status::NOT_FOUND, accept);
            assert_eq!((field(&response, "Vary"), field(&response, "Cache-Control")), ("Accept", "no-store"));
        }
    }

    #[test]
    fn every_status_has_a_bounded_page_that_says_what_to_do() {
        for code in (400..600).chain([100, 200, 304, 999]) {
            let status = Status::new(code).unwrap();
            let response = error_page(status, BROWSER);
            let page = text(&response);
            assert!(page.len() < 8 * 1024 && page.contains(&format!("<p class=code>{code}</p>")), "{code}");
            assert!(!page.contains("<h1></h1>") && !page.contains("<title></title>"), "{code}");
            let (meaning, advice) = words(status);
            assert!(meaning.ends_with('.') && advice.ends_with('.'), "{code}");
        }
        assert_eq!(text(&error_page(Status::new(499).unwrap(), None)), "499\n");
    }

    #[test]
    fn the_policy_admits_the_page_s_styles_and_nothing_else() {
        let response = error_page(Status::FORBIDDEN, BROWSER);
        let hashes = text(&response).split("<style>").skip(1).map(|rest| {
            let style = rest.split("</style>").next().unwrap();
            format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)))
        });
        let expected = format!(
            "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'",
            hashes.collect::<Vec<_>>().join(" ")
        );
        assert_eq!(field(&response, "Content-Security-Policy"), expected);
        assert!(!text(&response).contains("<script") && !text(&response).contains(" style="));
    }
}
