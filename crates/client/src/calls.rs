//! The port: calls come in during handlers' polls, and are begun when the worker comes to it, in the same turn.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use gannet_core::{Call, Upstream, Upstreams};

/// Calls that wait to be begun, and how many are under way with each upstream.
#[derive(Default)]
pub struct Calls {
    begun: RefCell<VecDeque<Rc<Call>>>,
    under_way: RefCell<Vec<usize>>,
}

impl Calls {
    /// The next to begin.
    pub fn next(&self) -> Option<Rc<Call>> {
        self.begun.borrow_mut().pop_front()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.begun.borrow().is_empty()
    }

    /// An exchange with an upstream has ended.
    pub fn over(&self, upstream: &Upstream) {
        self.under_way.borrow_mut()[upstream.number()] -= 1;
    }
}

impl Upstreams for Calls {
    fn begin(&self, call: Rc<Call>) {
        let mut under_way = self.under_way.borrow_mut();
        let number = call.upstream().number();
        if under_way.len() <= number {
            under_way.resize(number + 1, 0);
        }
        under_way[number] += 1;
        self.begun.borrow_mut().push_back(call);
    }

    fn under_way(&self, upstream: &Upstream) -> usize {
        self.under_way.borrow().get(upstream.number()).copied().unwrap_or(0)
    }
}
