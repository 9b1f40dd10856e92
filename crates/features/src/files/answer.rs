//! From a representation to a response: conditions, then ranges, then the whole.

use gannet_core::{Method, Request, Response, Status};

use super::asked::Asked;
use super::condition::{Outcome, evaluate, range_applies};
use super::multipart;
use super::range::{self, Answer};
use super::representation::{Representation, with_prepared};

/// Answers with a representation, or with the part of it that the client lacks. `now` is in seconds since 1970.
pub(super) fn answer(representation: &Representation, asked: Asked, request: &Request, now: u64) -> Response {
    if asked.is_plain() {
        return whole(representation);
    }
    match evaluate(asked, request, representation) {
        Outcome::NotModified => with_prepared(Status::NOT_MODIFIED, &representation.fields_not_modified),
        Outcome::Failed => gannet_core::error_page(Status::PRECONDITION_FAILED, request.field("accept")),
        Outcome::Proceed if asks_for_range(asked, request, representation, now) => {
            part(representation, request)
        }
        Outcome::Proceed => whole(representation),
    }
}

fn whole(representation: &Representation) -> Response {
    with_prepared(Status::OK, &representation.fields).with_body(representation.content.whole())
}

/// Ranges are of GET only (RFC 9110, 14.2).
fn asks_for_range(asked: Asked, request: &Request, representation: &Representation, now: u64) -> bool {
    asked.range && request.method() == Method::Get && range_applies(asked, request, representation, now)
}

fn part(representation: &Representation, request: &Request) -> Response {
    let length = representation.content.length();
    let mut values =
        request.fields().filter(|(name, _)| name.eq_ignore_ascii_case("range")).map(|(_, value)| value);
    let answer = match (values.next(), values.next()) {
        (Some(value), None) => range::select(value, length),
        // It is no list: two lines say nothing that is defined (RFC 9110, 5.3).
        _ => Answer::Whole,
    };
    match answer {
        Answer::Whole => whole(representation),
        Answer::One(range) => {
            let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            with_prepared(Status::PARTIAL_CONTENT, &representation.fields)
                .with("Content-Range", content_range)
                .with_body(representation.content.part(range))
        }
        Answer::Several(ranges) => multipart::response(representation, &ranges),
        Answer::Unsatisfiable => {
            gannet_core::error_page(Status::RANGE_NOT_SATISFIABLE, request.field("accept"))
                .with("Content-Range", format!("bytes */{length}"))
        }
    }
}
