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
    pub(crate) attempt: Attempt,
}

/// Whether a call was begun before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Attempt {
    /// It was not.
    First,
    /// It was, and came to nothing: by HTTP/1.1 it gets a new connection now, since what idles may have died, too.
    Again,
    /// It was, by HTTP/2, and the upstream wants it by HTTP/1.1.
    AgainByHttp1,
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
    pub(crate) fn again(&self, call: Rc<Call>, attempt: Attempt) {
        self.waiting.borrow_mut().push_back(Waiting { call, attempt });
    }

    /// Puts calls back that were to be begun, before all others.
    pub(crate) fn put_back(&self, calls: impl DoubleEndedIterator<Item = Waiting>) {
        let mut waiting = self.waiting.borrow_mut();
        calls.rev().for_each(|call| waiting.push_front(call));
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
        self.waiting.borrow_mut().push_back(Waiting { call, attempt: Attempt::First });
    }

    fn under_way(&self, upstream: &Upstream) -> usize {
        self.under_way.borrow().get(upstream.number()).copied().unwrap_or(0)
    }
}
