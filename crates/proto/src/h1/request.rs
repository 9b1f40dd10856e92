//! The writing half of the client: requests (RFC 9112 sections 3, 6, 7).
//!
//! A request is `request (push pushed)* finish`. Nothing is sent here: bytes are appended to a buffer, and the content itself
//! goes from the caller's hands to the socket without passing through.

use super::client::Client;
use super::state::Writing;
use super::writer::{Announced, Misuse};
use crate::http::{BodyLength, Method};
use alloc::vec::Vec;

/// What a request's head says.
#[derive(Clone, Copy, Debug)]
pub struct RequestToSend<'a> {
    /// The method.
    pub method: Method,
    /// Its text: what counts for [`Method::Other`]. A token.
    pub method_text: &'a str,
    /// The request target as it is to be written, in the form that the method asks for (RFC 9112 section 3.2). Visible ASCII.
    pub target: &'a str,
    /// Rendered lines, each `name: value\r\n`; Host is among them, and Upgrade where one is offered. Not among them: Connection,
    /// Content-Length, Transfer-Encoding, TE, Trailer, Keep-Alive and Proxy-Connection, which are the connection's to say
    /// ([`is_hop_by_hop`](crate::is_hop_by_hop)).
    pub fields: &'a [u8],
    /// How the body is framed; with [`BodyLength::None`] there is none, and the request ends with its head.
    pub body: BodyLength,
    /// Another protocol is offered, by the Upgrade field that is among `fields` (RFC 9110 section 7.8): `Connection: upgrade`.
    pub upgrade: bool,
    /// Trailers of the response will not be dropped (RFC 9110 section 10.1.4): `TE: trailers`.
    pub accepts_trailers: bool,
    /// No request will follow: `Connection: close`.
    pub closes: bool,
}

impl Client {
    /// The head of a request, which is sent as HTTP/1.1. Behind it come [pieces](Client::push) of the body as `head.body` has it, and
    /// [`finish`](Client::finish); without a body the request has ended.
    ///
    /// # Panics
    /// If a request was written already (see [`next`](Client::next)), or it is CONNECT with a body (RFC 9110 section 9.3.6 gives it no
    /// meaning). In debug builds, if a line could be read as two.
    pub fn request(&mut self, head: RequestToSend<'_>, out: &mut Vec<u8>) {
        assert!(!self.requested(), "one request at a time is under way");
        assert!(head.method != Method::Connect || head.body == BodyLength::None, "CONNECT has no body");
        debug_assert!(is_one_word(head.method_text) && is_one_word(head.target), "both are visible ASCII");
        debug_assert!(
            head.fields.is_empty() || head.fields.ends_with(b"\r\n"),
            "fields are lines, each with its end"
        );
        (self.method, self.asked_to_switch) = (head.method, head.upgrade);
        self.closing |= head.closes;
        // Pieces of a fixed length are copied in place; each of another costs a call.
        out.reserve(128 + head.method_text.len() + head.target.len() + head.fields.len());
        out.extend_from_slice(head.method.as_str().unwrap_or(head.method_text).as_bytes());
        out.push(b' ');
        out.extend_from_slice(head.target.as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        out.extend_from_slice(head.fields);
        connection(&head, out);
        let (at, announced) = match head.body {
            BodyLength::None => (Writing::Ended, Announced::Nothing),
            BodyLength::Known(length) => (Writing::Length(length), Announced::Length(length)),
            BodyLength::Chunked => (Writing::Chunked, Announced::Chunked),
        };
        announced.write(out);
        out.extend_from_slice(b"\r\n");
        self.writer.at = at;
    }

    /// Begins a piece of `length` bytes, which the caller puts right behind what is appended now. No piece is empty:
    /// an empty chunk would end the body.
    ///
    /// # Errors
    /// [`Misuse`], with nothing appended.
    ///
    /// # Panics
    /// If `length` is zero, before [`request`](Client::request), or within another piece.
    pub fn push(&mut self, length: usize, out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.writer.push(length, out)
    }

    /// Ends the piece that [`push`](Client::push) began.
    ///
    /// # Panics
    /// If none was begun.
    pub fn pushed(&mut self, out: &mut Vec<u8>) {
        self.writer.pushed(out);
    }

    /// Ends the request. `trailers` are rendered lines; they are sent only where the body is chunked, and dropped elsewhere, as RFC 9110
    /// section 6.5 allows. A request that has ended already (without a body) stays so.
    ///
    /// # Errors
    /// [`Misuse::TooShort`]: the server waits for bytes that will not come, so the connection must close.
    ///
    /// # Panics
    /// Before [`request`](Client::request), or within a piece.
    pub fn finish(&mut self, trailers: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        let finished = self.writer.finish(trailers, out);
        self.closing |= finished.is_err();
        finished
    }

    /// Whether a request is under way.
    pub fn requested(&self) -> bool {
        self.writer.at != Writing::Head
    }

    /// Whether the request has been written to its end.
    pub fn writing_ended(&self) -> bool {
        self.writer.at == Writing::Ended
    }
}

/// What Connection says: each field that is for this connection only is named there (RFC 9110 section 7.6.1).
fn connection(head: &RequestToSend<'_>, out: &mut Vec<u8>) {
    if head.accepts_trailers {
        out.extend_from_slice(b"TE: trailers\r\n");
    }
    let options = [("close", head.closes), ("upgrade", head.upgrade), ("te", head.accepts_trailers)];
    let mut before = "Connection: ";
    for (option, _) in options.into_iter().filter(|(_, said)| *said) {
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(option.as_bytes());
        before = ", ";
    }
    if before == ", " {
        out.extend_from_slice(b"\r\n");
    }
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
