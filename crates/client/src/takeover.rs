//! Takeover: connections that a worker has not needed for a while wait where any worker finds them before it makes a new one.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use gannet_core::Upstream;
use gannet_engine::{Detached, Moment};

/// What the workers of a server have left for each other. Touched where a worker has no connection of its own to an upstream.
#[derive(Debug)]
pub struct Takeover {
    workers: usize,
    /// When the first of them is to be closed, in nanoseconds; the most there is where there are none. Written under the lock.
    first: AtomicU64,
    upstreams: Mutex<Vec<VecDeque<Left>>>,
}

/// A connection that no engine has.
#[derive(Debug)]
struct Left {
    connection: Detached,
    until: Moment,
}

impl Default for Takeover {
    fn default() -> Takeover {
        Takeover::new(1)
    }
}

impl Takeover {
    /// For so many workers; one alone leaves nothing.
    pub fn new(workers: usize) -> Takeover {
        Takeover { workers, first: AtomicU64::new(Moment::NEVER.nanoseconds()), upstreams: Mutex::default() }
    }

    /// Whether there is anybody to take what is left.
    pub(crate) fn is_shared(&self) -> bool {
        self.workers > 1
    }

    /// Leaves a connection to `upstream`, to be closed if nobody has taken it by then.
    pub(crate) fn leave(&self, upstream: &Upstream, connection: Detached, until: Moment) {
        let mut upstreams = self.lock();
        let number = upstream.number();
        if upstreams.len() <= number {
            upstreams.resize_with(number + 1, VecDeque::new);
        }
        upstreams[number].push_back(Left { connection, until });
        self.note(&upstreams);
    }

    /// Takes one that is still good: the last that was left.
    pub(crate) fn take(&self, upstream: &Upstream, now: Moment) -> Option<Detached> {
        self.next_deadline()?;
        let mut upstreams = self.lock();
        let queue = upstreams.get_mut(upstream.number())?;
        let taken = queue.pop_back_if(|left| left.until > now)?;
        self.note(&upstreams);
        Some(taken.connection)
    }

    /// Takes one out that nobody has taken by then.
    pub(crate) fn expired(&self, by: Moment) -> Option<Detached> {
        self.next_deadline().filter(|first| *first <= by)?;
        let mut upstreams = self.lock();
        let queue = upstreams.iter_mut().find(|queue| queue.front().is_some_and(|left| left.until <= by))?;
        let expired = queue.pop_front()?;
        self.note(&upstreams);
        Some(expired.connection)
    }

    /// When the first of what is left is to be closed.
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        let first = Moment::from_nanoseconds(self.first.load(Ordering::Relaxed));
        (first != Moment::NEVER).then_some(first)
    }

    fn note(&self, upstreams: &[VecDeque<Left>]) {
        let fronts = upstreams.iter().filter_map(|queue| queue.front());
        let first = fronts.map(|left| left.until).min().unwrap_or(Moment::NEVER);
        self.first.store(first.nanoseconds(), Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<VecDeque<Left>>> {
        // A panic between two of its changes is not possible: none of them panics.
        self.upstreams.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
