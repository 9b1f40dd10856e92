//! The trailer section: fields that follow the last chunk (RFC 9112 section 7.1.2).

use super::connection::{Connection, Event};
use super::error::Error;
use super::fields::{Meaning, Section};
use super::state::Reading;
use crate::http::{Field, Head};
use crate::scan::{Blocks, Vector};

impl Connection {
    /// The trailer section, which begins at `start`, from `line` on.
    pub(super) fn read_trailers(
        &mut self,
        input: &[u8],
        start: usize,
        line: usize,
        head: &mut Head,
    ) -> Result<Event, Error> {
        let most = start + usize::from(self.limits.trailer_bytes);
        let input = &input[..input.len().min(most)];
        let most_fields = usize::from(self.limits.fields);
        let section = Section { line, most: most_fields, meaning: &mut Trailers, head };
        let (next, whole) = match self.level.pass(input, section)? {
            (_, false) if input.len() == most => return Err(Error::TrailersTooLarge),
            read => read,
        };
        if whole {
            head.length = next as u16;
            self.reading = Reading::Ended;
            return Ok(Event::End { consumed: next });
        }
        // Spans count from the start of the input, which begins with the section only from the next call on.
        let line = if start == 0 { next } else { 0 };
        if start > 0 {
            head.clear();
        }
        self.reading = Reading::Trailers { line: line as u16 };
        Ok(Event::Need { consumed: start })
    }
}

/// Fields that mean nothing to the connection, and must not.
struct Trailers;

impl Meaning for Trailers {
    #[inline(always)]
    fn field<V: Vector>(
        &mut self,
        _: &Blocks<'_, V>,
        name: &[u8],
        _: Field,
        _: &mut Head,
    ) -> Result<(), Error> {
        if may_be_trailer(name) { Ok(()) } else { Err(Error::ForbiddenTrailer) }
    }
}

/// Names that may not stand in a trailer section (RFC 9110 section 6.5.1): they frame the message, route it, modify
/// it, authenticate it or say how to read its content, and whoever skips trailers would see another message than
/// whoever merges them. They are refused, not dropped: who sends them means to be misunderstood.
const NEVER_IN_TRAILERS: [&str; 27] = [
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "pragma",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a trailer field may have this name.
#[inline(never)]
fn may_be_trailer(name: &[u8]) -> bool {
    !NEVER_IN_TRAILERS.iter().any(|never| name.eq_ignore_ascii_case(never.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::may_be_trailer;

    #[test]
    fn what_frames_routes_authenticates_or_conditions_is_no_trailer_in_any_case() {
        for name in
            ["Content-Length", "TRANSFER-ENCODING", "host", "Forwarded", "Cookie", "If-Match", "Range", "TE"]
        {
            assert!(!may_be_trailer(name.as_bytes()), "{name}");
        }
        for name in ["ETag", "Server-Timing", "Digest", "X-Checksum", "grpc-status", "Hosts"] {
            assert!(may_be_trailer(name.as_bytes()), "{name}");
        }
    }
}
