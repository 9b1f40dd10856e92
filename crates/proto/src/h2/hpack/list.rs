//! A list of field lines, as it comes out of a header block.

use super::{FIELD_OVERHEAD, LARGEST_LIST};
use crate::http::Span;
use alloc::vec::Vec;

/// One field line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Line {
    /// The name, in [`List::text`].
    pub name: Span,
    /// The value, right behind its name in [`List::text`].
    pub value: Span,
    /// The static table's first entry that has this name, however it was encoded; 0 if none has. Only names of 0 need to be checked: the
    /// static table's are valid and in lower case. 1 is `:authority`, 2 `:method`, 4 `:path`, 6 `:scheme`, 8 `:status`; no other is a pseudo-field, and no
    /// other name of a request's pseudo-fields is in the table but `:protocol`, whose index is 0.
    pub index: u8,
    /// Whoever passes it on must do so with [`Encoder::sensitive_field`](super::Encoder::sensitive_field) (RFC 7541 section 6.2.3).
    pub never_indexed: bool,
}

/// A list of field lines and their text, which [`Decoder::decode`](super::Decoder::decode) fills.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Names and values, one behind the other. Of a list that is too large there may be more behind the last field.
    pub text: Vec<u8>,
    /// The field lines, in the order they came.
    pub fields: Vec<Line>,
    /// Its size in bytes as RFC 9113 section 10.5.1 counts it: 32 more for each field. Counts on beyond the limit.
    pub size: usize,
    /// It is larger than `limit` or has more than `most_fields` (which of them, `size > limit` says). Fields from the first one that did not fit on are left out.
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

    /// Counts a field whose name and value are so long, and says whether it is to be added. After one that is not, no other is.
    #[inline]
    pub(super) fn admit(&mut self, length: usize) -> bool {
        self.size = self.size.saturating_add(length + FIELD_OVERHEAD);
        // `limit` can be set by anyone, but spans cannot be longer.
        self.too_large |= self.size > self.limit.min(LARGEST_LIST) || self.fields.len() >= self.most_fields;
        !self.too_large
    }

    /// Adds the field whose name begins at `start` and ends at `name_end`, where its value begins, and whose value ends at `end`.
    #[inline]
    pub(super) fn add(&mut self, [start, name_end, end]: [usize; 3], index: u8, never_indexed: bool) {
        let (name, value) = (Span::new(start, name_end), Span::new(name_end, end));
        self.fields.push(Line { name, value, index, never_indexed });
    }
}
