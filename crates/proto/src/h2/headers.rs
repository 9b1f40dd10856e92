//! HEADERS and CONTINUATION: how header blocks are gathered, and which stream they are for (RFC 9113 sections 4.3, 6.2, 6.10).

use super::budget::Kind;
use super::connection::Connection;
use super::content::padding;
use super::error::{Error, ErrorCode};
use super::event::Event;
use super::frame::{Header, flag, number};
use super::receive::{Block, Reading, Step, available, on_stream};
use super::role::{Opening, Role};
use super::state::Receiving;
use super::streams::{Found, StreamKey, UNKNOWN};
use super::trailers;
use alloc::vec::Vec;

/// What priorities of RFC 7540 take in a frame.
const PRIORITY_BYTES: u32 = 5;

impl<R: Role> Connection<R> {
    pub(super) fn headers(
        &mut self,
        header: Header,
        input: &[u8],
        payload: usize,
        head: &mut R::Head,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        on_stream(header)?;
        let others = if header.has(flag::PRIORITY) { PRIORITY_BYTES } else { 0 };
        let Some((prefix, padding)) = padding(header, others, input, payload)? else { return Ok(Step::Need) };
        let start = payload + prefix as usize;
        if others > 0 {
            let Some(dependency) = input.get(start - 5..start) else { return Ok(Step::Need) };
            depends_on_other(header.stream, dependency)?;
        }
        self.admit(header.stream)?;
        let (length, ended) = (header.length - prefix - padding, header.has(flag::END_STREAM));
        let end = start + length as usize;
        if length > self.limits.header_block_bytes {
            return Err(Error::BlockTooLarge);
        }
        if header.has(flag::END_HEADERS)
            && let Some(block) = input.get(start..end)
        {
            self.skip_next(padding, end);
            let opening = Opening { block, stream: header.stream, ended, consumed: end };
            return self.take_block(opening, head, out);
        }
        self.scratch.block.clear();
        self.block = Some(Block { stream: header.stream, ended, continuations: 0 });
        self.fragment(length, padding, header, start)
    }

    pub(super) fn continuation(&mut self, header: Header, payload: usize) -> Result<Step, Error> {
        let block = self.block.as_mut().filter(|block| block.stream == header.stream);
        let Some(block) = block else { return Err(Error::InterruptedBlock) };
        block.continuations += 1;
        if block.continuations > self.limits.continuations {
            return Err(Error::TooManyContinuations);
        }
        self.fragment(header.length, 0, header, payload)
    }

    /// A frame has so much of a block.
    fn fragment(&mut self, length: u32, padding: u32, header: Header, start: usize) -> Result<Step, Error> {
        if self.scratch.block.len() + length as usize > self.limits.header_block_bytes as usize {
            return Err(Error::BlockTooLarge);
        }
        let ends = header.has(flag::END_HEADERS);
        self.reading = Reading::Fragment { remaining: length, padding, ends };
        Ok(Step::Next(start))
    }

    pub(super) fn read_fragment(
        &mut self,
        input: &[u8],
        at: usize,
        [remaining, padding]: [u32; 2],
        ends: bool,
        head: &mut R::Head,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        let length = available(input, at, remaining);
        let end = at + length as usize;
        self.scratch.block.extend_from_slice(&input[at..end]);
        if length < remaining {
            self.reading = Reading::Fragment { remaining: remaining - length, padding, ends };
            return Ok(if length == 0 { Step::Need } else { Step::Next(end) });
        }
        let step = self.skip_next(padding, end);
        let Some(Block { stream, ended, .. }) = self.block.take_if(|_| ends) else { return Ok(step) };
        let block = core::mem::take(&mut self.scratch.block);
        let taken = self.take_block(Opening { block: &block, stream, ended, consumed: end }, head, out);
        self.scratch.block = block;
        taken
    }

    /// Whether a block may begin for this stream at all: as far as the connection is concerned (RFC 9113 section 5.1.1).
    fn admit(&self, id: u32) -> Result<(), Error> {
        match self.streams.find(id) {
            Found::Slot(slot) => {
                let key = StreamKey { id, slot };
                self.is_not_reserved(key)?;
                let may_come = self.is_live(key) || self.was_cut_off(id, Some(key));
                if may_come { Ok(()) } else { Err(Error::StreamClosed) }
            }
            Found::Idle if !R::SERVER => Err(Error::IdleStream),
            Found::Idle if id & 1 == 0 => Err(Error::InvalidStreamIdentifier),
            Found::Idle => Ok(()),
            Found::Closed if self.was_cut_off(id, None) => Ok(()),
            Found::Closed if id > self.skipped.0 && id < self.skipped.1 => {
                Err(Error::InvalidStreamIdentifier)
            }
            Found::Closed => Err(Error::StreamClosed),
        }
    }

    /// A block is there as a whole: it begins a message, or ends one, or is for a stream that is over.
    fn take_block(
        &mut self,
        opening: Opening<'_>,
        head: &mut R::Head,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        let next = opening.consumed;
        let key = match self.streams.find(opening.stream) {
            Found::Slot(slot) => Some(StreamKey { id: opening.stream, slot }),
            Found::Idle => return Ok(told(R::message(self, None, opening, head, out)?, next)),
            Found::Closed => None,
        };
        let receiving = key.map_or(Receiving::Reset, |key| self.streams.at(key.slot).receiving);
        match (receiving, key) {
            (Receiving::Head, _) => Ok(told(R::message(self, key, opening, head, out)?, next)),
            (Receiving::Content, Some(key)) => self.trailers(key, opening, head, out).map(Step::Told),
            (Receiving::Ended, Some(key)) => {
                self.decode(opening.block)?;
                let fault = "a header block came behind the end of the stream";
                self.fault(key, ErrorCode::STREAM_CLOSED, fault, next, out).map(Step::Told)
            }
            _ => {
                // It was on its way when the stream was reset, and the dynamic table has to go on.
                self.budgets.spend(Kind::Useless, &self.limits)?;
                self.decode(opening.block)?;
                Ok(Step::Next(next))
            }
        }
    }

    /// Decodes a block into the list of the scratch memory.
    pub(super) fn decode(&mut self, block: &[u8]) -> Result<(), Error> {
        let list = &mut self.scratch.list;
        list.limit = self.limits.header_list_bytes as usize;
        list.most_fields = usize::from(self.limits.fields);
        self.scratch.recalled = false;
        Ok(self.decoder.decode(block, list)?)
    }

    /// The end of a message (RFC 9113 section 8.1).
    fn trailers(
        &mut self,
        key: StreamKey,
        opening: Opening<'_>,
        head: &mut R::Head,
        out: &mut Vec<u8>,
    ) -> Result<Event, Error> {
        self.decode(opening.block)?;
        let stream = self.streams.at(key.slot);
        let malformed = match stream.to_receive {
            _ if stream.is_tunnel => Some("a header block came on a tunnel"),
            _ if !opening.ended => Some("a second header block does not end the stream"),
            length if length != 0 && length != UNKNOWN => Some("the content is shorter than its length"),
            _ => None,
        };
        if let Some(fault) = malformed {
            return self.fault(key, ErrorCode::PROTOCOL_ERROR, fault, opening.consumed, out);
        }
        if self.scratch.list.too_large {
            let fault = "the trailers are too large";
            return self.fault(key, ErrorCode::ENHANCE_YOUR_CALM, fault, opening.consumed, out);
        }
        match trailers::read(self.level, &self.scratch.list, head) {
            Ok(()) => {
                self.streams.at(key.slot).receiving = Receiving::Ended;
                Ok(Event::Trailers { stream: key, consumed: opening.consumed })
            }
            Err(fault) => self.fault(key, ErrorCode::PROTOCOL_ERROR, fault, opening.consumed, out),
        }
    }
}

fn told(event: Option<Event>, next: usize) -> Step {
    event.map_or(Step::Next(next), Step::Told)
}

/// Priorities of RFC 7540 mean nothing any more, but what they never could mean is still wrong.
pub(super) fn depends_on_other(stream: u32, dependency: &[u8]) -> Result<(), Error> {
    let other = number(&dependency[..4]) & 0x7fff_ffff;
    if other == stream { Err(Error::SelfDependency) } else { Ok(()) }
}
