//! The status line: version, status code, reason phrase (RFC 9112 section 4).

use super::fields::line_feed;
use super::response_error::ResponseError;
use crate::http::{ResponseHead, Span, Status, Version};
use crate::scan::Level;

/// What a status line begins with, whatever its digits are.
const PATTERN: &[u8; 12] = b"HTTP/0.0 000";
/// Nearly every status line begins with this.
const USUAL: &[u8; 9] = b"HTTP/1.1 ";

/// Reads the status line at the start of `input` into `head`, and returns where the next line begins; `None` if the line is not
/// whole. `input` ends at the limit of the whole head.
///
/// Nothing may stand before it: RFC 9112 section 2.2 has servers skip empty lines, not clients. The space before a reason phrase may be
/// missing with it, though section 4 asks for it: many servers leave it out, and no reader finds another message then.
pub(super) fn read(
    level: Level,
    input: &[u8],
    head: &mut ResponseHead,
) -> Result<Option<usize>, ResponseError> {
    let Some(digits) = version_and_status(input)? else { return Ok(None) };
    let code = digits.iter().fold(0, |code, digit| 10 * code + u16::from(digit - b'0'));
    head.status = Status::new(code).ok_or(ResponseError::InvalidStatus)?;
    head.version = if input[7] == b'0' { Version::Http10 } else { Version::Http11 };
    let start = PATTERN.len();
    match input.get(start) {
        None => Ok(None),
        Some(b' ') => reason(level, input, start + 1, head),
        Some(b'\r' | b'\n') => reason(level, input, start, head),
        Some(_) => Err(ResponseError::InvalidStatusLine),
    }
}

/// The digits of the status, if the line came that far. Each byte is judged by itself and those before it.
fn version_and_status(input: &[u8]) -> Result<Option<&[u8; 3]>, ResponseError> {
    let from = if input.starts_with(USUAL) { USUAL.len() } else { 0 };
    for (index, pattern) in PATTERN.iter().enumerate().skip(from) {
        let Some(byte) = input.get(index) else { return Ok(None) };
        match (index, pattern) {
            (_, b'0') if !byte.is_ascii_digit() => return Err(ResponseError::InvalidStatusLine),
            (7, _) if !matches!(&input[5..8], b"1.0" | b"1.1") => {
                return Err(ResponseError::UnsupportedVersion);
            }
            // RFC 9110 section 15: no other classes of codes exist, so nobody knows how such a message ends.
            (9, _) if !matches!(byte, b'1'..=b'5') => return Err(ResponseError::InvalidStatus),
            (_, b'0') => {}
            _ if byte != pattern => return Err(ResponseError::InvalidStatusLine),
            _ => {}
        }
    }
    Ok(input[USUAL.len()..].first_chunk::<3>())
}

/// Whatever field values may consist of, and the line's end.
fn reason(
    level: Level,
    input: &[u8],
    start: usize,
    head: &mut ResponseHead,
) -> Result<Option<usize>, ResponseError> {
    let end = level.value_end(input, start);
    head.reason = Span::new(start, end);
    match input.get(end) {
        None => Ok(None),
        Some(b'\r') => Ok(line_feed(input, end)?),
        Some(b'\n') => Err(ResponseError::BareLineFeed),
        Some(_) => Err(ResponseError::InvalidStatusLine),
    }
}
