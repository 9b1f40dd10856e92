//! Threads that sleep until there is news, and those who bring it.
//!
//! Who brings news puts it where it will be looked for, and then calls [`wake_one`](Sleepers::wake_one) or [`wake_all`](Sleepers::wake_all):
//! a fence and a load where nobody sleeps. Who goes to sleep says so first, then looks once more, and only then sleeps. Of the two
//! one always sees the other (a fence of each is before the other's in their total order), so no news is slept through.

use crate::sync::{AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, fence};

/// Where threads sleep.
#[derive(Debug, Default)]
pub(crate) struct Sleepers {
    /// How many sleep, or are about to.
    count: AtomicUsize,
    lock: Mutex<()>,
    news: Condvar,
}

impl Sleepers {
    /// Sleeps until woken, unless `has_news`, which is looked at after it was announced that we sleep. May return without a reason.
    pub(crate) fn sleep(&self, has_news: impl FnOnce() -> bool) {
        let guard = self.lock();
        self.count.store(self.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if has_news() {
            self.leave(&guard);
            return;
        }
        let guard = self.news.wait(guard).unwrap_or_else(|poisoned| poisoned.into_inner());
        self.leave(&guard);
    }

    /// How many sleep, or are about to.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Wakes one that sleeps, if any does; the news is there already.
    pub(crate) fn wake_one(&self) {
        if self.has_sleepers() {
            let _guard = self.lock();
            self.news.notify_one();
        }
    }

    /// Wakes all that sleep; the news is there already.
    pub(crate) fn wake_all(&self) {
        if self.has_sleepers() {
            let _guard = self.lock();
            self.news.notify_all();
        }
    }

    fn has_sleepers(&self) -> bool {
        fence(Ordering::SeqCst);
        self.count.load(Ordering::Relaxed) > 0
    }

    /// The count is only written under the lock.
    fn leave(&self, _guard: &MutexGuard<'_, ()>) {
        self.count.store(self.count.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // Nothing panics while it is held.
        self.lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
