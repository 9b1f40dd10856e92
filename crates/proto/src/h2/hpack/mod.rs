//! HPACK (RFC 7541): the compression of HTTP/2's field lines.
//!
//! * A [`Decoder`] turns header blocks into a [`List`] of [`Line`]s and their text, an [`Encoder`] fields into header blocks; each has a dynamic table.
//! * [`put_static`] and its kin encode without one: what they write is good on every connection, so a worker's [`Blocks`] keep it. A connection that
//!   writes nothing else has a [`TableSize`] in the place of an encoder.
//!
//! # The steps of a header block
//! `size updates → fields, each an index or a literal: name (an index or a string) → value (a string) → the dynamic table`
//!
//! # What it promises
//! * **No input panics**, or is believed beyond what its bytes say: whatever RFC 7541 calls a decoding error is an [`Error`].
//! * **No list is larger than its limits**, though a byte may stand for a field of thousands: beyond them nothing is copied any more, and only the table is kept as it must be. That
//!   takes 1.8 ns for a field that is an index, and at the worst, where fields of two bytes make entries whose names are as long as the table, 100 ns for each.
//! * **Nothing is allocated** but room for the tables as they fill, and for lists that are longer than any before. An encoder or decoder whose table is empty holds nothing.
//! * **What repeats costs little.** Of a load generator's five fields, all of them indices, each takes 4 ns to decode, of a browser's sixteen 8 ns, that of the path as a string
//!   included; their strings, when they come for the first time, 58. The lines of a response take 110 ns to encode, and 12 from [`Blocks`].
//!
//! Times are the least of several runs on a machine that was busy with other things; `cargo bench -p gannet-proto --bench hpack` measures them. Whoever decodes heads may go further and
//! keep what a block meant: [`Decoder::generation`] says how long it does.
//!
//! # Limits
//! They are rows of the tables of those who use it, and handed in: the size of either table, a list's bytes and its fields. [`LARGEST_SIZE`] and [`LARGEST_LIST`] are what a row may
//! be at most. [`Blocks`] has bounds of its own, which nobody has a reason to change.
//!
//! ```
//! use gannet_proto::h2::hpack::{Decoder, Encoder, INITIAL_SIZE, List};
//!
//! let (mut encoder, mut decoder) = (Encoder::new(0x5eed), Decoder::new(INITIAL_SIZE));
//! let mut list = List::new(16_384, 100);
//! for length in [11, 2] {
//!     let mut block = Vec::new();
//!     encoder.begin(&mut block);
//!     encoder.field(b":method", b"GET", &mut block);
//!     encoder.field(b"User-Agent", b"example/1.0", &mut block);
//!     assert_eq!(block.len(), length);
//!
//!     decoder.decode(&block, &mut list)?;
//!     let line = list.fields[1];
//!     assert_eq!((line.name.of(&list.text), line.value.of(&list.text)), (&b"user-agent"[..], &b"example/1.0"[..]));
//! }
//! # Ok::<(), gannet_proto::h2::hpack::Error>(())
//! ```

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
mod table_size;
mod tags;

pub use blocks::Blocks;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::Error;
pub use list::{Line, List};
pub use put::{put_date, put_length, put_lines, put_static, put_status};
pub use table_size::TableSize;

/// The dynamic table's size, in bytes, that both sides begin with (RFC 9113 section 6.5.2, `SETTINGS_HEADER_TABLE_SIZE`).
pub const INITIAL_SIZE: u32 = 4096;

/// The largest dynamic table that a [`Decoder`] or an [`Encoder`] keeps, in bytes: larger sizes count as this one. Offsets into it are 16 bits wide.
/// So no more than this may be the `most` of the row whose value goes to the peer as `SETTINGS_HEADER_TABLE_SIZE`.
pub const LARGEST_SIZE: u32 = 65_536;

/// The longest list, in bytes as RFC 9113 section 10.5.1 counts them, that a [`List`] can be limited to: spans are 16 bits wide.
pub const LARGEST_LIST: usize = 65_535;

/// What a field counts beyond its name and value, in a list and in a table (RFC 7541 section 4.1).
pub const FIELD_OVERHEAD: usize = 32;
