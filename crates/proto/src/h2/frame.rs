//! Frames: the nine bytes before each, and those that are short enough to be written in one go (RFC 9113 sections 4.1 and 6).

use super::ErrorCode;
use alloc::vec::Vec;

/// What a client sends first (RFC 9113 section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a frame's header is.
pub(super) const HEADER_BYTES: usize = 9;

/// Types of frames (RFC 9113 section 6, RFC 9218 section 7.1).
pub(super) mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
    pub const PRIORITY_UPDATE: u8 = 16;
}

/// Flags of frames; what a bit means depends on the type.
pub(super) mod flag {
    pub const END_STREAM: u8 = 1;
    pub const ACK: u8 = 1;
    pub const END_HEADERS: u8 = 4;
    pub const PADDED: u8 = 8;
    pub const PRIORITY: u8 = 32;
}

/// A frame's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// How long the payload is.
    pub length: u32,
    pub kind: u8,
    pub flags: u8,
    /// 0 is the connection.
    pub stream: u32,
}

impl Header {
    /// The header at the start of these bytes; `None` if it is not whole.
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let [a, b, c, kind, flags, d, e, f, g] = *bytes;
        // The reserved bit is ignored (section 4.1).
        let stream = u32::from_be_bytes([d, e, f, g]) & 0x7fff_ffff;
        Some(Header { length: u32::from_be_bytes([0, a, b, c]), kind, flags, stream })
    }

    /// The bytes of it.
    #[inline]
    pub fn bytes(self) -> [u8; HEADER_BYTES] {
        let [_, a, b, c] = self.length.to_be_bytes();
        let [d, e, f, g] = self.stream.to_be_bytes();
        [a, b, c, self.kind, self.flags, d, e, f, g]
    }

    #[inline]
    pub fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Four bytes as a number.
#[inline]
pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[inline]
pub(super) fn write_header(length: usize, kind: u8, flags: u8, stream: u32, out: &mut Vec<u8>) {
    debug_assert!(length < 1 << 24, "a frame's length has 24 bits");
    out.extend_from_slice(&Header { length: length as u32, kind, flags, stream }.bytes());
}

/// A frame whose payload is one number.
fn write_number(kind: u8, stream: u32, number: u32, out: &mut Vec<u8>) {
    write_header(4, kind, 0, stream, out);
    out.extend_from_slice(&number.to_be_bytes());
}

pub(super) fn write_reset(stream: u32, error: ErrorCode, out: &mut Vec<u8>) {
    write_number(kind::RST_STREAM, stream, error.0, out);
}

pub(super) fn write_window_update(stream: u32, increment: u32, out: &mut Vec<u8>) {
    write_number(kind::WINDOW_UPDATE, stream, increment, out);
}

pub(super) fn write_go_away(last_stream: u32, error: ErrorCode, says: &str, out: &mut Vec<u8>) {
    write_header(8 + says.len(), kind::GOAWAY, 0, 0, out);
    out.extend_from_slice(&last_stream.to_be_bytes());
    out.extend_from_slice(&error.0.to_be_bytes());
    out.extend_from_slice(says.as_bytes());
}
