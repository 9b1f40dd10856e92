//! What goes wrong, and the page on which visitors read of it.

use gannet::CpuError;
use gannet::filters::{InvalidPasswordHash, Nonce};
use gannet::prelude::*;
use gannet::templates::{TemplateError, Templates};
use serde::Serialize;

/// Why there is not the page that was hoped for.
#[derive(Debug)]
pub enum Error {
    /// There is no such thing, or there is none any more.
    NotFound,
    /// It is somebody else's.
    NotYours,
    /// The database does not do what it should.
    Database(sqlx::Error),
    /// A page cannot be made of its template.
    Template(TemplateError),
    /// A password could not be looked at: so many wait for that already.
    Computation(CpuError),
    /// A password's hash could not be made.
    Hash(InvalidPasswordHash),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        Error::Database(error)
    }
}

impl From<TemplateError> for Error {
    fn from(error: TemplateError) -> Error {
        Error::Template(error)
    }
}

impl From<CpuError> for Error {
    fn from(error: CpuError) -> Error {
        Error::Computation(error)
    }
}

impl From<InvalidPasswordHash> for Error {
    fn from(error: InvalidPasswordHash) -> Error {
        Error::Hash(error)
    }
}

/// Without words: the filter below finds them.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match self {
            Error::NotFound => Status::NOT_FOUND,
            Error::NotYours => Status::FORBIDDEN,
            // What exactly it is, is for the log.
            Error::Database(error) => {
                tracing::error!(%error, "the database does not do what it should");
                Status::INTERNAL_SERVER_ERROR
            }
            Error::Hash(error) => {
                tracing::error!(%error, "a password's hash cannot be made");
                Status::INTERNAL_SERVER_ERROR
            }
            Error::Template(error) => return error.into_response(),
            Error::Computation(error) => return error.into_response(),
        };
        status.into_response()
    }
}

#[derive(Serialize)]
struct ErrorPage {
    status: u16,
    reason: &'static str,
    detail: &'static str,
    nonce: String,
}

/// A filter: what says in no page of its own that something went wrong gets one, whoever said it.
pub async fn error_pages(request: Request, next: Next) -> Response {
    let templates = request.state::<Templates>().cloned();
    let nonce = request.extension::<Nonce>().map(ToString::to_string).unwrap_or_default();
    let response = next.run(request).await;
    let is_page = response.fields().get("Content-Type").is_some_and(|kind| kind.starts_with(b"text/html"));
    let status = response.status();
    let Some(templates) = templates.filter(|_| status.code() >= 400 && !is_page) else { return response };
    let page = ErrorPage { status: status.code(), reason: status.reason(), detail: detail(status), nonce };
    let Ok(page) = templates.render("error.html", page) else { return response };
    // All that the response said beside its content stays: `Allow`, `Retry-After`.
    let (_, mut fields, _) = response.into_parts();
    fields.remove("Content-Type");
    (status, fields, page).into_response()
}

fn detail(status: Status) -> &'static str {
    match status {
        Status::FORBIDDEN => "This is not yours to change, or it was not asked for on a page of this site.",
        Status::NOT_FOUND => "There is nothing here. Perhaps there was once.",
        Status::CONTENT_TOO_LARGE => "That is more than is taken here.",
        Status::TOO_MANY_REQUESTS => "That was too often: wait a minute.",
        Status::SERVICE_UNAVAILABLE => "Too many are here at once: try again in a moment.",
        _ if status.code() >= 500 => "Something is broken. It is not your fault, and it is in the log.",
        _ => "This cannot be understood.",
    }
}
