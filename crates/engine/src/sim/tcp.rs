//! What TCP does with what is sent: the rules that the module's documentation lists.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::io::Errno;

use super::pipe::Segment;
use super::world::{End, EndId, Opening, World};
use crate::Output;

/// Into how many pieces one write is cut at most.
const PIECES: usize = 4;

/// What receiving would find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Readable {
    Nothing,
    Bytes(usize),
    End,
    /// The connection was reset, and nobody was told yet.
    Reset,
}

impl End {
    fn readable(&self) -> Readable {
        match self.incoming.unread() {
            0 if self.untold => Readable::Reset,
            0 if self.ended || self.dead => Readable::End,
            0 => Readable::Nothing,
            unread => Readable::Bytes(unread),
        }
    }

    /// Whether sending fails, and how; says it was told.
    fn refusal(&mut self) -> Option<Errno> {
        if std::mem::take(&mut self.untold) {
            return Some(Errno::CONNRESET);
        }
        (self.dead || self.shut).then_some(Errno::PIPE)
    }
}

impl World {
    /// What receiving would find at `at`.
    pub(super) fn readable(&self, at: EndId) -> Readable {
        self.end(at).map_or(Readable::End, End::readable)
    }

    /// Reads what has arrived; 0 when nothing has.
    pub(super) fn read(&mut self, at: EndId, room: &mut [u8]) -> usize {
        let Some(end) = self.end_mut(at) else { return 0 };
        let count = end.incoming.read(room);
        self.note("reads", at, count);
        count
    }

    /// Says that receiving was told of the reset.
    pub(super) fn tell_reset(&mut self, at: EndId) -> io::Error {
        if let Some(end) = self.end_mut(at) {
            end.untold = false;
        }
        Errno::CONNRESET.into()
    }

    /// How many bytes may be sent from `at`.
    fn room(&mut self, at: EndId) -> io::Result<usize> {
        let end = self.end_mut(at).ok_or(io::ErrorKind::NotConnected)?;
        if let Some(error) = end.refusal() {
            return Err(error.into());
        }
        let room = self.end(at.peer()).map_or(0, |peer| peer.incoming.room());
        if room == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(room) }
    }

    /// Sends as much of `bytes` as there is room for.
    pub(super) fn write(&mut self, at: EndId, bytes: &[u8]) -> io::Result<usize> {
        let count = self.room(at)?.min(bytes.len());
        self.transmit(at, bytes[..count].to_vec());
        Ok(count)
    }

    /// Sends from the front of `output` as much as there is room for, or fate allows.
    pub(super) fn send(&mut self, at: EndId, output: &mut Output) -> io::Result<u64> {
        let room = self.room(at)?;
        let offered = usize::try_from(output.remaining()).unwrap_or(usize::MAX).min(room);
        let mut bytes = vec![0; self.fate.sent(offered)];
        let filled = gather(output, &mut bytes);
        let count = match filled {
            // As the kernel does: progress first, the error when the rest is sent.
            (0, Some(error)) => return Err(error),
            (count, _) => count,
        };
        bytes.truncate(count);
        self.transmit(at, bytes);
        Ok(count as u64)
    }

    /// Puts bytes on their way from `at`, cut where fate delays what follows.
    fn transmit(&mut self, at: EndId, mut bytes: Vec<u8>) {
        self.note("sends", at, bytes.len());
        for _ in 1..PIECES {
            let Some(cut) = self.fate.cut(bytes.len()) else { break };
            let rest = bytes.split_off(cut);
            self.transmit_piece(at.peer(), std::mem::replace(&mut bytes, rest));
        }
        if !bytes.is_empty() {
            self.transmit_piece(at.peer(), bytes);
        }
        if self.fate.breaks() {
            self.break_connection(at);
        }
        self.settle();
    }

    fn transmit_piece(&mut self, to: EndId, piece: Vec<u8>) {
        let delay = self.fate.delay();
        self.send_to(to, Segment::Bytes(piece), delay);
    }

    /// Ends the sending half.
    pub(super) fn shutdown(&mut self, at: EndId) {
        let Some(end) = self.end_mut(at) else { return };
        if end.dead || end.shut {
            return;
        }
        end.shut = true;
        self.note_unread("ends its half, unread", at);
        let delay = self.fate.delay();
        self.send_to(at.peer(), Segment::End, delay);
        self.settle();
    }

    /// Closes an end: with an end, or with a reset when bytes are unread.
    pub(super) fn close(&mut self, at: EndId) {
        let Some(end) = self.end(at) else { return };
        if !end.dead && end.incoming.unread() > 0 {
            self.reset(at);
            return;
        }
        if end.opening == Opening::UnderWay {
            // Whatever comes in answer is for a connection that is no more (RFC 9293 section 3.10.4).
            self.reset(at);
            return;
        }
        self.note_unread("closes, unread", at);
        self.shutdown(at);
        self.release(at);
    }

    /// Breaks the connection from one of its ends.
    pub(super) fn reset(&mut self, at: EndId) {
        self.note_unread("breaks off, unread", at);
        let Some(end) = self.end_mut(at) else { return };
        if !std::mem::replace(&mut end.dead, true) {
            self.send_reset(at.peer(), Duration::ZERO);
        }
        self.release(at);
        self.settle();
    }

    fn release(&mut self, at: EndId) {
        if let Some(end) = self.end_mut(at) {
            end.released = true;
            end.incoming.lose_unread(0);
        }
        self.forget_if_released(at.connection);
    }

    /// The network breaks a connection: one end learns of it before the other.
    fn break_connection(&mut self, at: EndId) {
        let first = *self.fate.random.pick(&[at, at.peer()]);
        self.send_reset(first, Duration::ZERO);
        let later = self.fate.faults.delay_at_most * 4;
        let wait = self.fate.random.duration(Duration::ZERO..=later);
        self.send_reset(first.peer(), wait);
    }

    /// Sends a reset to the end `to`, which overtakes what it destroys.
    pub(super) fn send_reset(&mut self, to: EndId, wait: Duration) {
        let Some(end) = self.end(to) else { return };
        let travelling = end.incoming.travelling();
        let kept = self.fate.survivors(travelling);
        if let Some(end) = self.end_mut(to).filter(|_| kept < travelling) {
            end.incoming.lose_travelling(kept);
        }
        self.note("is sent a reset, destroying", to, travelling - kept);
        let delay = wait + self.fate.delay();
        self.send_to(to, Segment::Reset, delay);
    }

    /// Lets everything arrive that is due at `to`.
    pub(super) fn deliver(&mut self, to: EndId) {
        let now = self.now;
        while let Some(segment) = self.end_mut(to).and_then(|end| end.incoming.arriving(now)) {
            match segment {
                Segment::Bytes(bytes) => self.bytes_arrive(to, bytes),
                Segment::Welcome => self.welcome_arrives(to),
                Segment::End => self.end_arrives(to),
                Segment::Reset => self.reset_arrives(to),
            }
        }
    }

    fn bytes_arrive(&mut self, to: EndId, bytes: Vec<u8>) {
        self.note("is reached by bytes,", to, bytes.len());
        let Some(end) = self.end_mut(to) else { return };
        if !end.dead && !end.released {
            end.incoming.keep(bytes);
            return;
        }
        // RFC 9293 section 3.10.7.1: data for a closed connection is answered with a reset.
        end.dead = true;
        self.send_reset(to.peer(), Duration::ZERO);
    }

    fn end_arrives(&mut self, to: EndId) {
        self.note_unread("is reached by an end, unread", to);
        let Some(end) = self.end_mut(to) else { return };
        if end.dead {
            self.send_reset(to.peer(), Duration::ZERO);
        } else {
            end.ended = true;
        }
    }

    fn reset_arrives(&mut self, to: EndId) {
        self.note_unread("is reached by a reset, unread", to);
        let Some(end) = self.end_mut(to) else { return };
        if std::mem::replace(&mut end.dead, true) {
            return;
        }
        if end.opening == Opening::UnderWay {
            end.opening = Opening::Refused;
            return;
        }
        let (unread, ended) = (end.incoming.unread(), end.ended);
        let kept = self.fate.survivors(unread);
        let Some(end) = self.end_mut(to) else { return };
        end.incoming.lose_unread(kept);
        // Behind an end nothing was to come: Linux lets reading find that end, and sending EPIPE (tcp_reset, TCP_CLOSE_WAIT).
        let broken = !ended || kept < unread;
        (end.reset, end.untold) = (broken, broken);
    }

    fn note_unread(&mut self, what: &'static str, at: EndId) {
        let unread = self.end(at).map_or(0, |end| end.incoming.unread());
        self.note(what, at, unread);
    }

    /// Who is at the other end, while there is a connection (getpeername(2), `ENOTCONN`).
    pub(super) fn peer_address(&self, at: EndId) -> io::Result<SocketAddr> {
        let connected = self
            .end(at)
            .filter(|end| end.opening == Opening::Done && !end.dead)
            .and_then(|_| self.end(at.peer()));
        Ok(connected.ok_or(Errno::NOTCONN)?.address)
    }
}

/// Takes bytes from the front of `output` until `room` is full: says how many, and what was in the way of more.
fn gather(output: &mut Output, room: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < room.len() {
        match output.peek(&mut room[filled..]) {
            Ok(count) => {
                output.advance(count as u64);
                filled += count;
            }
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}
