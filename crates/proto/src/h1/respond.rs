//! The writing half: responses (RFC 9112 sections 4, 6, 7).
//!
//! A response is `inform* respond (push pushed)* finish`. Nothing is sent here: bytes are appended to a buffer, and
//! the content itself goes from the caller's hands to the socket without passing through.

use super::connection::Connection;
use super::state::{Reading, Writing};
pub(crate) use super::writer::Announced;
use super::writer::{Misuse, decimal};
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
    /// The time, as [`date`](super::date()) writes it; none where it is among the fields already, as in a response that is forwarded.
    pub date: Option<&'a [u8; 29]>,
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
        let (framing, announced) = final_framing(self.method, self.version, head.status, head.length);
        self.closing |= framing == Framing::UntilClose || matches!(self.reader.at, Reading::Head(_));
        // Pieces of a fixed length are copied in place; each of another costs a call.
        out.reserve(128 + head.fields.len());
        status_line(head.status, out);
        if let Some(date) = head.date {
            out.extend_from_slice(b"Date: ");
            out.extend_from_slice(date);
            out.extend_from_slice(b"\r\n");
        }
        if let Some(option) = self.connection_option(head.status, framing) {
            option_line(option, out);
        }
        announced.write(out);
        out.extend_from_slice(head.fields);
        out.extend_from_slice(b"\r\n");
        self.begin(framing);
        framing
    }

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
        (self.reader.at, self.writer.at) = (Reading::Ended, Writing::Ended);
        framing
    }

    /// What is to be said about the connection; mostly nothing, since persistence is the default of HTTP/1.1
    /// (RFC 9112 section 9.3).
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
        self.writer.at = Writing::after_head(framing);
        if framing == Framing::Upgrade {
            self.reader.at = Reading::Upgraded;
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
        self.writer.push(length, out)
    }

    /// Ends the piece that [`push`](Connection::push) began.
    ///
    /// # Panics
    /// If none was begun.
    pub fn pushed(&mut self, out: &mut Vec<u8>) {
        self.writer.pushed(out);
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
        let finished = self.writer.finish(trailers, out);
        self.closing |= finished.is_err();
        finished
    }

    /// Whether the final head was sent.
    pub fn responded(&self) -> bool {
        self.writer.at != Writing::Head
    }

    /// Whether the response has ended.
    pub fn writing_ended(&self) -> bool {
        self.writer.at == Writing::Ended
    }
}

/// How a response is framed and what its head says about it (RFC 9112 section 6.3, RFC 9110 section 8.6).
#[inline]
pub(crate) fn final_framing(
    method: Method,
    version: Version,
    status: Status,
    length: Option<u64>,
) -> (Framing, Announced) {
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
