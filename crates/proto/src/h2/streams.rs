//! The streams of a connection: in slots, which are used again, and found by identifiers, which never are.
//!
//! A peer chooses the identifiers of its streams, but they have to increase: so those that are there stand in order in a queue, and one is
//! found by halving. No hash, nothing to attack.

use super::state::{Receiving, Sending};
use crate::http::{Method, Priority};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// One stream, to those who use a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StreamKey {
    /// Its identifier (RFC 9113 section 5.1.1), which no other stream of the connection ever has.
    pub id: u32,
    /// Its slot: small, and used again once the stream is [released](super::Connection::release).
    pub slot: u32,
}

/// Content whose length nobody said.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// What is known of one stream.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// 0: the slot is free.
    pub id: u32,
    pub receiving: Receiving,
    pub sending: Sending,
    pub method: Method,
    pub priority: Priority,
    /// It waits for its window to be opened by us.
    pub is_due: bool,
    /// We reset it, and the peer had not ended its half.
    pub was_cut_off: bool,
    /// What goes over it belongs to whoever is at the tunnel's ends: CONNECT (RFC 9113 section 8.5). At a server from the request on.
    pub is_tunnel: bool,
    pub interim_responses: u8,
    /// What we may send; below zero where the peer made its windows smaller (RFC 9113 section 6.9.2).
    pub send_window: i32,
    /// What the peer may send.
    pub receive_window: i32,
    /// Content that came and was not consumed.
    pub unread_bytes: u32,
    /// What may come again, but was not told to the peer.
    pub unreturned_bytes: u32,
    /// Content that is to come still, or `UNKNOWN`.
    pub to_receive: u64,
    /// Content that is to be sent still, or `UNKNOWN`.
    pub to_send: u64,
}

/// Where an identifier leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// To this slot.
    Slot(u32),
    /// To a stream that is yet to be opened.
    Idle,
    /// To one that is over.
    Closed,
}

/// Where streams are kept.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Stream>,
    free: Vec<u32>,
    /// Identifiers and slots of the streams that the client opened, in order.
    odd: VecDeque<(u32, u32)>,
    /// The same of those that the server promised.
    even: VecDeque<(u32, u32)>,
}

/// All the streams of a connection.
#[derive(Debug, Default)]
pub(super) struct Streams {
    kept: Slots,
    /// The highest identifiers that were used.
    pub last_odd: u32,
    pub last_even: u32,
}

impl Streams {
    fn side(&mut self, id: u32) -> &mut VecDeque<(u32, u32)> {
        if id & 1 == 1 { &mut self.kept.odd } else { &mut self.kept.even }
    }

    /// Puts a stream into a slot. Its identifier is beyond all others of its side.
    #[inline]
    pub fn open(&mut self, stream: Stream) -> StreamKey {
        let id = stream.id;
        let last = if id & 1 == 1 { &mut self.last_odd } else { &mut self.last_even };
        *last = id;
        let slot = match self.kept.free.pop() {
            Some(slot) => {
                self.kept.slots[slot as usize] = stream;
                slot
            }
            None => {
                self.kept.slots.push(stream);
                self.kept.slots.len() as u32 - 1
            }
        };
        self.side(id).push_back((id, slot));
        StreamKey { id, slot }
    }

    /// Empties the slot.
    #[inline]
    pub fn remove(&mut self, key: StreamKey) {
        let side = self.side(key.id);
        if let Ok(at) = side.binary_search_by_key(&key.id, |entry| entry.0) {
            side.remove(at);
        }
        self.kept.slots[key.slot as usize].id = 0;
        self.kept.free.push(key.slot);
    }

    /// The stream, if it was not released.
    #[inline]
    pub fn get(&self, key: StreamKey) -> Option<&Stream> {
        self.kept.slots.get(key.slot as usize).filter(|stream| stream.id == key.id)
    }

    #[inline]
    pub fn get_mut(&mut self, key: StreamKey) -> Option<&mut Stream> {
        self.kept.slots.get_mut(key.slot as usize).filter(|stream| stream.id == key.id)
    }

    #[inline]
    pub fn at(&mut self, slot: u32) -> &mut Stream {
        &mut self.kept.slots[slot as usize]
    }

    /// Looks for the stream of this identifier, which is not 0.
    #[inline]
    pub fn find(&self, id: u32) -> Found {
        let (side, last) =
            if id & 1 == 1 { (&self.kept.odd, self.last_odd) } else { (&self.kept.even, self.last_even) };
        // A new request, as most that is looked for.
        if id > last {
            return Found::Idle;
        }
        match side.binary_search_by_key(&id, |entry| entry.0) {
            Ok(at) => Found::Slot(side[at].1),
            Err(_) => Found::Closed,
        }
    }

    /// How many there are that the client opened, and that the server promised.
    #[inline]
    pub fn count(&self) -> (usize, usize) {
        (self.kept.odd.len(), self.kept.even.len())
    }

    /// All of them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.kept.slots.iter_mut().filter(|stream| stream.id != 0)
    }

    /// Gives up where streams are kept. There are none.
    pub fn give_up(&mut self) -> Slots {
        debug_assert!(self.count() == (0, 0), "nothing is given up with what is in it");
        let mut kept = core::mem::take(&mut self.kept);
        kept.slots.clear();
        kept.free.clear();
        kept
    }

    /// Keeps streams there. There are none.
    pub fn work_in(&mut self, slots: Slots) {
        debug_assert!(self.count() == (0, 0), "nothing is lost with what it was in");
        self.kept = slots;
    }
}
