//! The connection, seen by the server, and how it reads requests. What follows a head is read by the [reader](super::reader); the
//! writing half is in [`respond`](super::respond).

use super::error::Error;
use super::fields::{self, Section};
use super::reader::{Piece, Reader};
use super::repeated::Repeated;
use super::request_fields::Said;
use super::request_line;
use super::state::{HeadProgress, Reading};
use super::writer::Writer;
use crate::http::{Head, Method, Version};
use crate::limits::Limits;
use crate::scan::Level;
use alloc::boxed::Box;

/// What received bytes were. Offsets count from the start of the input that was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// More bytes are needed. Call again with what follows the first `consumed` bytes and more behind it.
    Need {
        /// How many bytes are done with.
        consumed: usize,
    },
    /// A head was read; its spans count from the first byte of this input.
    Head {
        /// How many bytes are done with: [`Head::length`].
        consumed: usize,
    },
    /// A piece of the body: `input[start..end]`, never empty.
    Data {
        /// Where it begins.
        start: usize,
        /// Where it ends; the bytes before are done with.
        end: usize,
    },
    /// The request has ended. [`Head::fields`] are its trailers, whose spans count from the first byte of this input.
    End {
        /// How many bytes are done with. What follows belongs to the next request.
        consumed: usize,
    },
}

impl From<Piece> for Event {
    #[inline]
    fn from(piece: Piece) -> Event {
        match piece {
            Piece::Need { consumed } => Event::Need { consumed },
            Piece::Data { start, end } => Event::Data { start, end },
            Piece::End { consumed } => Event::End { consumed },
        }
    }
}

/// One HTTP/1.x connection, seen by the server: both halves of it.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    said: Said,
    /// Empty lines consumed before the request line.
    empty_lines: u8,
    pub(super) method: Method,
    pub(super) version: Version,
    /// What the request said about the connection's future.
    pub(super) persists: bool,
    /// What we say about it.
    pub(super) closing: bool,
    /// A section of fields that was read; made when the first one is.
    repeated: Option<Box<Repeated>>,
}

impl Connection {
    /// A connection on which nothing has happened yet.
    pub fn new(limits: Limits) -> Connection {
        Connection {
            reader: Reader::new(limits),
            writer: Writer::START,
            said: Said::default(),
            empty_lines: 0,
            method: Method::Get,
            version: Version::Http11,
            persists: true,
            closing: false,
            repeated: None,
        }
    }

    /// Begins anew, as for another peer. Only what was learnt of how clients speak stays.
    pub fn restart(&mut self) {
        self.reader.restart();
        self.writer = Writer::START;
        (self.said, self.empty_lines) = (Said::default(), 0);
        (self.method, self.version) = (Method::Get, Version::Http11);
        (self.persists, self.closing) = (true, false);
    }

    /// The same, scanning with this level instead of [`Level::BASELINE`].
    #[must_use]
    pub fn with_level(mut self, level: Level) -> Connection {
        self.reader.level = level;
        self
    }

    /// Brings received bytes in. `input` begins at the first byte that is not done with; `head` receives the head.
    ///
    /// * **Until [`Event::Head`]** give the same `head` each time, and an `input` that begins at the same byte (but
    ///   for what `consumed` says) and has grown: the parts already read are not read again.
    /// * **After it** give another `head`, for the trailers, since the request's own is in use: it is cleared, and at
    ///   [`Event::End`] it holds the trailer fields and nothing else. Pieces of the body need not stay; trailers are
    ///   asked for (`Need` with `consumed: 0`) until their section is there as a whole.
    /// * **After [`Event::End`]** nothing is read until [`next`](Connection::next): the answer is `Need`, consuming nothing.
    ///
    /// A request without a body is a `Head` and, at the next call, an `End` that consumes nothing.
    ///
    /// # Errors
    /// What the peer did wrong. The connection is then to be answered with [`Error::status`] and closed.
    ///
    /// # Panics
    /// If called again after an error, or after an upgrade.
    pub fn handle(&mut self, input: &[u8], head: &mut Head) -> Result<Event, Error> {
        let result = match self.reader.at {
            Reading::Head(progress) => self.read_head(progress, input, head),
            _ => self.reader.read(input, head).map(Event::from).map_err(Error::from),
        };
        if result.is_err() {
            self.reader.at = Reading::Failed;
            self.closing = true;
        }
        result
    }

    /// Request line, fields, and what they mean together.
    fn read_head(&mut self, progress: HeadProgress, input: &[u8], head: &mut Head) -> Result<Event, Error> {
        // Empty lines count too, also those of earlier calls: a head's limit must not depend on how it is cut.
        let most =
            usize::from(self.reader.limits.head_bytes).saturating_sub(2 * usize::from(self.empty_lines));
        let input = &input[..input.len().min(most)];
        let mut line = usize::from(progress.line);
        if !progress.in_fields {
            let (start, next) = self.read_request_line(input, head)?;
            match next {
                Some(next) => line = next,
                None if input.len() == most => return Err(Error::HeadTooLarge),
                None => return Ok(Event::Need { consumed: start }),
            }
        }
        match self.read_fields(input, line, head)? {
            (next, true) => self.settle(next, head),
            _ if input.len() == most => Err(Error::HeadTooLarge),
            (next, false) => {
                self.reader.at = Reading::Head(HeadProgress { line: next as u16, in_fields: true });
                Ok(Event::Need { consumed: 0 })
            }
        }
    }

    /// Where the request line begins, and where the next line does if it is whole. Empty lines before it are
    /// skipped (RFC 9112 section 2.2).
    fn read_request_line(&mut self, input: &[u8], head: &mut Head) -> Result<(usize, Option<usize>), Error> {
        head.clear();
        let (mut start, mut empty_lines) = (0, self.empty_lines);
        while let Some(b'\r' | b'\n') = input.get(start) {
            let Some(next) = empty_line(input, start)? else { break };
            if empty_lines == self.reader.limits.empty_lines {
                return Err(Error::TooManyEmptyLines);
            }
            (start, empty_lines) = (next, empty_lines + 1);
        }
        if matches!(input.get(start), None | Some(b'\r')) {
            self.empty_lines = empty_lines;
            return Ok((start, None));
        }
        let next = request_line::read(self.reader.level, &self.reader.limits, input, start, head)?;
        match next {
            Some(_) => (self.method, self.version, self.said) = (head.method, head.version, Said::default()),
            None => self.empty_lines = empty_lines,
        }
        Ok((start, next))
    }

    /// Reads the fields from `start` on. Returns where it stopped and whether the section ended there.
    #[inline]
    fn read_fields(&mut self, input: &[u8], start: usize, head: &mut Head) -> Result<(usize, bool), Error> {
        let whole = head.fields.is_empty();
        if whole
            && let Some(repeated) = &mut self.repeated
            && let Some(end) = repeated.recall(input, start, head, &mut self.said)
        {
            return Ok((end, true));
        }
        let most = usize::from(self.reader.limits.fields);
        let section = Section { line: start, most, meaning: &mut self.said, head };
        let (next, ended) = self.reader.level.pass(input, section)?;
        if ended && whole {
            self.repeated.get_or_insert_default().note(input, start, next, head, self.said);
        }
        Ok((next, ended))
    }

    /// The head is whole: what follows it, and whether the connection persists.
    #[inline]
    fn settle(&mut self, end: usize, head: &mut Head) -> Result<Event, Error> {
        self.persists = self.said.settle(head)?;
        head.length = end as u16;
        self.reader.at = Reading::after_head(head.body);
        Ok(Event::Head { consumed: end })
    }

    /// Whether another request may follow this one: HTTP/1.1 unless the client said `close`, HTTP/1.0 only if it
    /// said `keep-alive` (RFC 9112 section 9.3), and neither after [`close`](Connection::close), an error, an
    /// upgrade, or a body that ends with the connection.
    pub fn keep_alive(&self) -> bool {
        self.persists && !self.closing
    }

    /// We decide that this request is the last: its response says `Connection: close` if it is still to be sent.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// The method of the present request.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Whether bytes of a body, or its end, are still to come.
    pub fn is_reading_body(&self) -> bool {
        self.reader.is_in_body()
    }

    /// Whether [`Event::End`] was told.
    pub fn reading_ended(&self) -> bool {
        self.reader.at == Reading::Ended
    }

    /// How much of the body is still to come, to decide whether it is worth discarding. `None` if that is not known:
    /// the body is chunked, or the head is not read yet.
    pub fn body_remaining(&self) -> Option<u64> {
        self.reader.body_remaining()
    }

    /// Begins the next request.
    ///
    /// # Panics
    /// If a half has not ended or the connection does not go on.
    pub fn next(&mut self) {
        assert!(
            self.reading_ended() && self.writing_ended(),
            "the next request begins when both halves ended"
        );
        assert!(self.keep_alive(), "no request follows on a connection that is to be closed");
        self.restart();
    }
}

/// Where the line after the empty line at `at` begins; `None` if it is not whole.
fn empty_line(input: &[u8], at: usize) -> Result<Option<usize>, Error> {
    if input[at] == b'\n' {
        return Err(Error::BareLineFeed);
    }
    Ok(fields::line_feed(input, at)?)
}
