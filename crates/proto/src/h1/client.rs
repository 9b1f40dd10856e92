//! The connection, seen by the client, and how it reads responses. What follows a head is read by the [reader](super::reader);
//! the writing half is in [`request`](super::request).

use super::chunked::Chunk;
use super::fields::Section;
use super::reader::{Piece, Reader};
use super::response_error::ResponseError;
use super::response_fields::{Said, opens_tunnel};
use super::state::{HeadProgress, Reading, Writing};
use super::status_line;
use super::writer::Writer;
use crate::http::{Method, ResponseBody, ResponseHead, Status};
use crate::limits::Limits;
use crate::scan::Level;

/// What bytes from a server were. Offsets count from the start of the input that was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientEvent {
    /// More bytes are needed. Call again with what follows the first `consumed` bytes and more behind it.
    Need {
        /// How many bytes are done with.
        consumed: usize,
    },
    /// An interim response was read: 1xx, but not 101. The head holds it until the next call; another response follows.
    Interim {
        /// How many bytes are done with: [`ResponseHead::length`].
        consumed: usize,
    },
    /// The final head was read, or that of a switch of protocols; its spans count from the first byte of this input. If the request has
    /// not been [written to its end](Client::writing_ended), the server decided without the rest of it.
    Head {
        /// How many bytes are done with: [`ResponseHead::length`].
        consumed: usize,
    },
    /// A piece of the body: `input[start..end]`, never empty.
    Data {
        /// Where it begins.
        start: usize,
        /// Where it ends; the bytes before are done with.
        end: usize,
    },
    /// The response has ended. [`ResponseHead::fields`] are its trailers, whose spans count from the first byte of this input.
    End {
        /// How many bytes are done with. What follows was sent unasked.
        consumed: usize,
    },
}

impl From<Piece> for ClientEvent {
    #[inline]
    fn from(piece: Piece) -> ClientEvent {
        match piece {
            Piece::Need { consumed } => ClientEvent::Need { consumed },
            Piece::Data { start, end } => ClientEvent::Data { start, end },
            Piece::End { consumed } => ClientEvent::End { consumed },
        }
    }
}

/// One HTTP/1.x connection, seen by the client: both halves of it. One request at a time is under way on it.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    said: Said,
    pub(super) method: Method,
    /// The request offered another protocol.
    pub(super) asked_to_switch: bool,
    /// A byte of the response came.
    begun: bool,
    /// Interim responses to this request so far.
    interim_responses: u8,
    /// What the response said about the connection's future.
    persists: bool,
    /// What we, or the order of things, say about it.
    pub(super) closing: bool,
}

impl Client {
    /// A connection on which nothing has happened yet.
    pub fn new(limits: Limits) -> Client {
        Client {
            reader: Reader::new(limits),
            writer: Writer::START,
            said: Said::default(),
            method: Method::Get,
            asked_to_switch: false,
            begun: false,
            interim_responses: 0,
            persists: true,
            closing: false,
        }
    }

    /// Begins anew, as with another server.
    pub fn restart(&mut self) {
        self.reader.restart();
        self.writer = Writer::START;
        self.said = Said::default();
        (self.method, self.asked_to_switch) = (Method::Get, false);
        (self.begun, self.interim_responses) = (false, 0);
        (self.persists, self.closing) = (true, false);
    }

    /// The same, scanning with this level instead of [`Level::BASELINE`].
    #[must_use]
    pub fn with_level(mut self, level: Level) -> Client {
        self.reader.level = level;
        self
    }

    /// Brings received bytes in. `input` begins at the first byte that is not done with; `head` receives heads, and then trailers.
    ///
    /// * **Until [`ClientEvent::Head`]** give the same `head` each time, and an `input` that begins at the same byte (but for what
    ///   `consumed` says) and has grown. An interim response is in `head` until the next call.
    /// * **After it** give another `head`, for the trailers, if the response's own is in use: it is cleared, and at
    ///   [`ClientEvent::End`] it holds the trailer fields and nothing else. Pieces of the body need not stay; trailers are
    ///   asked for (`Need` with `consumed: 0`) until their section is there as a whole.
    /// * **After [`ClientEvent::End`]** nothing is read until [`next`](Client::next), and bytes that are there all the same rule it out
    ///   ([`keep_alive`](Client::keep_alive)).
    ///
    /// A response without a body is a `Head` and, at the next call, an `End` that consumes nothing. One that ends with the connection
    /// gets no `End`: [`ended`](Client::ended) tells it.
    ///
    /// # Errors
    /// What the server did wrong. The connection is then to be closed. Bytes before a [`request`](Client::request) are wrong, too.
    ///
    /// # Panics
    /// If called again after an error, or [after an upgrade](Client::upgraded).
    pub fn handle(&mut self, input: &[u8], head: &mut ResponseHead) -> Result<ClientEvent, ResponseError> {
        let result = match self.reader.at {
            Reading::Head(progress) => self.read_head(progress, input, head),
            _ => self.read_body(input, head),
        };
        if result.is_err() {
            self.reader.at = Reading::Failed;
            self.closing = true;
        }
        result
    }

    /// Status line, fields, and what they mean together.
    fn read_head(
        &mut self,
        progress: HeadProgress,
        input: &[u8],
        head: &mut ResponseHead,
    ) -> Result<ClientEvent, ResponseError> {
        if input.is_empty() {
            return Ok(ClientEvent::Need { consumed: 0 });
        }
        if self.writer.at == Writing::Head {
            return Err(ResponseError::UnaskedResponse);
        }
        self.begun = true;
        let most = usize::from(self.reader.limits.head_bytes);
        let input = &input[..input.len().min(most)];
        match self.read_lines(progress, input, head)? {
            Some(end) => self.settle(end, head),
            None if input.len() == most => Err(ResponseError::HeadTooLarge),
            None => Ok(ClientEvent::Need { consumed: 0 }),
        }
    }

    /// The lines that have not been read yet. Returns where the head ends, if it is whole.
    fn read_lines(
        &mut self,
        progress: HeadProgress,
        input: &[u8],
        head: &mut ResponseHead,
    ) -> Result<Option<usize>, ResponseError> {
        let mut line = usize::from(progress.line);
        if !progress.in_fields {
            head.clear();
            let Some(next) = status_line::read(self.reader.level, input, head)? else { return Ok(None) };
            (line, self.said) = (next, Said::default());
        }
        let most = usize::from(self.reader.limits.fields);
        let section = Section { line, most, meaning: &mut self.said, head };
        let (next, ended) = self.reader.level.pass(input, section)?;
        self.reader.at = Reading::Head(HeadProgress { line: next as u16, in_fields: true });
        Ok(ended.then_some(next))
    }

    /// The head is whole: what follows it, and whether the connection persists.
    fn settle(&mut self, end: usize, head: &mut ResponseHead) -> Result<ClientEvent, ResponseError> {
        head.length = end as u16;
        let switches = head.status == Status::SWITCHING_PROTOCOLS;
        if switches && !self.asked_to_switch {
            return Err(ResponseError::UnaskedSwitch);
        }
        let persists = self.said.settle(self.method, head)?;
        if head.status.is_informational() && !switches {
            return self.count_interim(end);
        }
        self.persists = persists;
        self.reader.at = match head.body {
            ResponseBody::None if switches || opens_tunnel(self.method, head.status) => Reading::Upgraded,
            ResponseBody::None => Reading::Over,
            ResponseBody::Known(length) => Reading::after_data(length),
            ResponseBody::Chunked => Reading::Chunked(Chunk::START),
            ResponseBody::UntilClose => Reading::UntilClose,
        };
        Ok(ClientEvent::Head { consumed: end })
    }

    /// Another response follows; not endlessly.
    fn count_interim(&mut self, end: usize) -> Result<ClientEvent, ResponseError> {
        if self.interim_responses == self.reader.limits.interim_responses {
            return Err(ResponseError::TooManyInterimResponses);
        }
        self.interim_responses += 1;
        self.reader.at = Reading::START;
        Ok(ClientEvent::Interim { consumed: end })
    }

    /// What follows the head, and what follows the response: nothing should.
    fn read_body(&mut self, input: &[u8], head: &mut ResponseHead) -> Result<ClientEvent, ResponseError> {
        let piece = self.reader.read(input, head)?;
        if let Piece::End { consumed } | Piece::Need { consumed } = piece {
            self.closing |= self.reading_ended() && consumed < input.len();
        }
        Ok(piece.into())
    }

    /// The server has closed its half. Returns whether that ends the response, one whose body is framed by nothing else. Otherwise nothing
    /// is lost by it: no response was under way, it is there as a whole (and [`ClientEvent::End`] may still be to be told), or the bytes
    /// belong to another protocol.
    ///
    /// Say so only where nobody else can have ended the connection: over TLS that takes a close_notify.
    ///
    /// # Errors
    /// That the response is not whole: [`NoResponse`](ResponseError::NoResponse), where a request may be sent again (RFC 9110 section
    /// 9.2.2), or [`IncompleteHead`](ResponseError::IncompleteHead), or [`IncompleteBody`](ResponseError::IncompleteBody).
    pub fn ended(&mut self) -> Result<bool, ResponseError> {
        self.closing = true;
        let at = self.reader.at;
        match at {
            Reading::Head(_) if self.writer.at == Writing::Head => return Ok(false),
            Reading::Over | Reading::Ended | Reading::Upgraded | Reading::Failed => return Ok(false),
            Reading::UntilClose => self.reader.at = Reading::Ended,
            _ => self.reader.at = Reading::Failed,
        }
        match at {
            Reading::UntilClose => Ok(true),
            Reading::Head(_) if !self.begun => Err(ResponseError::NoResponse),
            Reading::Head(_) => Err(ResponseError::IncompleteHead),
            _ => Err(ResponseError::IncompleteBody),
        }
    }

    /// Whether another request may follow this one: both halves have ended and no bytes are left over, the response was HTTP/1.1 without
    /// `close`, or HTTP/1.0 with `keep-alive` (RFC 9112 section 9.3), and nothing ruled it out: [`close`](Client::close), an error, an
    /// upgrade, a body that ends with the connection, a 204 that announces a body.
    pub fn keep_alive(&self) -> bool {
        self.reading_ended() && self.writing_ended() && self.persists && !self.closing
    }

    /// We decide that this request is the last.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// The method of the request that is under way.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Whether bytes of a body, or its end, are still to come.
    pub fn is_reading_body(&self) -> bool {
        self.reader.is_in_body()
    }

    /// Whether [`ClientEvent::End`] was told, or [`ended`](Client::ended) took its place.
    pub fn reading_ended(&self) -> bool {
        self.reader.at == Reading::Ended
    }

    /// Whether all bytes that the server sends from here on belong to another protocol: after 101, or 2xx to CONNECT. Ours do once the
    /// request has been written to its end (RFC 9110 section 7.8).
    pub fn upgraded(&self) -> bool {
        self.reader.at == Reading::Upgraded
    }

    /// How much of the body is still to come, to decide whether it is worth discarding. `None` if that is not known: the body is chunked,
    /// it ends with the connection, or the head is not read yet.
    pub fn body_remaining(&self) -> Option<u64> {
        self.reader.body_remaining()
    }

    /// Begins the next request.
    ///
    /// # Panics
    /// If the connection does not go on.
    pub fn next(&mut self) {
        assert!(
            self.keep_alive(),
            "the next request begins on a connection that goes on, when both halves ended"
        );
        self.restart();
    }
}
