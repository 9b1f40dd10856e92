//! HPACK (RFC 7541): the compression of HTTP/2's field lines.

mod blocks;
mod decoder;
mod encoder;
mod error;
pub mod huffman;
mod list;
mod put;

pub use blocks::Blocks;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::Error;
pub use list::{Line, List};
pub use put::{put_date, put_length, put_lines, put_static, put_status};

/// The dynamic table's size, in bytes, that both sides begin with (RFC 9113 section 6.5.2, `SETTINGS_HEADER_TABLE_SIZE`).
pub const INITIAL_SIZE: u32 = 4096;

/// The largest dynamic table that a [`Decoder`] or an [`Encoder`] keeps, in bytes: larger sizes count as this one. Offsets into it are 16 bits wide.
pub const LARGEST_SIZE: u32 = 65_536;

/// The longest list, in bytes as RFC 9113 section 10.5.1 counts them, that a [`List`] can be limited to: spans are 16 bits wide.
pub const LARGEST_LIST: usize = 65_535;
