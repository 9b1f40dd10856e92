//! Values that a filter shares with handlers for the length of a request, and uses again for others.

use std::cell::RefCell;
use std::rc::Rc;

/// Those of one filter's instance that nobody has.
pub(crate) struct Recycled<T>(RefCell<Vec<Rc<T>>>);

/// How many are kept; more are allocated when more requests wait at a time, and freed after.
const KEPT: usize = 1024;

impl<T> Default for Recycled<T> {
    fn default() -> Recycled<T> {
        Recycled(RefCell::default())
    }
}

impl<T: Default> Recycled<T> {
    /// One that nobody else has, after `write` has made it what it is to be; it may hold what it held before.
    pub(crate) fn take(&self, write: impl FnOnce(&mut T)) -> Rc<T> {
        let mut value = self.0.borrow_mut().pop().unwrap_or_default();
        if let Some(own) = Rc::get_mut(&mut value) {
            write(own);
            return value;
        }
        // Somebody keeps it beyond its request.
        let mut own = T::default();
        write(&mut own);
        Rc::new(own)
    }

    /// Takes one back, whose request is over.
    pub(crate) fn give_back(&self, value: Rc<T>) {
        let mut free = self.0.borrow_mut();
        if free.len() < KEPT {
            free.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_used_again_unless_somebody_keeps_it() {
        let recycled = Recycled::<String>::default();
        let first = recycled.take(|text| text.push_str("one"));
        let (address, kept) = (Rc::as_ptr(&first), first.clone());
        recycled.give_back(first);
        let second = recycled.take(|text| text.push_str("two"));
        assert_eq!((kept.as_str(), second.as_str()), ("one", "two"));
        drop(kept);
        recycled.give_back(second);
        let third = recycled.take(|text| text.push_str(" three"));
        assert_eq!(third.as_str(), "two three");
        assert_ne!(Rc::as_ptr(&third), address);
    }
}
