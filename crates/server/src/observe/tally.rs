//! A number that one thread counts and others read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counted by one thread only, so that counting is a plain load and store and no bus is locked; others may read it at any time.
#[derive(Debug, Default)]
pub struct Tally(AtomicU64);

impl Tally {
    /// Counts `count` more. Only the thread that the tally belongs to may do this: of two that do at once, one is not counted.
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    /// Counts one less; as [`add`](Tally::add).
    #[inline]
    pub fn take_one(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_sub(1), Ordering::Relaxed);
    }

    /// What was counted.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
