//! How many responses may be compressed at a time: each has a compressor's memory.

use std::cell::Cell;
use std::rc::Rc;

/// What is left of the permits of one worker.
#[derive(Clone)]
pub(super) struct Permits(Rc<Cell<usize>>);

/// The permission to compress one response; given back when it is dropped.
pub(super) struct Permit(Rc<Cell<usize>>);

impl Permits {
    pub(super) fn new(permits: usize) -> Permits {
        Permits(Rc::new(Cell::new(permits)))
    }

    /// A permission, if one is left.
    pub(super) fn take(&self) -> Option<Permit> {
        self.0.set(self.0.get().checked_sub(1)?);
        Some(Permit(self.0.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}
