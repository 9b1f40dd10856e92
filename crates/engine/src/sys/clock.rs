//! The system's clocks.

use std::time::Duration;

/// Reads a clock (clock_gettime(2)), through the vDSO where that has it.
pub(crate) fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes to a place of ours. It fails only for a clock that it does not have, and then writes nothing.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
