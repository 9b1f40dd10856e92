//! Futures in recycled boxes: a handler that waits costs no allocation in the steady state.
//!
//! A handler's future has one size, so the box of one that is done fits the next. Each handler instance keeps the boxes of
//! its own futures; a box is filled in place, polled, emptied and put back.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::{IntoResponse, Response};

/// Empty boxes that one instance keeps. More are allocated when more futures wait at a time, and freed after.
const KEPT: usize = 1024;

/// The empty boxes of one handler instance.
pub(crate) struct Boxes<F> {
    free: Rc<Free<F>>,
}

type Free<F> = RefCell<Vec<Pin<Box<Slot<F>>>>>;

pin_project! {
    /// One box.
    struct Slot<F> {
        #[pin]
        future: Option<F>,
        home: Weak<Free<F>>,
    }
}

/// A future in its box; dropping it drops the future and puts the box back.
pub(crate) struct Boxed {
    /// Empty only while being dropped.
    slot: Option<Pin<Box<dyn AnySlot>>>,
}

trait AnySlot {
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response>;
    fn recycle(self: Pin<Box<Self>>);
}

impl<F> Default for Boxes<F> {
    fn default() -> Boxes<F> {
        Boxes { free: Rc::default() }
    }
}

impl<F> Boxes<F>
where
    F: Future<Output: IntoResponse> + 'static,
{
    /// Puts `future` into a box.
    pub(crate) fn fill(&self, future: F) -> Boxed {
        let recycled = self.free.borrow_mut().pop();
        let mut slot =
            recycled.unwrap_or_else(|| Box::pin(Slot { future: None, home: Rc::downgrade(&self.free) }));
        slot.as_mut().project().future.set(Some(future));
        Boxed { slot: Some(slot) }
    }
}

impl Boxed {
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Response> {
        self.slot.as_mut().expect("present until dropped").as_mut().poll(context)
    }
}

impl Drop for Boxed {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.recycle();
        }
    }
}

impl<F> AnySlot for Slot<F>
where
    F: Future<Output: IntoResponse>,
{
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let future = self.project().future.as_pin_mut().expect("filled until recycled");
        future.poll(context).map(IntoResponse::into_response)
    }

    fn recycle(mut self: Pin<Box<Self>>) {
        self.as_mut().project().future.set(None);
        if let Some(home) = self.home.upgrade() {
            let mut free = home.borrow_mut();
            if free.len() < KEPT {
                free.push(self);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Fills a box, polls it once and says where it was.
    fn address<F: Future<Output = &'static str> + 'static>(boxes: &Boxes<F>, future: F) -> usize {
        let mut boxed = boxes.fill(future);
        assert!(boxed.poll(&mut Context::from_waker(Waker::noop())).is_ready());
        let slot: *const dyn AnySlot = &**boxed.slot.as_ref().expect("filled");
        slot.addr()
    }

    #[test]
    fn the_box_of_a_finished_future_is_the_next_ones() {
        let boxes = Boxes::default();
        let hello = async || "hello";
        assert_eq!(address(&boxes, hello()), address(&boxes, hello()));
        assert_eq!(boxes.free.borrow().len(), 1);
    }

    #[test]
    fn dropping_a_box_drops_what_its_future_holds() {
        let (boxes, held) = (Boxes::default(), Rc::new(()));
        let copy = held.clone();
        let boxed = boxes.fill(async move {
            let _copy = copy;
            std::future::pending::<&str>().await
        });
        drop(boxed);
        assert_eq!(Rc::strong_count(&held), 1);
    }

    #[test]
    fn a_box_outlives_its_handler_and_is_then_freed() {
        let boxes = Boxes::default();
        let mut boxed = boxes.fill(async { "late" });
        drop(boxes);
        assert!(boxed.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}
