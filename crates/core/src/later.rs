//! Something that is there at once, or comes later.

use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that may be ready from the start, and then costs no allocation.
pub struct Later<T> {
    state: State<T>,
}

enum State<T> {
    /// Empty once it was taken.
    Ready(Option<T>),
    Waiting(Pin<Box<dyn Future<Output = T>>>),
}

// What is ready is only moved, never pinned.
impl<T> Unpin for Later<T> {}

impl<T> Later<T> {
    /// There at once.
    pub fn ready(value: T) -> Later<T> {
        Later { state: State::Ready(Some(value)) }
    }

    /// When `future` is done.
    pub fn waiting(future: impl Future<Output = T> + 'static) -> Later<T> {
        Later { state: State::Waiting(Box::pin(future)) }
    }
}

impl<T> Future for Later<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut self.state {
            State::Ready(value) => {
                Poll::Ready(value.take().expect("a future is not polled after it was ready"))
            }
            State::Waiting(future) => future.as_mut().poll(context),
        }
    }
}
