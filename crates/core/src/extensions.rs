//! What filters and handlers leave with a request for those behind them.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

/// Values by their types: one of each.
///
/// A value that is the same for many requests, or that its owner recycles, is [shared](Extensions::insert_shared), and costs no allocation.
#[derive(Default)]
pub struct Extensions {
    values: Vec<Rc<dyn Any>>,
}

/// How many of them a thread keeps for other requests.
const KEPT: usize = 256;

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes are what is recycled: they move into requests and back")]
    static FREE: RefCell<Vec<Box<Extensions>>> = const { RefCell::new(Vec::new()) };
}

impl Extensions {
    /// Leaves a value, in the place of another of its type.
    pub fn insert<T: 'static>(&mut self, value: T) {
        self.insert_shared(Rc::new(value));
    }

    /// The same of a value that others have, too.
    pub fn insert_shared<T: 'static>(&mut self, value: Rc<T>) {
        match self.values.iter_mut().find(|value| value.is::<T>()) {
            Some(place) => *place = value,
            None => self.values.push(value),
        }
    }

    /// The value of a type.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.values.iter().find_map(|value| value.downcast_ref())
    }

    /// The same, to be kept.
    pub fn get_shared<T: 'static>(&self) -> Option<Rc<T>> {
        let value = self.values.iter().find(|value| value.is::<T>())?;
        value.clone().downcast().ok()
    }

    /// Empty ones, with the memory of others that were.
    pub(crate) fn recycled() -> Box<Extensions> {
        FREE.with_borrow_mut(Vec::pop).unwrap_or_default()
    }

    /// Drops the values, and keeps the memory.
    pub(crate) fn recycle(mut self: Box<Extensions>) {
        self.values.clear();
        // A thread that is ending has no list any more: then the memory is freed.
        let _ = FREE.try_with(|free| {
            let mut free = free.borrow_mut();
            if free.len() < KEPT {
                free.push(self);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_value_of_a_type_and_the_last_counts() {
        let mut extensions = Extensions::default();
        extensions.insert(1_u8);
        extensions.insert("text");
        extensions.insert(2_u8);
        assert_eq!((extensions.get::<u8>(), extensions.get::<&str>()), (Some(&2), Some(&"text")));
        assert_eq!(extensions.get::<u16>(), None);
    }

    #[test]
    fn what_is_recycled_holds_nothing() {
        let value = Rc::new(String::from("held"));
        let mut extensions = Extensions::recycled();
        extensions.insert_shared(value.clone());
        assert_eq!(extensions.get_shared::<String>().as_ref(), Some(&value));
        extensions.recycle();
        assert_eq!(Rc::strong_count(&value), 1);
        assert!(Extensions::recycled().get::<String>().is_none());
    }
}
