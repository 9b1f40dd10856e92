//! The port: calls come in while handlers are polled, and are begun when the worker comes to it, in the same turn.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use gannet_core::{Call, Upstream, Upstreams};

/// Calls that wait to be begun, and how many are under way with each upstream.
#[derive(Default)]
pub(crate) struct Calls {
    waiting: RefCell<VecDeque<Waiting>>,
    under_way: RefCell<Vec<usize>>,
}

/// A call that waits to be begun.
pub(crate) struct Waiting {
    pub(crate) call: Rc<Call>,
    /// On a connection of its own: it was begun before, on one that had died in the pool.
    pub(crate) fresh: bool,
}

impl Calls {
    /// The next to begin.
    pub(crate) fn next(&self) -> Option<Waiting> {
        self.waiting.borrow_mut().pop_front()
    }

    /// Whether none waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// How many are under way, with all upstreams; those that wait to be begun are.
    pub(crate) fn all_under_way(&self) -> usize {
        self.under_way.borrow().iter().sum()
    }

    /// Begins a call once more.
    pub(crate) fn again(&self, call: Rc<Call>) {
        self.waiting.borrow_mut().push_back(Waiting { call, fresh: true });
    }

    /// An exchange with an upstream has ended.
    pub(crate) fn over(&self, upstream: &Upstream) {
        self.under_way.borrow_mut()[upstream.number()] -= 1;
    }
}

impl Upstreams for Calls {
    fn begin(&self, call: Rc<Call>) {
        let number = call.upstream().number();
        let mut under_way = self.under_way.borrow_mut();
        if under_way.len() <= number {
            under_way.resize(number + 1, 0);
        }
        under_way[number] += 1;
        self.waiting.borrow_mut().push_back(Waiting { call, fresh: false });
    }

    fn under_way(&self, upstream: &Upstream) -> usize {
        self.under_way.borrow().get(upstream.number()).copied().unwrap_or(0)
    }
}
