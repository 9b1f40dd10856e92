//! HPACK (RFC 7541): the compression of HTTP/2's field lines.
//!
//! * A [`Decoder`] turns header blocks into a [`List`] of [`Line`]s and their text, an [`Encoder`] fields into header blocks; each has a dynamic table.
//! * [`put_static`] and its kin encode without one: what they write is good on every connection, so a worker's [`Blocks`] keep it.
//!
//! # The steps of a header block
//! `size updates → fields, each an index or a literal: name (an index or a string) → value (a string) → the dynamic table`
//!
//! # What it promises
//! * **No input panics**, or is believed beyond what its bytes say: whatever RFC 7541 calls a decoding error is an [`Error`].
//! * **What a peer sends costs what it sent.** An index of one byte may stand for a field of thousands; a list that is too large for its limits is not
//!   copied any further, only the table is kept as it must be.
//! * **Nothing is allocated** but room for the tables as they fill, and for lists as long as there were before.

#[cfg(test)]
mod appendix_c;
mod blocks;
mod decoder;
mod encoder;
mod error;
mod hash;
pub mod huffman;
mod input;
mod list;
mod put;
mod static_table;
mod table;
mod tags;

pub use blocks::Blocks;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::Error;
pub use list::{Line, List};
pub use put::{put_date, put_length, put_lines, put_static, put_status};

/// The dynamic table's size, in bytes, that both sides begin with (RFC 9113 section 6.5.2, `SETTINGS_HEADER_TABLE_SIZE`).
pub const INITIAL_SIZE: u32 = 4096;

/// The largest dynamic table that a [`Decoder`] or an [`Encoder`] keeps, in bytes: larger sizes count as this one. Offsets into it are 16 bits wide.
/// So no more than this may be the `most` of the row whose value goes to the peer as `SETTINGS_HEADER_TABLE_SIZE`.
pub const LARGEST_SIZE: u32 = 65_536;

/// The longest list, in bytes as RFC 9113 section 10.5.1 counts them, that a [`List`] can be limited to: spans are 16 bits wide.
pub const LARGEST_LIST: usize = 65_535;

/// What a field counts beyond its name and value, in a list and in a table (RFC 7541 section 4.1).
pub const FIELD_OVERHEAD: usize = 32;
