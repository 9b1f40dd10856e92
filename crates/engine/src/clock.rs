//! Time, as the engine tells it: read once a turn, and beside that where somebody measures.

use std::rc::Rc;
use std::time::Duration;

use crate::sys::clock::read;
use crate::sys::system::CALENDAR;

/// A moment on the engine's own clock: nanoseconds since some fixed moment in the past (CLOCK_MONOTONIC, clock_gettime(2)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Moment(u64);

impl Moment {
    /// Later than all others: the deadline of what has none.
    pub const NEVER: Moment = Moment(u64::MAX);

    /// The moment `nanoseconds` after the clock's beginning.
    pub const fn from_nanoseconds(nanoseconds: u64) -> Moment {
        Moment(nanoseconds)
    }

    /// Nanoseconds since the clock's beginning.
    pub const fn nanoseconds(self) -> u64 {
        self.0
    }

    /// The moment `wait` from this one; at most [`Moment::NEVER`].
    #[must_use]
    pub fn after(self, wait: Duration) -> Moment {
        let nanoseconds = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        Moment(self.0.saturating_add(nanoseconds))
    }

    /// How long ago `earlier` was; zero when it is yet to come.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A reading of both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// For measuring and for deadlines.
    pub moment: Moment,
    /// Milliseconds since 1970-01-01 00:00 UTC, as exact as the system's coarse clock: some milliseconds.
    pub unix_milliseconds: u64,
}

/// Reads a backend's clocks, wherever it is by now.
pub type ReadClock = Rc<dyn Fn() -> Now>;

impl Now {
    /// Seconds since 1970-01-01 00:00 UTC, for the `Date` field.
    pub const fn unix_seconds(self) -> u64 {
        self.unix_milliseconds / 1000
    }

    /// Asks the kernel (through the vDSO, without a system call).
    pub fn read() -> Now {
        let (monotonic, realtime) = (read(libc::CLOCK_MONOTONIC), read(CALENDAR));
        let unix_milliseconds = realtime.as_secs() * 1000 + u64::from(realtime.subsec_millis());
        Now { moment: Moment::default().after(monotonic), unix_milliseconds }
    }
}
