//! Fields encoded without a dynamic table: what is encoded so is good on every connection.

use super::input::{LENGTH, put_integer, put_plain_string, put_string};
use super::static_table::{self, CONTENT_LENGTH, DATE, STATUS_200};
use crate::http::{Status, is_hop_by_hop};
use alloc::vec::Vec;

/// How a literal field is written: its first byte's pattern, and the bits that the index of its name begins in.
#[derive(Clone, Copy)]
pub(super) struct Literal {
    pub(super) pattern: u8,
    pub(super) mask: u8,
}

/// It becomes an entry of the dynamic table (RFC 7541 section 6.2.1).
pub(super) const WITH_INDEXING: Literal = Literal { pattern: 0x40, mask: 0x3f };
/// It does not, here (section 6.2.2).
pub(super) const WITHOUT_INDEXING: Literal = Literal { pattern: 0x00, mask: 0x0f };
/// Nor anywhere else (section 6.2.3).
pub(super) const NEVER_INDEXED: Literal = Literal { pattern: 0x10, mask: 0x0f };

/// The pattern of an indexed field (section 6.1), and its index' bits.
const INDEXED: u8 = 0x80;

/// Appends a field. The name is lowered; what is secret by its name (authorization, cookies) is marked as never to be indexed.
pub fn put_static(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let mut room = Room::default();
    let Some(name) = room.lower(name) else { return put_long_name(WITHOUT_INDEXING, name, value, out) };
    let index = static_table::index_of(name);
    match static_table::index_of_value(index, value) {
        0 if is_secret(index, value) => put_literal(NEVER_INDEXED, usize::from(index), name, value, out),
        0 => put_literal(WITHOUT_INDEXING, usize::from(index), name, value, out),
        entry => put_indexed(usize::from(entry), out),
    }
}

/// Appends rendered lines (`Name: value\r\n`, any number of them), without those that are for an HTTP/1 connection only (RFC 9113 section 8.2.2).
pub fn put_lines(lines: &[u8], out: &mut Vec<u8>) {
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !is_for_http1(name) {
            put_static(name, value, out);
        }
    }
}

/// Appends `:status`.
#[inline]
pub fn put_status(status: Status, out: &mut Vec<u8>) {
    match status {
        Status::OK => out.push(INDEXED | STATUS_200),
        _ => put_static(b":status", &three_digits(status.code()), out),
    }
}

/// Appends `content-length`, its digits as they are.
#[inline]
pub fn put_length(length: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), length);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    put_integer(usize::from(CONTENT_LENGTH), WITHOUT_INDEXING.mask, WITHOUT_INDEXING.pattern, out);
    put_plain_string(&digits[at..], out);
}

/// Appends `date`, as it is: copying 29 bytes is cheaper than encoding them for each response.
#[inline]
pub fn put_date(date: &[u8; 29], out: &mut Vec<u8>) {
    put_integer(usize::from(DATE), WITHOUT_INDEXING.mask, WITHOUT_INDEXING.pattern, out);
    put_plain_string(date, out);
}

/// Appends a field that is in one of the tables.
#[inline]
pub(super) fn put_indexed(index: usize, out: &mut Vec<u8>) {
    put_integer(index, INDEXED - 1, INDEXED, out);
}

/// Appends a field whose name is in one of the tables, or in none if `index` is 0, and in lower case.
#[inline]
pub(super) fn put_literal(literal: Literal, index: usize, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    put_integer(index, literal.mask, literal.pattern, out);
    if index == 0 {
        put_string(name, out);
    }
    put_string(value, out);
}

/// Names that are longer are in no table.
const LONGEST_NAME: usize = 64;

/// Where a name is lowered: once, so that it can be compared byte for byte.
pub(super) struct Room([u8; LONGEST_NAME]);

impl Default for Room {
    #[inline]
    fn default() -> Room {
        Room([0; LONGEST_NAME])
    }
}

impl Room {
    /// The name in lower case, if it is not too long to be in a table.
    #[inline]
    pub(super) fn lower(&mut self, name: &[u8]) -> Option<&[u8]> {
        self.0.get_mut(..name.len())?.copy_from_slice(name);
        // All of it: that takes less than to find out how much there is.
        self.0.make_ascii_lowercase();
        Some(&self.0[..name.len()])
    }
}

/// Appends a field whose name is in no table, in whatever case.
#[cold]
pub(super) fn put_long_name(literal: Literal, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.push(literal.pattern);
    put_integer(name.len(), LENGTH, 0, out);
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    put_string(value, out);
}

/// Cookies that are shorter than this could be guessed, byte by byte, by who can choose what is encoded beside them and sees how long that
/// becomes (RFC 7541 section 7.1.3).
const SHORT_COOKIE: usize = 20;

/// Whether a field has to be kept out of all tables: `index` is its name's in the static table.
pub(super) fn is_secret(index: u8, value: &[u8]) -> bool {
    match index {
        // authorization, proxy-authorization, set-cookie
        23 | 49 | 55 => true,
        // cookie
        32 => value.len() < SHORT_COOKIE,
        _ => false,
    }
}

/// Whether a field of this name says something of an HTTP/1 connection or of how a message is framed in it. Trailer does, but is no harm and
/// is allowed.
fn is_for_http1(name: &[u8]) -> bool {
    is_hop_by_hop(name) && !name.eq_ignore_ascii_case(b"trailer")
}

fn three_digits(code: u16) -> [u8; 3] {
    [code / 100 % 10, code / 10 % 10, code % 10].map(|digit| b'0' + digit as u8)
}
