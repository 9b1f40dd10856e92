//! What a peer may send that costs us something and brings nothing, counted without a clock: useful work earns it.
//!
//! Each head and each piece of content, either way, earns four frames of every kind; each response that was sent to its end one reset and
//! one fault. Nothing is earned beyond what a budget begins with. [`Budgets::refill`] is for those who have a clock.

use super::{Error, Limits};

/// How many frames of each kind one unit of work earns: a piece of content may open two windows, and be answered with a PING.
const EARNED: u32 = 4;

/// What has been spent of one budget, and how much work had been done when it was last looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    frames: u32,
    work: u32,
}

/// What is counted by frames. The order is that of [`Budgets::spend`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Ping,
    Settings,
    Priority,
    PriorityUpdate,
    WindowUpdate,
    Useless,
    EmptyData,
}

const KINDS: usize = Kind::EmptyData as usize + 1;

/// The budgets of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Budgets {
    /// Units of work so far; wraps.
    work: u32,
    spent: [Spent; KINDS],
    resets: u32,
    faults: u32,
    /// DATA frames with hardly any content whose content was not taken yet, at most.
    tiny: u32,
}

impl Budgets {
    /// Something useful was received or sent.
    #[inline]
    pub fn earn(&mut self) {
        self.work = self.work.wrapping_add(1);
    }

    /// A response was sent to its end.
    #[inline]
    pub fn answered(&mut self) {
        self.resets = self.resets.saturating_sub(1);
        self.faults = self.faults.saturating_sub(1);
    }

    /// A frame came that is counted.
    pub fn spend(&mut self, kind: Kind, limits: &Limits) -> Result<(), Error> {
        let (most, error) = match kind {
            Kind::Ping => (limits.pings, Error::TooManyPings),
            Kind::Settings => (limits.settings, Error::TooManySettings),
            Kind::Priority => (limits.priorities, Error::TooManyPriorities),
            Kind::PriorityUpdate => (limits.priority_updates, Error::TooManyPriorityUpdates),
            Kind::WindowUpdate => (limits.window_updates, Error::TooManyWindowUpdates),
            Kind::Useless => (limits.useless_frames, Error::TooManyUselessFrames),
            Kind::EmptyData => (limits.empty_data_frames, Error::TooManyEmptyDataFrames),
        };
        let spent = &mut self.spent[kind as usize];
        let earned = self.work.wrapping_sub(spent.work).saturating_mul(EARNED);
        *spent = Spent { frames: spent.frames.saturating_sub(earned) + 1, work: self.work };
        if spent.frames > u32::from(most) { Err(error) } else { Ok(()) }
    }

    /// The peer reset a stream that was not answered.
    pub fn reset(&mut self, limits: &Limits) -> Result<(), Error> {
        self.resets += 1;
        if self.resets > u32::from(limits.resets) { Err(Error::TooManyResets) } else { Ok(()) }
    }

    /// The peer made us reset a stream, or refuse it.
    pub fn fault(&mut self, limits: &Limits) -> Result<(), Error> {
        self.faults += 1;
        if self.faults > u32::from(limits.faults) { Err(Error::TooManyFaults) } else { Ok(()) }
    }

    /// A DATA frame came with hardly any content.
    pub fn tiny_data(&mut self, limits: &Limits) -> Result<(), Error> {
        self.tiny += 1;
        if self.tiny > limits.tiny_data_frames { Err(Error::TooManyTinyDataFrames) } else { Ok(()) }
    }

    /// So many bytes of content were taken: so many tiny frames, at most, were of use.
    #[inline]
    pub fn taken(&mut self, bytes: u32) {
        self.tiny = self.tiny.saturating_sub(bytes);
    }

    /// All budgets are as at the beginning.
    pub fn refill(&mut self) {
        *self = Budgets::default();
    }
}

#[cfg(test)]
mod tests {
    use super::{Budgets, Kind};
    use crate::h2::{Error, Limits};

    #[test]
    fn work_earns_four_frames_of_each_kind_and_never_more_than_there_were_at_first() {
        let (mut budgets, limits) = (Budgets::default(), Limits { pings: 10, ..Limits::default() });
        (0..100).for_each(|_| budgets.earn());
        for _ in 0..10 {
            assert_eq!(budgets.spend(Kind::Ping, &limits), Ok(()));
        }
        budgets.earn();
        for _ in 0..4 {
            assert_eq!(budgets.spend(Kind::Ping, &limits), Ok(()));
        }
        assert_eq!(budgets.spend(Kind::Ping, &limits), Err(Error::TooManyPings));
        assert_eq!(budgets.spend(Kind::Settings, &limits), Ok(()));
        budgets.refill();
        assert_eq!(budgets.spend(Kind::Ping, &limits), Ok(()));
    }
}
