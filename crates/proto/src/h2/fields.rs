//! Field lines: what names and values may be, and what means something to the connection (RFC 9113 section 8.2).

use super::hpack::{Line, List};
use crate::http::Field;
use crate::scan::Level;

/// What is wrong with a message (RFC 9113 section 8.1.1), as a clause without a full stop.
pub(super) type Malformed = &'static str;

/// Indices of the static table (RFC 7541 appendix A) by which names are told apart.
pub(super) mod index {
    pub const AUTHORITY: u8 = 1;
    pub const METHOD: u8 = 2;
    pub const PATH: u8 = 4;
    pub const SCHEME: u8 = 6;
    pub const STATUS: u8 = 8;
    /// The last pseudo-field.
    pub const LAST_PSEUDO: u8 = 14;
    pub const CONTENT_LENGTH: u8 = 28;
    pub const COOKIE: u8 = 32;
    pub const EXPECT: u8 = 35;
    pub const HOST: u8 = 38;
    pub const TRANSFER_ENCODING: u8 = 57;
}

/// Whether no name and no value has a control character: all the text is looked at in one go.
#[inline]
pub(super) fn check_text(level: Level, list: &List) -> Result<(), Malformed> {
    if level.value_end(&list.text, 0) == list.text.len() {
        Ok(())
    } else {
        Err("a field holds a control character")
    }
}

/// Whether the line is a pseudo-field, by its name.
#[inline]
pub(super) fn is_pseudo(line: &Line, text: &[u8]) -> bool {
    match line.index {
        0 => line.name.of(text).first() == Some(&b':'),
        index => index <= index::LAST_PSEUDO,
    }
}

/// A line that is no pseudo-field, as a field, if its name and value can be (RFC 9113 section 8.2.1), and it is not about a connection of another version
/// (section 8.2.2). Control characters have been [looked for](check_text).
#[inline]
pub(super) fn regular(level: Level, line: &Line, text: &[u8]) -> Result<Field, Malformed> {
    let value = line.value.of(text);
    if let (Some(b' ' | b'\t'), _) | (_, Some(b' ' | b'\t')) = (value.first(), value.last()) {
        return Err("a field value begins or ends with whitespace");
    }
    if line.index == 0 {
        check_name(level, line, text)?;
    } else if line.index == index::TRANSFER_ENCODING {
        return Err(CONNECTION_SPECIFIC);
    }
    Ok(Field { name: line.name, value: line.value })
}

const CONNECTION_SPECIFIC: Malformed = "a field is for a connection of HTTP/1.1 only";

/// A name that the static table does not have.
fn check_name(level: Level, line: &Line, text: &[u8]) -> Result<(), Malformed> {
    let (start, end) = (usize::from(line.name.start), usize::from(line.name.end));
    let name = &text[start..end];
    if name.is_empty() || level.token_end(&text[..end], start) != end {
        return Err("a field name is empty or is not a token");
    }
    if name.iter().any(u8::is_ascii_uppercase) {
        return Err("a field name has a capital letter");
    }
    match (name.len(), name) {
        (2, b"te") if !line.value.of(text).eq_ignore_ascii_case(b"trailers") => {
            Err("TE asks for something other than trailers")
        }
        (7, b"upgrade") | (10, b"connection" | b"keep-alive") | (16, b"proxy-connection") => {
            Err(CONNECTION_SPECIFIC)
        }
        _ => Ok(()),
    }
}

/// One decimal number below 2^64, and none before it.
pub(super) fn content_length(before: Option<u64>, value: &[u8]) -> Result<Option<u64>, Malformed> {
    match crate::h1::content_length(value) {
        _ if before.is_some() => Err("there is more than one content-length field"),
        // The largest number stands for a length that nobody said.
        Some(length) if length < u64::MAX => Ok(Some(length)),
        _ => Err("content-length is not one decimal number below 2^64"),
    }
}
