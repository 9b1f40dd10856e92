//! What a worker is to features: memory that only it has, an address that others write to, and its end.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use crate::Ports;

/// What one worker has for features, one thing of each type: made when it is first asked for, gone with the worker.
#[derive(Default)]
pub struct Locals {
    things: RefCell<Vec<(TypeId, Rc<dyn Any>)>>,
}

impl Locals {
    /// The worker's own `T`.
    pub fn get<T: Default + 'static>(&self) -> Rc<T> {
        let known =
            self.things.borrow().iter().find(|(kind, _)| *kind == TypeId::of::<T>()).map(|it| it.1.clone());
        let thing = known.unwrap_or_else(|| {
            let made: Rc<dyn Any> = Rc::<T>::default();
            self.things.borrow_mut().push((TypeId::of::<T>(), made.clone()));
            made
        });
        thing.downcast().expect("things are found by their type")
    }
}

/// Brought to a worker by other threads, and opened there.
pub trait Letter: Send + Sync {
    /// Opens it, on the worker's thread, in one of its turns.
    fn open(&self, ports: &Ports);
}

/// Where a worker gets its letters. It may be kept, and sent to other threads.
pub trait Letterbox: Send + Sync {
    /// Puts a letter in, and wakes the worker; false: the worker has ended. A letter is not posted again before it is opened: so as many wait as there are.
    fn post(&self, letter: Arc<dyn Letter>) -> bool;
}

/// That of a worker that has ended.
impl Letterbox for () {
    fn post(&self, _: Arc<dyn Letter>) -> bool {
        false
    }
}

/// Whether a worker is ending. Whoever talks for as long as there is a client is polled when that begins, and says goodbye.
#[derive(Default, Debug)]
pub struct Draining(Cell<bool>);

impl Draining {
    /// The worker begins to end: the server's part.
    pub fn begin(&self) {
        self.0.set(true);
    }

    /// Whether it does.
    pub fn has_begun(&self) -> bool {
        self.0.get()
    }
}

impl fmt::Debug for Locals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locals({})", self.things.borrow().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_one_thing_which_is_made_once() {
        let locals = Locals::default();
        locals.get::<Cell<u8>>().set(7);
        locals.get::<RefCell<String>>().borrow_mut().push('a');
        assert_eq!(
            (locals.get::<Cell<u8>>().get(), locals.get::<RefCell<String>>().take()),
            (7, "a".to_owned())
        );
    }
}
