//! How received bytes become frames, and frames events (RFC 9113 sections 4 to 6).

use super::budget::Kind;
use super::connection::Connection;
use super::error::{Error, ErrorCode};
use super::event::Event;
use super::frame::{HEADER_BYTES, Header, PREFACE, flag, kind, number};
use super::role::Role;
use super::settings::ENTRY_BYTES;
use super::streams::StreamKey;
use alloc::vec::Vec;

/// What is being read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// The client's preface, of which so much has come.
    Preface { matched: u8 },
    /// The first frame, which is SETTINGS.
    FirstFrame,
    /// A frame's header, and so much of the payload as its type needs.
    Frame,
    /// So much of a header block, then so much padding.
    Fragment { remaining: u32, padding: u32, ends: bool },
    /// So much content, then so much padding.
    Data { stream: StreamKey, remaining: u32, padding: u32, ended: bool },
    /// So many bytes that mean nothing.
    Skip { remaining: u32 },
    /// So many bytes of settings.
    Settings { remaining: u32 },
    /// Nothing: the connection broke.
    Failed,
}

/// A header block that has begun: nothing else may come until it ends (RFC 9113 section 4.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub stream: u32,
    /// END_STREAM came with it.
    pub ended: bool,
    pub continuations: u16,
}

/// What a step found.
pub(super) enum Step {
    /// Nothing to tell; the next step begins there.
    Next(usize),
    /// Nothing more without more bytes.
    Need,
    /// Something to tell.
    Told(Event),
}

impl<R: Role> Connection<R> {
    /// Brings received bytes in. `input` begins at the first byte that is not done with. What we have to say to it at once, such as acknowledgements, is appended to `out`.
    ///
    /// `head` receives heads ([`Event::Head`], [`Event::Interim`]) and trailers ([`Event::Trailers`]): it is cleared before. Streams take turns, so a head that is still in use
    /// must not be given again.
    ///
    /// # Errors
    /// What the peer did wrong: the connection is over. Tell it so by [`fail`](Connection::fail).
    ///
    /// # Panics
    /// If called again after an error, or after [`fail`](Connection::fail).
    pub fn handle(&mut self, input: &[u8], head: &mut R::Head, out: &mut Vec<u8>) -> Result<Event, Error> {
        let mut at = 0;
        loop {
            match self.step(input, at, head, out) {
                Ok(Step::Next(next)) => at = next,
                Ok(Step::Need) => return Ok(Event::Need { consumed: at }),
                Ok(Step::Told(event)) => return Ok(event),
                Err(error) => {
                    self.reading = Reading::Failed;
                    return Err(error);
                }
            }
        }
    }

    /// Reads what begins at `at`.
    fn step(
        &mut self,
        input: &[u8],
        at: usize,
        head: &mut R::Head,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        match self.reading {
            Reading::Frame => self.read_frame(input, at, head, out),
            Reading::Data { stream, remaining, padding, ended } => {
                Ok(self.read_data(input, at, stream, [remaining, padding], ended))
            }
            Reading::Skip { remaining } => Ok(self.skip(input, at, remaining)),
            Reading::Fragment { remaining, padding, ends } => {
                self.read_fragment(input, at, [remaining, padding], ends, head, out)
            }
            Reading::Settings { remaining } => self.read_settings(input, at, remaining, out),
            Reading::Preface { matched } => self.read_preface(input, at, matched),
            Reading::FirstFrame => self.read_first_frame(input, at),
            Reading::Failed => panic!("a connection is not read from after an error"),
        }
    }

    /// Byte by byte: what is no preface shows at its first wrong byte.
    fn read_preface(&mut self, input: &[u8], at: usize, matched: u8) -> Result<Step, Error> {
        let awaited = &PREFACE[usize::from(matched)..];
        let length = awaited.len().min(input.len() - at);
        if input[at..at + length] != awaited[..length] {
            return Err(Error::InvalidPreface);
        }
        self.reading = match length == awaited.len() {
            true => Reading::FirstFrame,
            false => Reading::Preface { matched: matched + length as u8 },
        };
        Ok(if length == 0 { Step::Need } else { Step::Next(at + length) })
    }

    /// SETTINGS, and no acknowledgement (RFC 9113 section 3.4).
    fn read_first_frame(&mut self, input: &[u8], at: usize) -> Result<Step, Error> {
        let Some(header) = Header::read(&input[at..]) else { return Ok(Step::Need) };
        if header.kind != kind::SETTINGS || header.has(flag::ACK) {
            return Err(Error::MissingSettings);
        }
        self.reading = Reading::Frame;
        Ok(Step::Next(at))
    }

    /// A frame's header, and so much of its payload as its type needs.
    fn read_frame(
        &mut self,
        input: &[u8],
        at: usize,
        head: &mut R::Head,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        let Some(header) = Header::read(&input[at..]) else { return Ok(Step::Need) };
        if header.length > self.limits.frame_bytes {
            return Err(Error::FrameTooLarge);
        }
        if self.block.is_some() != (header.kind == kind::CONTINUATION) {
            let interrupts = self.block.is_some();
            return Err(if interrupts { Error::InterruptedBlock } else { Error::UnexpectedContinuation });
        }
        let payload = at + HEADER_BYTES;
        match header.kind {
            kind::HEADERS => self.headers(header, input, payload, head, out),
            kind::DATA => self.data(header, input, payload, out),
            kind::WINDOW_UPDATE => self.window_update(header, input, payload, out),
            kind::RST_STREAM => self.rst_stream(header, input, payload),
            kind::CONTINUATION => self.continuation(header, payload),
            kind::SETTINGS => self.settings(header, payload),
            kind::PING => self.ping(header, input, payload, out),
            kind::GOAWAY => self.goaway(header, input, payload),
            kind::PRIORITY => self.priority_frame(header, input, payload),
            kind::PRIORITY_UPDATE => self.priority_update(header, input, payload),
            // Clients do not send it, and ours have told the server not to (section 8.4).
            kind::PUSH_PROMISE => Err(Error::UnexpectedPromise),
            // Section 5.5.
            _ => self.useless(header.length, payload),
        }
    }

    /// A frame that means nothing: its payload is skipped.
    pub(super) fn useless(&mut self, length: u32, payload: usize) -> Result<Step, Error> {
        self.budgets.spend(Kind::Useless, &self.limits)?;
        Ok(self.skip_next(length, payload))
    }

    pub(super) fn skip_next(&mut self, length: u32, next: usize) -> Step {
        self.reading = if length == 0 { Reading::Frame } else { Reading::Skip { remaining: length } };
        Step::Next(next)
    }

    fn skip(&mut self, input: &[u8], at: usize, remaining: u32) -> Step {
        let length = available(input, at, remaining);
        if length == 0 {
            return Step::Need;
        }
        self.skip_next(remaining - length, at + length as usize)
    }

    fn rst_stream(&mut self, header: Header, input: &[u8], payload: usize) -> Result<Step, Error> {
        on_stream(header)?;
        let Some(error) = whole(header, 4, input, payload)? else { return Ok(Step::Need) };
        let error = ErrorCode(number(error));
        let consumed = payload + 4;
        match self.look_up(header.stream)? {
            Some(stream) if self.is_live(stream) => {
                self.reset_by_peer(stream)?;
                Ok(Step::Told(Event::Reset { stream, error, fault: None, consumed }))
            }
            _ => self.useless(0, consumed),
        }
    }

    fn settings(&mut self, header: Header, payload: usize) -> Result<Step, Error> {
        on_connection(header)?;
        if header.has(flag::ACK) {
            if header.length != 0 {
                return Err(Error::InvalidFrameSize);
            }
            return self.settings_acknowledged(payload);
        }
        if !header.length.is_multiple_of(ENTRY_BYTES as u32) {
            return Err(Error::InvalidFrameSize);
        }
        self.budgets.spend(Kind::Settings, &self.limits)?;
        self.reading = Reading::Settings { remaining: header.length };
        Ok(Step::Next(payload))
    }

    /// Setting by setting; what they mean together once all are there.
    fn read_settings(
        &mut self,
        input: &[u8],
        at: usize,
        remaining: u32,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        if remaining == 0 {
            self.reading = Reading::Frame;
            let opened = self.settings_received(out)?;
            let event = Event::Window { stream: None, consumed: at };
            return Ok(if opened { Step::Told(event) } else { Step::Next(at) });
        }
        let Some(entry) = input.get(at..at + ENTRY_BYTES) else { return Ok(Step::Need) };
        self.peer.take(entry, !R::SERVER)?;
        self.reading = Reading::Settings { remaining: remaining - ENTRY_BYTES as u32 };
        Ok(Step::Next(at + ENTRY_BYTES))
    }

    fn ping(
        &mut self,
        header: Header,
        input: &[u8],
        payload: usize,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        on_connection(header)?;
        let Some(opaque) = whole(header, 8, input, payload)? else { return Ok(Step::Need) };
        if header.has(flag::ACK) {
            return self.useless(0, payload + 8);
        }
        self.budgets.spend(Kind::Ping, &self.limits)?;
        out.extend_from_slice(&Header { flags: flag::ACK, ..header }.bytes());
        out.extend_from_slice(opaque);
        Ok(Step::Next(payload + 8))
    }

    /// What the peer says behind the code is for its own people.
    fn goaway(&mut self, header: Header, input: &[u8], payload: usize) -> Result<Step, Error> {
        on_connection(header)?;
        if header.length < 8 {
            return Err(Error::InvalidFrameSize);
        }
        let Some(said) = input.get(payload..payload + 8) else { return Ok(Step::Need) };
        let (last_stream, error) = (number(&said[..4]) & 0x7fff_ffff, ErrorCode(number(&said[4..])));
        if self.peers_last.is_some_and(|before| before < last_stream) {
            return Err(Error::LastStreamIncreased);
        }
        // One or two are useful.
        if self.peers_last.is_some() {
            self.budgets.spend(Kind::Useless, &self.limits)?;
        }
        self.peers_last = Some(last_stream);
        let consumed = payload + 8;
        self.skip_next(header.length - 8, consumed);
        Ok(Step::Told(Event::GoAway { last_stream, error, consumed }))
    }
}

/// How many of the next `remaining` bytes are there.
#[inline]
pub(super) fn available(input: &[u8], at: usize, remaining: u32) -> u32 {
    (input.len() - at).min(remaining as usize) as u32
}

#[inline]
pub(super) fn on_stream(header: Header) -> Result<(), Error> {
    if header.stream == 0 { Err(Error::StreamZero) } else { Ok(()) }
}

#[inline]
pub(super) fn on_connection(header: Header) -> Result<(), Error> {
    if header.stream == 0 { Ok(()) } else { Err(Error::NotStreamZero) }
}

/// The payload of a frame that always has this length; `None` if it is not whole.
#[inline]
pub(super) fn whole(
    header: Header,
    length: usize,
    input: &[u8],
    payload: usize,
) -> Result<Option<&[u8]>, Error> {
    if header.length as usize != length {
        return Err(Error::InvalidFrameSize);
    }
    Ok(input.get(payload..payload + length))
}
