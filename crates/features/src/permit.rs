//! How much may be done at a time by what holds memory while it is done.

use std::cell::Cell;
use std::rc::Rc;

/// What is left of the permits of one worker.
#[derive(Clone)]
pub(crate) struct Permits(Rc<Cell<usize>>);

/// The permission to do something; given back when it is dropped.
pub(crate) struct Permit {
    left: Rc<Cell<usize>>,
    weight: usize,
}

impl Permits {
    pub(crate) fn new(permits: usize) -> Permits {
        Permits(Rc::new(Cell::new(permits)))
    }

    /// A permission of this weight, if so much is left.
    pub(crate) fn take(&self, weight: usize) -> Option<Permit> {
        self.0.set(self.0.get().checked_sub(weight)?);
        Some(Permit { left: self.0.clone(), weight })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.left.set(self.left.get() + self.weight);
    }
}
