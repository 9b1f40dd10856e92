//! What a peer may send that costs us something and brings nothing, counted without a clock: useful work earns it.

use super::{Error, Limits};

/// How many frames one unit of work earns: as in HTTP/2.
const EARNED: u32 = 4;

/// How many frames that carry nothing were not earned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget(u32);

impl Budget {
    pub const NONE_SPENT: Budget = Budget(0);

    /// A frame with payload, or a message, came.
    #[inline]
    pub fn earn(&mut self) {
        self.0 = self.0.saturating_sub(EARNED);
    }

    /// A frame came that carries nothing.
    #[inline]
    pub fn spend(&mut self, limits: &Limits) -> Result<(), Error> {
        self.0 = self.0.saturating_add(1);
        if self.0 > limits.useless_frames { Err(Error::TooManyUselessFrames) } else { Ok(()) }
    }

    /// It is as at the beginning.
    pub fn refill(&mut self) {
        *self = Budget::NONE_SPENT;
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use crate::ws::{Error, Limits};

    #[test]
    fn work_earns_four_frames_and_never_more_than_there_were_at_first() {
        let (mut budget, limits) = (Budget::NONE_SPENT, Limits { useless_frames: 10, ..Limits::default() });
        (0..100).for_each(|_| budget.earn());
        assert!((0..10).all(|_| budget.spend(&limits).is_ok()));
        budget.earn();
        assert!((0..4).all(|_| budget.spend(&limits).is_ok()));
        assert_eq!(budget.spend(&limits), Err(Error::TooManyUselessFrames));
        budget.refill();
        assert!((0..10).all(|_| budget.spend(&limits).is_ok()));
        assert_eq!(budget.spend(&limits), Err(Error::TooManyUselessFrames));
    }
}
