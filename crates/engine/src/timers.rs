//! Deadlines: a hashed timer wheel with lazy refresh.
//!
//! Every slot number may have one deadline. Activity only stores a new, later deadline: the entry stays where it is in the
//! wheel, and when the wheel comes by, an entry whose deadline moved on is hung where it now belongs. So a busy connection
//! costs a store per request, whatever its deadlines. Hashed wheel: Varghese and Lauck, scheme 6.

use std::time::Duration;

use crate::Moment;

/// Wheel positions. With [`TICK`] one turn of the wheel is 32.8 s; entries further off are passed over once a turn.
const POSITIONS: usize = 512;

/// The wheel's resolution: deadlines of connections are seconds, so a deadline may be this much late.
const TICK: Duration = Duration::from_millis(64);
const TICK_NANOSECONDS: u64 = TICK.as_nanos() as u64;

/// No entry, no position.
const NONE: u32 = u32::MAX;

/// Deadlines by slot number.
#[derive(Debug)]
pub struct Timers {
    entries: Vec<Entry>,
    /// The first entry at each position.
    first: Box<[u32; POSITIONS]>,
    /// One bit a position: whether anything hangs there.
    occupied: [u64; POSITIONS / 64],
    /// All ticks before this one have been visited.
    tick: u64,
}

/// One slot number's deadline, and its links in the list of its position.
#[derive(Clone, Copy, Debug)]
struct Entry {
    deadline: Moment,
    position: u32,
    previous: u32,
    next: u32,
}

const UNLINKED: Entry = Entry { deadline: Moment::NEVER, position: NONE, previous: NONE, next: NONE };

impl Timers {
    /// A wheel that begins at `now`.
    pub fn new(now: Moment) -> Timers {
        Timers {
            entries: Vec::new(),
            first: Box::new([NONE; POSITIONS]),
            occupied: [0; POSITIONS / 64],
            tick: now.nanoseconds() / TICK_NANOSECONDS,
        }
    }

    /// Sets or moves the deadline of `index`.
    pub fn set(&mut self, index: u32, deadline: Moment) {
        if self.entries.len() <= index as usize {
            self.entries.resize(index as usize + 1, UNLINKED);
        }
        let entry = &mut self.entries[index as usize];
        entry.deadline = deadline;
        if entry.position != NONE {
            let due = due_tick(deadline);
            let position = entry.position;
            if self.visit_tick(position) <= due {
                return; // lazy: looked at again when the wheel comes by
            }
            self.unlink(index);
        }
        if deadline != Moment::NEVER {
            self.link(index);
        }
    }

    /// Takes the deadline of `index` away.
    pub fn clear(&mut self, index: u32) {
        if let Some(entry) = self.entries.get_mut(index as usize) {
            entry.deadline = Moment::NEVER;
        }
    }

    /// The deadline of `index`; [`Moment::NEVER`] when it has none.
    pub fn deadline(&self, index: u32) -> Moment {
        self.entries.get(index as usize).map_or(Moment::NEVER, |entry| entry.deadline)
    }

    /// Moves the wheel to `now`, and appends to `expired` the numbers whose deadline has passed. They have none any more.
    pub fn expire(&mut self, now: Moment, expired: &mut Vec<u32>) {
        let end = now.nanoseconds() / TICK_NANOSECONDS;
        // After a long sleep each position is visited once, not once for every turn of the wheel that was missed.
        self.tick = self.tick.max(end.saturating_sub(POSITIONS as u64));
        while self.tick < end {
            let position = (self.tick % POSITIONS as u64) as u32;
            self.tick += 1;
            if self.is_occupied(position) {
                self.visit(position, now, expired);
            }
        }
    }

    /// When [`expire`](Timers::expire) should next be called: never later than the earliest deadline is due.
    pub fn next(&self) -> Option<Moment> {
        let base = (self.tick % POSITIONS as u64) as usize;
        let distance = (0..=POSITIONS / 64).find_map(|word| {
            let index = (base / 64 + word) % self.occupied.len();
            let mut bits = self.occupied[index];
            if word == 0 {
                bits &= u64::MAX << (base % 64);
            }
            (bits != 0).then(|| (index * 64 + bits.trailing_zeros() as usize + POSITIONS - base) % POSITIONS)
        })?;
        // A position is visited once its tick is over.
        Some(Moment::from_nanoseconds((self.tick + distance as u64 + 1) * TICK_NANOSECONDS))
    }

    /// How many numbers have a deadline.
    pub fn len(&self) -> usize {
        self.entries.iter().filter(|entry| entry.deadline != Moment::NEVER).count()
    }

    /// Whether no number has a deadline.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn visit(&mut self, position: u32, now: Moment, expired: &mut Vec<u32>) {
        let mut index = self.first[position as usize];
        while index != NONE {
            let Entry { deadline, next, .. } = self.entries[index as usize];
            self.unlink(index);
            if deadline <= now {
                self.entries[index as usize].deadline = Moment::NEVER;
                expired.push(index);
            } else if deadline != Moment::NEVER {
                self.link(index);
            }
            index = next;
        }
    }

    /// The tick at which `position` is visited next.
    fn visit_tick(&self, position: u32) -> u64 {
        let base = self.tick % POSITIONS as u64;
        self.tick + (u64::from(position) + POSITIONS as u64 - base) % POSITIONS as u64
    }

    fn link(&mut self, index: u32) {
        let due = due_tick(self.entries[index as usize].deadline).max(self.tick);
        let position = (due % POSITIONS as u64) as u32;
        let next = self.first[position as usize];
        if next != NONE {
            self.entries[next as usize].previous = index;
        }
        self.first[position as usize] = index;
        self.occupied[position as usize / 64] |= 1 << (position % 64);
        let entry = &mut self.entries[index as usize];
        (entry.position, entry.previous, entry.next) = (position, NONE, next);
    }

    fn unlink(&mut self, index: u32) {
        let Entry { position, previous, next, .. } = self.entries[index as usize];
        if next != NONE {
            self.entries[next as usize].previous = previous;
        }
        if previous != NONE {
            self.entries[previous as usize].next = next;
        } else {
            self.first[position as usize] = next;
            if next == NONE {
                self.occupied[position as usize / 64] &= !(1 << (position % 64));
            }
        }
        let entry = &mut self.entries[index as usize];
        (entry.position, entry.previous, entry.next) = (NONE, NONE, NONE);
    }

    fn is_occupied(&self, position: u32) -> bool {
        self.occupied[position as usize / 64] & 1 << (position % 64) != 0
    }
}

/// The tick in which `deadline` lies: it is due when that tick is over.
fn due_tick(deadline: Moment) -> u64 {
    deadline.nanoseconds() / TICK_NANOSECONDS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::from_nanoseconds(milliseconds * 1_000_000)
    }

    fn expired(timers: &mut Timers, milliseconds: u64) -> Vec<u32> {
        let mut expired = Vec::new();
        timers.expire(at(milliseconds), &mut expired);
        expired.sort_unstable();
        expired
    }

    #[test]
    fn a_deadline_passes_within_a_tick_and_only_once() {
        let mut timers = Timers::new(at(0));
        timers.set(3, at(1000));
        assert_eq!(expired(&mut timers, 999), []);
        assert_eq!(expired(&mut timers, 1000 + 64), [3]);
        assert_eq!(expired(&mut timers, 100_000), []);
        assert!(timers.next().is_none());
    }

    #[test]
    fn a_deadline_moved_on_does_not_fire_at_its_old_time() {
        let mut timers = Timers::new(at(0));
        timers.set(0, at(1000));
        timers.set(0, at(5000));
        assert_eq!(expired(&mut timers, 4990), []);
        assert_eq!(expired(&mut timers, 5100), [0]);
    }

    #[test]
    fn a_deadline_brought_forward_fires_early() {
        let mut timers = Timers::new(at(0));
        timers.set(0, at(75_000));
        timers.set(0, at(500));
        assert_eq!(expired(&mut timers, 600), [0]);
        assert_eq!(expired(&mut timers, 80_000), []);
    }

    proptest! {
        #[test]
        fn the_wheel_agrees_with_a_sorted_list(steps in prop::collection::vec((0u32..8, 0u64..120_000, 0u64..40_000, any::<bool>()), 1..80)) {
            let (mut timers, mut oracle) = (Timers::new(at(7)), [Moment::NEVER; 8]);
            let mut now = 7;
            for (index, ahead, pass, clear) in steps {
                if clear { timers.clear(index); oracle[index as usize] = Moment::NEVER }
                else { timers.set(index, at(now + ahead)); oracle[index as usize] = at(now + ahead) }
                if let Some(earliest) = oracle.iter().min().filter(|moment| **moment != Moment::NEVER) {
                    prop_assert!(timers.next().expect("something is linked") <= earliest.after(TICK).max(at(now).after(TICK)));
                }
                now += pass;
                for index in expired(&mut timers, now) {
                    let deadline = std::mem::replace(&mut oracle[index as usize], Moment::NEVER);
                    prop_assert!(deadline <= at(now), "fired early");
                }
                for deadline in oracle {
                    prop_assert!(deadline.after(TICK) > at(now), "not fired");
                }
            }
        }
    }
}
