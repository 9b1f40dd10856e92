//! The writing half behind a head: bodies and trailers. It is the same for both roles; heads are written by
//! [`respond`](super::respond) and [`request`](super::request).

use super::state::Writing;
use alloc::vec::Vec;

/// What our caller did wrong while writing. The message cannot be mended: the connection must close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misuse {
    /// More content than the head promised.
    TooLong,
    /// Less content than the head promised.
    TooShort,
    /// Content for a message that has none.
    NoBody,
}

impl core::fmt::Display for Misuse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Misuse::TooLong => "the content is longer than its Content-Length",
            Misuse::TooShort => "the content is shorter than its Content-Length",
            Misuse::NoBody => "this message cannot have content",
        })
    }
}

impl core::error::Error for Misuse {}

/// Where the writing half is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    pub at: Writing,
    /// A piece of a body has been begun and not closed.
    in_piece: bool,
}

impl Writer {
    pub const START: Writer = Writer { at: Writing::Head, in_piece: false };

    /// Begins a piece of `length` bytes, which the caller puts right behind what is appended.
    pub fn push(&mut self, length: usize, out: &mut Vec<u8>) -> Result<(), Misuse> {
        assert!(length > 0, "an empty chunk would end the body");
        assert!(
            self.at != Writing::Head && !self.in_piece,
            "a piece follows the head or another piece's end"
        );
        match &mut self.at {
            Writing::Length(remaining) => {
                *remaining = remaining.checked_sub(length as u64).ok_or(Misuse::TooLong)?;
            }
            Writing::Chunked => chunk_size(length, out),
            Writing::UntilClose => {}
            _ => return Err(Misuse::NoBody),
        }
        self.in_piece = true;
        Ok(())
    }

    /// Ends the piece that was begun.
    pub fn pushed(&mut self, out: &mut Vec<u8>) {
        assert!(self.in_piece, "a piece ends that was begun");
        self.in_piece = false;
        if self.at == Writing::Chunked {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Ends the message.
    pub fn finish(&mut self, trailers: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        assert!(
            self.at != Writing::Head && !self.in_piece,
            "a message ends behind its head or a piece's end"
        );
        match self.at {
            Writing::Length(1..) => return Err(Misuse::TooShort),
            Writing::Chunked => {
                out.extend_from_slice(b"0\r\n");
                out.extend_from_slice(trailers);
                out.extend_from_slice(b"\r\n");
            }
            Writing::Upgraded => return Ok(()),
            _ => {}
        }
        self.at = Writing::Ended;
        Ok(())
    }
}

/// What a head says about the body's length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Announced {
    Nothing,
    Length(u64),
    Chunked,
}

impl Announced {
    // Each role has one call of it: as a function of its own it would cost six instructions a response.
    #[inline(always)]
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Announced::Nothing => {}
            Announced::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            Announced::Length(length) => {
                out.extend_from_slice(b"Content-Length: ");
                decimal(length, out);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

#[inline]
pub(super) fn decimal(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn chunk_size(length: usize, out: &mut Vec<u8>) {
    let first = length.ilog2() / 4;
    for position in (0..=first).rev() {
        out.push(b"0123456789abcdef"[length >> (4 * position) & 15]);
    }
    out.extend_from_slice(b"\r\n");
}
