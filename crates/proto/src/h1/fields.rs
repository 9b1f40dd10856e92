//! Field lines: name, colon, value (RFC 9112 section 5). What they mean is for [`framing`](super::framing).

use super::error::Error;
use crate::http::{Field, Span};
use crate::scan::Level;

/// A line of a section of fields.
pub(super) enum Line {
    /// A field.
    Field(Field),
    /// The blank line that ends the section.
    Blank,
}

/// Reads the line that begins at `at`, and where the next one begins; `None` if it is not whole.
///
/// It decides from left to right, each byte by itself and those before it, so a longer input never changes what a
/// shorter one showed.
#[inline(always)]
pub(super) fn line(level: Level, input: &[u8], at: usize) -> Result<Option<(Line, usize)>, Error> {
    let colon = level.token_end(input, at);
    match input.get(colon) {
        Some(b':') if colon > at => {}
        Some(b'\r') if colon == at => return Ok(line_feed(input, at)?.map(|next| (Line::Blank, next))),
        Some(byte) => return Err(misnamed(*byte, colon == at)),
        None => return Ok(None),
    }
    let end = level.value_end(input, colon + 1);
    match input.get(end) {
        Some(b'\r') => {}
        Some(b'\n') => return Err(Error::BareLineFeed),
        Some(_) => return Err(Error::ControlByte),
        None => return Ok(None),
    }
    let Some(next) = line_feed(input, end)? else { return Ok(None) };
    let field = Field { name: Span::new(at, colon), value: trimmed(input, colon + 1, end) };
    Ok(Some((Line::Field(field), next)))
}

/// Where the line after the carriage return at `at` begins; `None` if that cannot be said yet.
#[inline(always)]
pub(super) fn line_feed(input: &[u8], at: usize) -> Result<Option<usize>, Error> {
    match input.get(at + 1) {
        Some(b'\n') => Ok(Some(at + 2)),
        Some(_) => Err(Error::BareCarriageReturn),
        None => Ok(None),
    }
}

/// What is wrong with a line whose name is followed by `byte` instead of a colon.
#[cold]
fn misnamed(byte: u8, at_start: bool) -> Error {
    match byte {
        b'\n' => Error::BareLineFeed,
        b' ' | b'\t' if at_start => Error::FoldedLine,
        b' ' | b'\t' => Error::SpaceBeforeColon,
        _ => Error::InvalidFieldName,
    }
}

/// The value between these offsets without the whitespace around it.
#[inline(always)]
fn trimmed(input: &[u8], mut start: usize, mut end: usize) -> Span {
    while start < end && matches!(input[start], b' ' | b'\t') {
        start += 1;
    }
    while end > start && matches!(input[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    Span::new(start, end)
}
