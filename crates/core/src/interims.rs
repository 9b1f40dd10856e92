//! What a client is told before its response: interim responses (RFC 9110, 15.2), and what it is promised beside it (RFC 9113, 8.4).

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use crate::{Fields, Status};

/// Interim responses that may wait to be sent; what comes beyond is dropped: a client must do without them anyway.
const MOST: usize = 16;

/// What a client is to be told before its response: 102 (Processing), 103 (Early Hints). The connection sends it after the handler's
/// poll; whoever adds something at another time wakes the handler.
#[derive(Clone, Default)]
pub struct Interims {
    queue: Rc<Queue>,
}

#[derive(Default)]
struct Queue {
    count: Cell<usize>,
    waiting: RefCell<Vec<(Status, Fields)>>,
    promises: RefCell<Vec<Promise>>,
}

/// A response that is promised: to a GET that the client did not send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Promise {
    /// The host that it is asked for.
    pub authority: String,
    /// The path, and the query.
    pub target: String,
}

impl Interims {
    /// Adds one. One that is no interim response, or is the server's own to send (100, 101), is dropped, as is one beyond 16 that wait.
    pub fn push(&self, status: Status, fields: Fields) {
        let passed_on = status.is_informational() && status.code() > Status::SWITCHING_PROTOCOLS.code();
        if passed_on && self.queue.count.get() < MOST {
            self.queue.waiting.borrow_mut().push((status, fields));
            self.queue.count.set(self.queue.count.get() + 1);
        }
    }

    /// Promises a response. One beyond 16 that wait is not.
    pub(crate) fn promise(&self, promise: Promise) {
        if self.queue.count.get() < MOST {
            self.queue.promises.borrow_mut().push(promise);
            self.queue.count.set(self.queue.count.get() + 1);
        }
    }

    /// Takes the promises out, in their order: the server's part, before [`take`](Interims::take).
    pub fn take_promises(&self) -> Vec<Promise> {
        if self.is_empty() { Vec::new() } else { self.queue.promises.take() }
    }

    /// Whether none waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queue.count.get() == 0
    }

    /// For the next request, to which nobody has yet anything to add: whoever kept the last one's cannot.
    #[inline]
    pub fn renew(&mut self) {
        if Rc::strong_count(&self.queue) > 1 || !self.is_empty() {
            *self = Interims::default();
        }
    }

    /// Takes them out, in their order: the server's part.
    pub fn take(&self, mut each: impl FnMut(Status, Fields)) {
        if self.queue.count.replace(0) == 0 {
            return;
        }
        self.queue.promises.take();
        for (status, fields) in self.queue.waiting.take() {
            each(status, fields);
        }
    }
}

impl fmt::Debug for Interims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interims({})", self.queue.count.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interim_responses_come_out_in_their_order_and_only_what_is_one_goes_in() {
        let interims = Interims::default();
        for code in [103, 100, 101, 200, 102] {
            interims.push(Status::new(code).expect("a status"), Fields::new());
        }
        let mut taken = Vec::new();
        interims.take(|status, _| taken.push(status.code()));
        assert_eq!((taken, interims.is_empty()), (vec![103, 102], true));
    }

    #[test]
    fn who_keeps_those_of_one_request_cannot_add_to_the_next() {
        let mut interims = Interims::default();
        let kept = interims.clone();
        interims.renew();
        kept.push(Status::EARLY_HINTS, Fields::new());
        assert!(interims.is_empty());
    }

    #[test]
    fn no_more_than_a_few_wait() {
        let interims = Interims::default();
        for _ in 0..100 {
            interims.push(Status::EARLY_HINTS, Fields::new());
        }
        let mut count = 0;
        interims.take(|_, _| count += 1);
        assert_eq!(count, MOST);
    }
}
