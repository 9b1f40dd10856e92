//! How exchanges end: over, lingering, reset or forgotten.

use gannet_core::BodyError;
use gannet_proto::h2::{ErrorCode, StreamKey};

use super::{Multiplexed, Stream};
use crate::local::Local;

impl Multiplexed {
    /// Whether both halves of a stream have ended. Where only ours has, and nobody is left to read the other, the client may end it for a while; then it
    /// is told to stop (RFC 9113, 8.1).
    pub(super) fn is_over(&mut self, stream: &mut Stream, local: &mut Local) -> bool {
        if stream.is_broken {
            return true;
        }
        if !self.protocol.sending_ended(stream.key) || !stream.has_conversed() {
            return false;
        }
        if !self.protocol.receiving_ended(stream.key) {
            if self.lingers(stream, local) {
                return false;
            }
            let output = self.wire.output(local).bytes();
            self.protocol.reset(stream.key, ErrorCode::NO_ERROR, output);
        }
        true
    }

    /// Whether the client may still send what nobody reads: as much as its window allowed, for as long as a connection of HTTP/1.1 lingers. Some clients take a
    /// reset that comes while they send for a failure, and do not look at the answer before it (curl 7.88).
    fn lingers(&mut self, stream: &mut Stream, local: &mut Local) -> bool {
        if !stream.lingers {
            if stream.body_deadline.is_none() || stream.expects_continue || stream.asks_for_tunnel {
                return false; // it is late, waits to be asked, or has no body
            }
            stream.lingers = true;
            let deadline = local.now().after(local.limits.linger_timeout);
            stream.body_deadline = Some(deadline);
            self.streams_deadline = self.streams_deadline.min(deadline);
            self.tell(stream, false, local);
        }
        stream.received < u64::from(local.limits.h2.stream_window_bytes)
            && stream.body_deadline.is_some_and(|deadline| deadline > local.now())
    }

    /// Ends a stream that lingers, if its client has ended it, or may send no more.
    pub(super) fn end_lingering(&mut self, slot: u32, local: &mut Local) {
        if self.streams.get(slot as usize).and_then(Option::as_ref).is_some_and(|stream| stream.lingers) {
            self.with(slot, local, |_, _, _| ());
        }
    }

    /// Tells of an exchange, once.
    fn tell(&mut self, stream: &mut Stream, broken_off: bool, local: &mut Local) {
        let Some(account) = stream.account.take() else { return };
        local.route.set(account.route());
        let (position, now) = (self.wire.position(), local.now());
        let accounts = &mut self.wire.accounts;
        stream.record = match broken_off {
            true => accounts.broken_off(account, position, now, &mut local.observer),
            false => accounts.made(account, position, now, &mut local.observer),
        };
    }

    /// The client reset it, or what it did made us do so.
    pub(super) fn was_reset(&mut self, key: StreamKey, local: &mut Local) {
        match self.streams.get(key.slot as usize) {
            Some(Some(_)) => self.forget_slot(key.slot as usize, true, local),
            _ => self.protocol.release(key),
        }
    }

    /// Resets a stream, for a reason of ours.
    pub(super) fn reset(&mut self, slot: u32, error: ErrorCode, local: &mut Local) {
        let Some(Some(stream)) = self.streams.get(slot as usize) else { return };
        self.protocol.reset(stream.key, error, self.wire.output(local).bytes());
        self.forget_slot(slot as usize, true, local);
    }

    pub(super) fn forget_all(&mut self, local: &mut Local) {
        for slot in 0..self.streams.len() {
            self.forget_slot(slot, true, local);
        }
    }

    pub(super) fn forget_slot(&mut self, slot: usize, broken_off: bool, local: &mut Local) {
        if let Some(stream) = self.streams[slot].take() {
            self.forget(stream, broken_off, local);
        }
    }

    /// Ends an exchange, whatever its state: the handler's future is dropped, and with it what it holds.
    pub(super) fn forget(&mut self, mut stream: Box<Stream>, broken_off: bool, local: &mut Local) {
        self.open -= 1;
        self.held -= stream.received - stream.credited;
        if std::mem::take(&mut stream.is_scheduled) {
            self.schedule.remove(stream.key.slot);
        }
        if broken_off {
            stream.incoming.end(Err(BodyError::Incomplete), None);
        }
        self.tell(&mut stream, broken_off, local);
        stream.discard(local);
        // One that is neither over nor reset ends with the connection, of which nothing is asked any more.
        if self.protocol.receiving_ended(stream.key) && self.protocol.sending_ended(stream.key) {
            self.protocol.release(stream.key);
        }
        local.recycle_stream(stream);
    }
}
