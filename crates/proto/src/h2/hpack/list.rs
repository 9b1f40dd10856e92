//! A list of field lines, as it comes out of a header block.

use super::LARGEST_LIST;
use crate::http::Span;
use alloc::vec::Vec;

/// One field line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Line {
    /// The name, in [`List::text`].
    pub name: Span,
    /// The value, right behind its name in [`List::text`].
    pub value: Span,
    /// The first entry of the static table that has this name, however it was encoded; 0 if none has, and only then the name needs to be checked: the
    /// static table's names are valid and in lower case. 1 is `:authority`, 2 `:method`, 4 `:path`, 6 `:scheme`, 8 `:status`; beyond 14 are no
    /// pseudo-fields.
    pub index: u8,
    /// Whoever passes it on must do so with [`Encoder::sensitive_field`](super::Encoder::sensitive_field) (RFC 7541 section 6.2.3).
    pub never_indexed: bool,
}

/// A list of field lines and their text, which [`Decoder::decode`](super::Decoder::decode) fills.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Names and values, one behind the other.
    pub text: Vec<u8>,
    /// The field lines, in the order they came.
    pub fields: Vec<Line>,
    /// Its size in bytes as RFC 9113 section 10.5.1 counts it: 32 more for each field. Counts on beyond the limit.
    pub size: usize,
    /// It is larger than `limit` or has more than `most_fields` (which of them, `size > limit` says). Fields behind those that fitted are left out.
    pub too_large: bool,
    /// The largest size, at most [`LARGEST_LIST`].
    pub limit: usize,
    /// The most fields.
    pub most_fields: usize,
}

impl List {
    /// An empty list with these limits.
    pub fn new(limit: usize, most_fields: usize) -> List {
        List { limit: limit.min(LARGEST_LIST), most_fields, ..List::default() }
    }

    /// Forgets everything but its limits and its memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
        (self.size, self.too_large) = (0, false);
    }
}
