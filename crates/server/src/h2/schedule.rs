//! Who sends next: the streams that have something to send, by urgency, and among those of one urgency in turns (RFC 9218, 10).

use std::collections::VecDeque;

/// How many urgencies there are (RFC 9218, 4.1).
const URGENCIES: usize = 8;

/// Streams that have something to send, and may. Each is in it at most once; who puts one in knows that.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    queues: [VecDeque<u32>; URGENCIES],
    /// The urgencies that have any: a bit each, the most urgent the lowest.
    waiting: u8,
}

impl Schedule {
    /// Puts a stream behind those of its urgency.
    pub(super) fn add(&mut self, slot: u32, urgency: u8) {
        let urgency = usize::from(urgency).min(URGENCIES - 1);
        self.queues[urgency].push_back(slot);
        self.waiting |= 1 << urgency;
    }

    /// Takes out whose turn it is.
    pub(super) fn next(&mut self) -> Option<u32> {
        if self.waiting == 0 {
            return None;
        }
        let urgency = self.waiting.trailing_zeros() as usize;
        let slot = self.queues[urgency].pop_front();
        self.note(urgency);
        slot
    }

    /// Takes a stream out that ended meanwhile.
    pub(super) fn remove(&mut self, slot: u32) {
        for urgency in 0..URGENCIES {
            self.queues[urgency].retain(|other| *other != slot);
            self.note(urgency);
        }
    }

    fn note(&mut self, urgency: usize) {
        if self.queues[urgency].is_empty() {
            self.waiting &= !(1 << urgency);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_go_first_and_those_of_one_urgency_in_turns() {
        let mut schedule = Schedule::default();
        for (slot, urgency) in [(1, 3), (2, 0), (3, 3), (4, 200)] {
            schedule.add(slot, urgency);
        }
        assert_eq!(schedule.next(), Some(2));
        assert_eq!(schedule.next(), Some(1));
        schedule.add(1, 3);
        assert_eq!(
            [schedule.next(), schedule.next(), schedule.next(), schedule.next()],
            [Some(3), Some(1), Some(4), None]
        );
    }

    #[test]
    fn one_that_was_taken_out_has_no_turn() {
        let mut schedule = Schedule::default();
        schedule.add(1, 3);
        schedule.add(2, 3);
        schedule.remove(1);
        assert_eq!((schedule.next(), schedule.next()), (Some(2), None));
    }
}
