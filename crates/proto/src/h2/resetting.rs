//! How streams end before their time: RST_STREAM, either way (RFC 9113 sections 5.4.2 and 6.4).

use super::connection::Connection;
use super::error::{Error, ErrorCode};
use super::event::Event;
use super::frame;
use super::role::Role;
use super::state::{Receiving, Sending};
use super::streams::{Found, Stream, StreamKey};
use alloc::vec::Vec;

impl<R: Role> Connection<R> {
    /// The stream of a frame that may not come for one that nobody opened; `None` if it is over, and released.
    #[inline]
    pub(super) fn look_up(&self, id: u32) -> Result<Option<StreamKey>, Error> {
        match self.streams.find(id) {
            Found::Slot(slot) => Ok(Some(StreamKey { id, slot })),
            Found::Idle => Err(Error::IdleStream),
            Found::Closed => Ok(None),
        }
    }

    /// Whether one half of it has not ended.
    #[inline]
    pub(super) fn is_live(&self, key: StreamKey) -> bool {
        !(self.receiving_ended(key) && self.sending_ended(key))
    }

    /// A promised stream takes nothing from the client before its response has begun (RFC 9113 section 5.1, "reserved (local)").
    pub(super) fn is_not_reserved(&self, key: StreamKey) -> Result<(), Error> {
        let is_reserved = |stream: &Stream| key.id & 1 == 0 && stream.sending == Sending::Head;
        if self.streams.get(key).is_some_and(is_reserved) { Err(Error::ReservedStream) } else { Ok(()) }
    }

    /// Whether the other side opened it: then it costs more to serve than to ask for.
    fn is_peers(id: u32) -> bool {
        (id & 1 == 1) == R::SERVER
    }

    pub(super) fn reset_by_peer(&mut self, key: StreamKey) -> Result<(), Error> {
        let stream = self.streams.at(key.slot);
        let answered = stream.sending != Sending::Head;
        end(stream);
        if Self::is_peers(key.id) && !answered { self.budgets.reset(&self.limits) } else { Ok(()) }
    }

    /// The peer did something on a stream for which it is reset (RFC 9113 section 5.4.2).
    pub(super) fn fault(
        &mut self,
        key: StreamKey,
        error: ErrorCode,
        fault: &'static str,
        consumed: usize,
        out: &mut Vec<u8>,
    ) -> Result<Event, Error> {
        if !self.is_live(key) {
            return Err(Error::StreamClosed);
        }
        if Self::is_peers(key.id) {
            self.budgets.fault(&self.limits)?;
        }
        self.reset(key, error, out);
        Ok(Event::Reset { stream: key, error, fault: Some(fault), consumed })
    }

    /// A stream of the peer's that is not to be: it was not begun, or its request is not one.
    pub(super) fn refuse(
        &mut self,
        id: u32,
        error: ErrorCode,
        ended: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.budgets.fault(&self.limits)?;
        frame::write_reset(id, error, out);
        if !ended {
            self.resets.remember(id, &self.limits);
        }
        self.left_out(ended);
        Ok(())
    }

    /// A stream is not begun; what the peer sends on it is discarded.
    pub(super) fn left_out(&mut self, ended: bool) {
        if !ended {
            self.discardable_bytes += self.stream_window.max(0) as u64;
        }
    }

    /// Whether what comes for a stream that is over was on its way when we reset it, or said that we begin no more.
    pub(super) fn was_cut_off(&self, id: u32, found: Option<StreamKey>) -> bool {
        match found.and_then(|key| self.streams.get(key)) {
            Some(stream) => stream.was_cut_off,
            None => self.resets.may_have(id) || self.our_last.is_some_and(|last| id > last),
        }
    }

    /// Ends both halves of a stream at once. Of one that has ended, or was reset, nothing is said. It is still to be
    /// [released](Connection::release).
    pub fn reset(&mut self, key: StreamKey, error: ErrorCode, out: &mut Vec<u8>) {
        if !self.is_live(key) {
            return;
        }
        let Some(stream) = self.streams.get_mut(key) else { return };
        if stream.receiving != Receiving::Ended {
            stream.was_cut_off = true;
            self.discardable_bytes += stream.receive_window.max(0) as u64;
        }
        end(stream);
        frame::write_reset(key.id, error, out);
    }
}

fn end(stream: &mut Stream) {
    (stream.receiving, stream.sending) = (Receiving::Reset, Sending::Reset);
}
