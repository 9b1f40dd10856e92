//! The trailer section: fields that follow the last chunk (RFC 9112 section 7.1.2).

use super::fields::{Fielded, Meaning, Section};
use super::reader::{Piece, Reader};
use super::response_error::Malformed;
use super::state::Reading;
use crate::http::Field;
use crate::scan::{Blocks, Vector};
use core::marker::PhantomData;

impl Reader {
    /// The trailer section, which begins at `start`, from `line` on.
    pub(super) fn read_trailers<H: Fielded>(
        &mut self,
        input: &[u8],
        start: usize,
        line: usize,
        head: &mut H,
    ) -> Result<Piece, Malformed> {
        let most = start + usize::from(self.limits.trailer_bytes);
        let input = &input[..input.len().min(most)];
        let most_fields = usize::from(self.limits.fields);
        let section = Section { line, most: most_fields, meaning: &mut Trailers(PhantomData), head };
        let (next, whole) = match self.level.pass(input, section)? {
            (_, false) if input.len() == most => return Err(Malformed::TrailersTooLarge),
            read => read,
        };
        if whole {
            head.end_at(next);
            self.at = Reading::Ended;
            return Ok(Piece::End { consumed: next });
        }
        // Spans count from the start of the input, which begins with the section only from the next call on.
        let line = if start == 0 { next } else { 0 };
        if start > 0 {
            head.clear();
        }
        self.at = Reading::Trailers { line: line as u16 };
        Ok(Piece::Need { consumed: start })
    }
}

/// Fields that mean nothing to the connection, and must not.
struct Trailers<H>(PhantomData<H>);

impl<H: Fielded> Meaning for Trailers<H> {
    type Head = H;
    type Error = Malformed;

    #[inline(always)]
    fn field<V: Vector>(
        &mut self,
        _: &Blocks<'_, V>,
        name: &[u8],
        _: Field,
        _: &mut H,
    ) -> Result<(), Malformed> {
        if may_be_trailer(name) { Ok(()) } else { Err(Malformed::ForbiddenTrailer) }
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
pub(crate) fn may_be_trailer(name: &[u8]) -> bool {
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
