//! What header blocks are made of: integers and strings (RFC 7541 section 5).

use super::{Error, huffman};
use alloc::vec::Vec;

/// Of an integer so many bytes may follow the first: none that means anything is beyond 2^28.
const MOST_CONTINUATIONS: u32 = 4;
/// A string's first bit says that it is Huffman-coded.
const HUFFMAN: u8 = 0x80;
/// The bits that a string's length begins in.
pub(super) const LENGTH: u8 = 0x7f;

/// What is left of a header block.
pub(super) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(block: &'a [u8]) -> Input<'a> {
        Input { rest: block }
    }

    /// The next byte, which stays.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// The integer that begins in the last bits of `first`, those of `mask` (section 5.1).
    #[inline]
    pub(super) fn integer(&mut self, first: u8, mask: u8) -> Result<usize, Error> {
        let value = first & mask;
        if value < mask { Ok(usize::from(value)) } else { self.long_integer(mask) }
    }

    fn long_integer(&mut self, mask: u8) -> Result<usize, Error> {
        let mut value = usize::from(mask);
        for position in 0..MOST_CONTINUATIONS {
            let byte = self.byte().ok_or(Error::Truncated)?;
            value += usize::from(byte & 0x7f) << (7 * position);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::IntegerTooLarge)
    }

    /// Appends the string that begins here (section 5.2).
    #[inline]
    pub(super) fn string(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let first = self.byte().ok_or(Error::Truncated)?;
        let length = self.integer(first, LENGTH)?;
        let (string, rest) = self.rest.split_at_checked(length).ok_or(Error::Truncated)?;
        self.rest = rest;
        if first & HUFFMAN == 0 {
            out.extend_from_slice(string);
            return Ok(());
        }
        huffman::decode(string, out)
    }
}

/// Appends an integer that begins in the last bits of a byte, those of `mask`; the bits before them are those of `pattern`.
#[inline]
pub(super) fn put_integer(value: usize, mask: u8, pattern: u8, out: &mut Vec<u8>) {
    if value < usize::from(mask) {
        return out.push(pattern | value as u8);
    }
    out.push(pattern | mask);
    let mut rest = value - usize::from(mask);
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends a string, coded if that is shorter.
#[inline]
pub(super) fn put_string(text: &[u8], out: &mut Vec<u8>) {
    match huffman::encoded_len(text) {
        length if length < text.len() => {
            put_integer(length, LENGTH, HUFFMAN, out);
            huffman::encode(text, out);
        }
        _ => put_plain_string(text, out),
    }
}

/// Appends a string as it is.
#[inline]
pub(super) fn put_plain_string(text: &[u8], out: &mut Vec<u8>) {
    put_integer(text.len(), LENGTH, 0, out);
    out.extend_from_slice(text);
}
