//! The writing half: responses (RFC 9112 sections 4, 6, 7).
//!
//! A response is `inform* respond (push pushed)* finish`. Nothing is sent here: bytes are appended to a buffer, and
//! the content itself goes from the caller's hands to the socket without passing through.

use super::connection::Connection;
use super::state::{Reading, Writing};
use crate::http::{Method, Status, Version};
use alloc::vec::Vec;

/// What a response's head says.
#[derive(Clone, Copy, Debug)]
pub struct ResponseToSend<'a> {
    /// The status: final, or 101.
    pub status: Status,
    /// Rendered lines, each `name: value\r\n`. Not among them: Connection, Content-Length, Transfer-Encoding,
    /// Keep-Alive and Date, which are the connection's to say.
    pub fields: &'a [u8],
    /// How long the content is: for HEAD and 304, what it would have been (RFC 9110 section 8.6). `None` if that is
    /// not known: then it is chunked, or ends with the connection for a client of HTTP/1.0.
    pub length: Option<u64>,
    /// The time, as [`date`](super::date()) writes it.
    pub date: &'a [u8; 29],
}

/// How the response's body is framed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// There is none, whatever the caller has: HEAD, 204, 205, 304. The response has ended.
    None,
    /// So many bytes, then [`finish`](Connection::finish).
    Length(u64),
    /// Any number of pieces, then [`finish`](Connection::finish).
    Chunked,
    /// Any number of pieces, then [`finish`](Connection::finish), then the connection must close.
    UntilClose,
    /// 101, or 2xx to CONNECT: all bytes in both directions now belong to the other protocol. If there is nobody to
    /// speak it the connection must close, since nothing the peer sends from here on is HTTP. A request's body comes
    /// before them (RFC 9110 section 7.8), so it must have been read.
    Upgrade,
}

/// What our caller did wrong while writing. The response cannot be mended: the connection must close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misuse {
    /// More content than the head promised.
    TooLong,
    /// Less content than the head promised.
    TooShort,
    /// Content for a response that has none.
    NoBody,
}

impl core::fmt::Display for Misuse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Misuse::TooLong => "the response's content is longer than its Content-Length",
            Misuse::TooShort => "the response's content is shorter than its Content-Length",
            Misuse::NoBody => "this response cannot have content",
        })
    }
}

impl core::error::Error for Misuse {}

/// What the head says about the body's length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Announced {
    Nothing,
    Length(u64),
    Chunked,
}

impl Connection {
    /// An interim response: 100 (Continue), 103 (Early Hints) and so on, with rendered `fields`. Clients of HTTP/1.0
    /// do not know them and get none (RFC 9110 section 15.2).
    ///
    /// # Panics
    /// If the status is not 1xx or is 101, or the final head was sent.
    pub fn inform(&mut self, status: Status, fields: &[u8], out: &mut Vec<u8>) {
        assert!(
            status.is_informational() && status != Status::SWITCHING_PROTOCOLS,
            "an interim response is 1xx"
        );
        assert!(!self.responded(), "interim responses come before the final one");
        if self.version == Version::Http10 {
            return;
        }
        status_line(status, out);
        out.extend_from_slice(fields);
        out.extend_from_slice(b"\r\n");
    }

    /// The final head. Without a request that was read as a whole (an error, a deadline), it also ends the
    /// connection.
    ///
    /// # Panics
    /// If the status is 1xx other than 101, or a final head was sent already.
    pub fn respond(&mut self, head: ResponseToSend<'_>, out: &mut Vec<u8>) -> Framing {
        assert!(
            !head.status.is_informational() || head.status == Status::SWITCHING_PROTOCOLS,
            "a final response is not interim"
        );
        assert!(!self.responded(), "a request is answered once");
        let (framing, announced) = frame(self.method, self.version, head.status, head.length);
        self.closing |= framing == Framing::UntilClose || matches!(self.reading, Reading::Head(_));
        // Pieces of a fixed length are copied in place; each of another costs a call.
        out.reserve(128 + head.fields.len());
        status_line(head.status, out);
        out.extend_from_slice(b"Date: ");
        out.extend_from_slice(head.date);
        out.extend_from_slice(b"\r\n");
        if let Some(option) = self.connection_option(head.status, framing) {
            option_line(option, out);
        }
        announced.write(out);
        out.extend_from_slice(head.fields);
        out.extend_from_slice(b"\r\n");
        self.begin(framing);
        framing
    }

    /// What Connection says, after the end of the line before it. Persistence is the default of HTTP/1.1 only
    /// (RFC 9112 section 9.3).
    /// The same for a response that is there as a whole, to a request without a body (or whose body has come): both halves have ended
    /// then, without [`push`](Connection::push), [`finish`](Connection::finish) and the request's `End`. The content, of exactly
    /// `head.length` bytes, is put behind the head where the framing is [`Framing::Length`].
    ///
    /// # Panics
    /// If the request's body has not come, the length is not known, the response switches protocols, or [`respond`](Connection::respond)
    /// would.
    #[inline]
    pub fn respond_whole(&mut self, head: ResponseToSend<'_>, out: &mut Vec<u8>) -> Framing {
        assert!(self.body_remaining() == Some(0), "the request is there as a whole");
        let framing = self.respond(head, out);
        assert!(
            matches!(framing, Framing::None | Framing::Length(_)),
            "what is whole is framed by its length"
        );
        (self.reading, self.writing) = (Reading::Ended, Writing::Ended);
        framing
    }

    /// What is to be said about the connection; mostly nothing.
    #[inline]
    fn connection_option(&self, status: Status, framing: Framing) -> Option<&'static [u8]> {
        match framing {
            Framing::Upgrade if status == Status::SWITCHING_PROTOCOLS => Some(b"upgrade"),
            Framing::Upgrade => None,
            _ if !self.keep_alive() => Some(b"close"),
            _ if self.version == Version::Http10 => Some(b"keep-alive"),
            _ => None,
        }
    }

    #[inline]
    fn begin(&mut self, framing: Framing) {
        self.writing = Writing::after_head(framing);
        if framing == Framing::Upgrade {
            self.reading = Reading::Upgraded;
            self.closing = true;
        }
    }

    /// Begins a piece of `length` bytes, which the caller puts right behind what is appended now. No piece is empty:
    /// an empty chunk would end the body.
    ///
    /// # Errors
    /// [`Misuse`], with nothing appended.
    ///
    /// # Panics
    /// If `length` is zero, before [`respond`](Connection::respond), or within another piece.
    pub fn push(&mut self, length: usize, out: &mut Vec<u8>) -> Result<(), Misuse> {
        assert!(length > 0, "an empty chunk would end the body");
        assert!(self.responded() && !self.in_piece, "a piece follows the head or another piece's end");
        match &mut self.writing {
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

    /// Ends the piece that [`push`](Connection::push) began.
    ///
    /// # Panics
    /// If none was begun.
    pub fn pushed(&mut self, out: &mut Vec<u8>) {
        assert!(self.in_piece, "a piece ends that was begun");
        self.in_piece = false;
        if self.writing == Writing::Chunked {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Ends the response. `trailers` are rendered lines; they are sent only where the body is chunked, and dropped
    /// elsewhere, as RFC 9110 section 6.5 allows. A response that has ended already (without a body) stays so.
    ///
    /// # Errors
    /// [`Misuse::TooShort`]: the peer waits for bytes that will not come, so the connection must close.
    ///
    /// # Panics
    /// Before [`respond`](Connection::respond), or within a piece.
    pub fn finish(&mut self, trailers: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        assert!(self.responded() && !self.in_piece, "a response ends behind its head or a piece's end");
        match self.writing {
            Writing::Length(1..) => {
                self.closing = true;
                return Err(Misuse::TooShort);
            }
            Writing::Chunked => {
                out.extend_from_slice(b"0\r\n");
                out.extend_from_slice(trailers);
                out.extend_from_slice(b"\r\n");
            }
            Writing::Upgraded => return Ok(()),
            _ => {}
        }
        self.writing = Writing::Ended;
        Ok(())
    }

    /// Whether the final head was sent.
    pub fn responded(&self) -> bool {
        self.writing != Writing::Head
    }

    /// Whether the response has ended.
    pub fn writing_ended(&self) -> bool {
        self.writing == Writing::Ended
    }
}

/// How a response is framed and what its head says about it (RFC 9112 section 6.3, RFC 9110 section 8.6).
#[inline]
fn frame(method: Method, version: Version, status: Status, length: Option<u64>) -> (Framing, Announced) {
    let would_be = length.map_or(Announced::Nothing, Announced::Length);
    match (status.code(), length) {
        (101, _) => (Framing::Upgrade, Announced::Nothing),
        (200..=299, _) if method == Method::Connect => (Framing::Upgrade, Announced::Nothing),
        (204, _) => (Framing::None, Announced::Nothing),
        // Content must be said to be absent: 205 has no bodiless framing of its own (RFC 9110 section 15.3.6).
        (205, _) => (Framing::None, Announced::Length(0)),
        // A length of zero is what a response without content has anyway, not what the 200 would have had.
        (304, Some(0)) => (Framing::None, Announced::Nothing),
        (304, _) => (Framing::None, would_be),
        _ if method == Method::Head => (Framing::None, would_be),
        (_, Some(length)) => (Framing::Length(length), would_be),
        (_, None) if version == Version::Http10 => (Framing::UntilClose, Announced::Nothing),
        (_, None) => (Framing::Chunked, Announced::Chunked),
    }
}

#[inline]
fn status_line(status: Status, out: &mut Vec<u8>) {
    match status {
        Status::OK => out.extend_from_slice(b"HTTP/1.1 200 OK\r\n"),
        _ => other_status_line(status, out),
    }
}

fn other_status_line(status: Status, out: &mut Vec<u8>) {
    match status.line() {
        [] => unregistered_status_line(status, out),
        line => out.extend_from_slice(line),
    }
}

#[cold]
fn option_line(option: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"Connection: ");
    out.extend_from_slice(option);
    out.extend_from_slice(b"\r\n");
}

/// The reason may be empty, the space before it not (RFC 9112 section 4).
#[cold]
fn unregistered_status_line(status: Status, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    decimal(u64::from(status.code()), out);
    out.extend_from_slice(b" \r\n");
}

impl Announced {
    #[inline]
    fn write(self, out: &mut Vec<u8>) {
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
fn decimal(mut number: u64, out: &mut Vec<u8>) {
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
