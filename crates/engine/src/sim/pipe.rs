//! One direction of a connection: what is on its way, and what has arrived and waits to be read.

use std::collections::VecDeque;

use crate::Moment;

/// What travels.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Bytes(Vec<u8>),
    /// SYN and ACK: the connection is there.
    Welcome,
    /// FIN: the writer sends no more.
    End,
    /// RST: the connection is no more.
    Reset,
}

/// One direction: bounded, in order.
#[derive(Debug)]
pub(super) struct Pipe {
    capacity: usize,
    arrived: VecDeque<u8>,
    travelling: VecDeque<(Moment, Segment)>,
    travelling_bytes: usize,
    /// Nothing arrives before what was sent before it.
    last_due: Moment,
}

impl Pipe {
    pub(super) fn new(capacity: usize) -> Pipe {
        Pipe {
            capacity,
            arrived: VecDeque::new(),
            travelling: VecDeque::new(),
            travelling_bytes: 0,
            last_due: Moment::default(),
        }
    }

    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    /// Bytes on their way or unread.
    pub(super) fn held(&self) -> usize {
        self.arrived.len() + self.travelling_bytes
    }

    /// How many bytes may be sent.
    pub(super) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.held())
    }

    /// Bytes arrived and unread.
    pub(super) fn unread(&self) -> usize {
        self.arrived.len()
    }

    /// Bytes on their way.
    pub(super) fn travelling(&self) -> usize {
        self.travelling_bytes
    }

    /// Whether anything is on its way.
    pub(super) fn is_busy(&self) -> bool {
        !self.travelling.is_empty()
    }

    /// Sends, to arrive at `due` or as soon after it as order allows: says when.
    pub(super) fn send(&mut self, due: Moment, segment: Segment) -> Moment {
        if let Segment::Bytes(bytes) = &segment {
            self.travelling_bytes += bytes.len();
        }
        self.last_due = self.last_due.max(due);
        self.travelling.push_back((self.last_due, segment));
        self.last_due
    }

    /// What arrives by `now`, one at a time.
    pub(super) fn arriving(&mut self, now: Moment) -> Option<Segment> {
        let (due, _) = self.travelling.front()?;
        if *due > now {
            return None;
        }
        let (_, segment) = self.travelling.pop_front()?;
        if let Segment::Bytes(bytes) = &segment {
            self.travelling_bytes -= bytes.len();
        }
        Some(segment)
    }

    /// Puts arrived bytes where they can be read.
    pub(super) fn keep(&mut self, bytes: Vec<u8>) {
        self.arrived.extend(bytes);
    }

    /// Reads what fits into `room`.
    pub(super) fn read(&mut self, room: &mut [u8]) -> usize {
        let count = room.len().min(self.arrived.len());
        for (to, from) in room.iter_mut().zip(self.arrived.drain(..count)) {
            *to = from;
        }
        count
    }

    /// Destroys all unread bytes but the first `kept`.
    pub(super) fn lose_unread(&mut self, kept: usize) {
        self.arrived.truncate(kept);
    }

    /// Destroys all that is on its way but the first `kept` bytes.
    pub(super) fn lose_travelling(&mut self, mut kept: usize) {
        self.travelling_bytes = kept.min(self.travelling_bytes);
        self.travelling.retain_mut(|(_, segment)| match segment {
            Segment::Bytes(bytes) => {
                bytes.truncate(kept);
                kept -= bytes.len();
                !bytes.is_empty()
            }
            // An end says that nothing is missing before it.
            Segment::End => false,
            Segment::Welcome | Segment::Reset => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanoseconds: u64) -> Moment {
        Moment::from_nanoseconds(nanoseconds)
    }

    fn bytes(text: &str) -> Segment {
        Segment::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn what_is_sent_later_never_arrives_earlier() {
        let mut pipe = Pipe::new(100);
        assert_eq!(pipe.send(at(50), bytes("slow")), at(50));
        assert_eq!(pipe.send(at(10), bytes("fast")), at(50));
        assert_eq!(pipe.arriving(at(49)), None);
        assert_eq!(pipe.arriving(at(50)), Some(bytes("slow")));
        assert_eq!(pipe.arriving(at(50)), Some(bytes("fast")));
        assert!(!pipe.is_busy());
    }

    #[test]
    fn bytes_take_room_until_they_are_read() {
        let mut pipe = Pipe::new(6);
        pipe.send(at(0), bytes("four"));
        assert_eq!(pipe.room(), 2);
        let Some(Segment::Bytes(arrived)) = pipe.arriving(at(0)) else { panic!("due") };
        pipe.keep(arrived);
        assert_eq!((pipe.room(), pipe.unread()), (2, 4));
        let mut room = [0; 3];
        assert_eq!((pipe.read(&mut room), &room), (3, b"fou"));
        assert_eq!(pipe.room(), 5);
        pipe.set_capacity(0);
        assert_eq!(pipe.room(), 0);
    }

    #[test]
    fn a_loss_leaves_the_first_bytes_and_no_end_behind_them() {
        let mut pipe = Pipe::new(100);
        pipe.send(at(0), bytes("one"));
        pipe.send(at(0), bytes("two"));
        pipe.send(at(0), Segment::End);
        pipe.lose_travelling(4);
        assert_eq!(pipe.travelling(), 4);
        assert_eq!(pipe.arriving(at(0)), Some(bytes("one")));
        assert_eq!(pipe.arriving(at(0)), Some(bytes("t")));
        assert_eq!((pipe.arriving(at(0)), pipe.held()), (None, 0));
    }
}
