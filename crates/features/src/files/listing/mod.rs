//! A directory's entries as a page or as JSON.
//!
//! 1. the query says which order and which page (`query`);
//! 2. the entries are counted, ordered, and those of the page taken (`selection`);
//! 3. they are written, as the Accept field asks, as HTML (`html`, `escape`, `units`) or as JSON (`json`).
//!
//! Pure: entries in, bytes out. Whoever reads the directory says what may be seen of it; a name that begins with a dot is
//! left out here all the same. Nothing that a name holds can run: every byte of it is escaped, and the page's policy
//! admits no script and no style but the two it comes with, by their hashes.

mod escape;
mod html;
mod json;
mod query;
mod selection;
mod units;

use gannet_core::{Body, Bytes, Entry, Response, Status, preferred_media_type};

use query::Query;
use selection::Selection;

/// Entries on one page. A browser lays a thousand rows out in a moment, and a page stays below some hundred KiB; those
/// beyond are on the pages that follow.
pub const ENTRIES_PER_PAGE: usize = 1000;

/// What the page may do: nothing but apply its own styles and run its own script (Content Security Policy Level 3). The
/// hashes are those of the page's two style elements and of its script; a test holds them to it.
const POLICY: &str = "default-src 'none'; \
    style-src 'sha256-o4/Fvj0V7HKhlB0urIzmCG3bfFSdTBs0H2uSap86jxY=' 'sha256-WI4AvYJighyGV7LOhJIetDdogFtKGn3eVypUK6SERYA='; \
    script-src 'sha256-1UCbslgNqs7U6WSCI8Ugd/3+NXGk7LZ/MLMPkJqZl04='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// What is listed.
#[derive(Clone, Copy, Debug)]
pub struct Directory<'a> {
    /// The path as it was asked for: percent-encoded, beginning and ending with a slash. Links are relative to it.
    pub path: &'a str,
    /// The end of the path that lies below the root of what is served (`Request::tail`); empty for the root itself. No link
    /// leads above it.
    pub tail: &'a str,
    /// Whether there were more entries than were read; the page says so.
    pub truncated: bool,
}

/// How a listing is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A page.
    Html,
    /// For programs; `docs/listing.md` says what is in it.
    Json,
}

impl Format {
    /// What the client's Accept field asks for: a page, unless it would rather have JSON.
    pub fn preferred(accept: Option<&[u8]>) -> Format {
        match preferred_media_type(accept, &["text/html", "application/json"]) {
            Some(1) => Format::Json,
            _ => Format::Html,
        }
    }
}

/// Lists `entries`, in any order, as `query` wants them: `sort=name|size|modified`, `order=asc|desc`, `page=1...`. What it does
/// not say, or says wrongly, is as if it had not been said: by name, ascending, the first page.
///
/// It needs neither a worker nor its thread, and takes about 25 ms for 100,000 entries: better not on a worker.
pub fn write(directory: Directory<'_>, entries: Vec<Entry>, query: Option<&str>, format: Format) -> Bytes {
    let query = Query::parse(query.unwrap_or_default());
    let selection = Selection::new(entries, query);
    match format {
        Format::Html => html::Page { directory, query, selection: &selection }.to_string().into(),
        Format::Json => json::Document { directory, selection: &selection }.to_string().into(),
    }
}

/// The response with a listing, for GET and HEAD. It is to be asked for again each time (`no-cache`), since nothing
/// tells when a directory's files change.
pub fn response(format: Format, content: Bytes) -> Response {
    let response = Response::new(Status::OK);
    let response = match format {
        Format::Html => {
            response.with("Content-Type", "text/html; charset=utf-8").with("Content-Security-Policy", POLICY)
        }
        Format::Json => response.with("Content-Type", "application/json"),
    };
    response
        .with("Cache-Control", "no-cache")
        .with("Vary", "Accept")
        .with("X-Content-Type-Options", "nosniff")
        .with_body(Body::Bytes(content))
}

#[cfg(test)]
mod tests;
