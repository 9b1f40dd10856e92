//! What a worker shows of itself: that it goes on, whether it sleeps, and whose handler it is in.
//!
//! Only the worker's own thread writes here, with plain stores, and reads no clock for it; the watchdog looks now and then, and
//! knows from what has not changed in between how long it has lasted.

use crate::sync::{AtomicU64, Ordering};

/// Set in the beat while the worker's thread sleeps.
const ASLEEP: u64 = 1;

/// The bits of what is done that name the route.
const ROUTE: u64 = 0xffff_ffff;

/// One worker's. Aligned so that no two workers' share a cache line, nor a pair of them that a processor fetches together.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Pulse {
    /// Another number for each turn.
    beat: AtomicU64,
    /// Another number for each piece of a handler that is run: in its lower half the route's number and one, and 0 outside.
    doing: AtomicU64,
}

/// What was seen of a worker at some moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sight {
    beat: u64,
    doing: u64,
}

impl Pulse {
    /// A turn begins.
    #[inline]
    pub(crate) fn begin_turn(&self) {
        self.beat.store((self.beat.load(Ordering::Relaxed) | ASLEEP) + 1, Ordering::Relaxed);
    }

    /// The thread goes to sleep.
    pub(crate) fn sleep(&self) {
        self.beat.store(self.beat.load(Ordering::Relaxed) | ASLEEP, Ordering::Relaxed);
    }

    /// The thread woke up.
    pub(crate) fn wake(&self) {
        self.begin_turn();
    }

    /// A piece of a route's handler begins.
    #[inline]
    pub(crate) fn enter(&self, route: u16) {
        let count = (self.doing.load(Ordering::Relaxed) | ROUTE).wrapping_add(1);
        self.doing.store(count | (u64::from(route) + 1), Ordering::Relaxed);
    }

    /// The handler let go.
    #[inline]
    pub(crate) fn leave(&self) {
        self.doing.store(self.doing.load(Ordering::Relaxed) & !ROUTE, Ordering::Relaxed);
    }

    pub(crate) fn look(&self) -> Sight {
        Sight { beat: self.beat.load(Ordering::Relaxed), doing: self.doing.load(Ordering::Relaxed) }
    }
}

impl Sight {
    pub(crate) fn is_asleep(self) -> bool {
        self.beat & ASLEEP != 0
    }

    /// Whether it is awake, and in the same turn as before.
    pub(crate) fn is_same_turn(self, before: Sight) -> bool {
        !self.is_asleep() && self.beat == before.beat
    }

    /// The route whose handler it is in, as the observers number them.
    pub(crate) fn route(self) -> Option<u16> {
        u16::try_from((self.doing & ROUTE).checked_sub(1)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::check;

    #[test]
    fn each_turn_and_each_piece_of_a_handler_looks_different() {
        check(|| {
            let pulse = Pulse::default();
            let mut seen = vec![pulse.look()];
            for route in [0, 0, u16::MAX, 7] {
                pulse.begin_turn();
                seen.push(pulse.look());
                for _ in 0..2 {
                    pulse.enter(route);
                    seen.push(pulse.look());
                    assert_eq!(pulse.look().route(), Some(route));
                    pulse.leave();
                    assert_eq!(pulse.look().route(), None);
                }
            }
            for (index, sight) in seen.iter().enumerate() {
                assert!(!seen[..index].contains(sight), "{sight:?}");
            }
        });
    }

    #[test]
    fn who_sleeps_is_in_no_turn() {
        check(|| {
            let pulse = Pulse::default();
            pulse.begin_turn();
            let before = pulse.look();
            assert!(pulse.look().is_same_turn(before));
            pulse.sleep();
            assert!(pulse.look().is_asleep() && !pulse.look().is_same_turn(before));
            pulse.wake();
            assert!(!pulse.look().is_asleep() && !pulse.look().is_same_turn(before));
        });
    }
}
