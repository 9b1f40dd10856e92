//! Connections on their way from a worker that is held up to the others.
//!
//! What a worker accepted and has not begun waits in a queue of its own, from whose other end the watchdog may take it
//! ([`Stealer`]). What it takes, and what it accepts in the worker's stead, it puts where all workers look at the end of their turns
//! ([`Balance`]). So a connection goes from one thread to another as a bare descriptor: no engine has it.

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};
use gannet_engine::Accepted;

use crate::sleepers::Sleepers;
use crate::sync::{AtomicUsize, Ordering};

/// What a worker accepted and has not begun: first in, first out.
pub(crate) struct Pending(Deque<Accepted>);

/// What the workers of one server take from each other.
#[derive(Debug)]
pub(crate) struct Balance {
    offered: Injector<Accepted>,
    /// How many are offered, or are just about to be. Every worker reads it in every turn, and nobody writes it unless a worker is held
    /// up: so each core has a copy of it.
    count: AtomicUsize,
    /// Where the watchdog sleeps.
    pub(crate) watchdog: Sleepers,
}

impl Pending {
    pub(crate) fn new() -> Pending {
        Pending(Deque::new_fifo())
    }

    pub(crate) fn push(&self, accepted: Accepted) {
        self.0.push(accepted);
    }

    /// The one that came first.
    pub(crate) fn pop(&self) -> Option<Accepted> {
        self.0.pop()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The end that another thread takes from.
    pub(crate) fn stealer(&self) -> Stealer<Accepted> {
        self.0.stealer()
    }
}

impl Default for Balance {
    fn default() -> Balance {
        Balance { offered: Injector::new(), count: AtomicUsize::new(0), watchdog: Sleepers::default() }
    }
}

impl Balance {
    /// Gives a connection to whichever worker is first to take it. Who sleeps has to be woken, after this.
    pub(crate) fn offer(&self, accepted: Accepted) {
        // Counted first: who takes it counts it out, and that may be before we get any further.
        self.count.fetch_add(1, Ordering::Release);
        self.offered.push(accepted);
    }

    /// Offers all that waits there; says how many that were.
    pub(crate) fn offer_all(&self, pending: &Stealer<Accepted>) -> usize {
        let mut count = 0;
        while let Some(accepted) = stolen(|| pending.steal()) {
            self.offer(accepted);
            count += 1;
        }
        count
    }

    /// How many are offered.
    pub(crate) fn offers(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// One that is offered.
    pub(crate) fn take(&self) -> Option<Accepted> {
        if self.offers() == 0 {
            return None;
        }
        let taken = stolen(|| self.offered.steal());
        if taken.is_some() {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
        taken
    }
}

/// Steals until that is settled: each time that it is not, another thread was faster.
fn stolen<T>(steal: impl Fn() -> Steal<T>) -> Option<T> {
    loop {
        match steal() {
            Steal::Success(stolen) => return Some(stolen),
            Steal::Empty => return None,
            Steal::Retry => {}
        }
    }
}
