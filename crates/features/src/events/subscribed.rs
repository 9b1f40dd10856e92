//! What is published, as events.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use gannet_core::{BodyError, Frame, Ports, Source};

use crate::broadcast::{Broadcast, Delivered, SlowSubscriber, Subscriber, Subscription, Terms};

/// Events that wait for one client.
#[derive(Default)]
struct Waiting {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    events: VecDeque<Bytes>,
    /// It is too slow.
    closed: bool,
    sender: Option<Waker>,
}

/// The stream of what one client subscribed to.
pub(super) struct Subscribed {
    waiting: Rc<Waiting>,
    _subscription: Subscription,
}

impl Subscribed {
    pub(super) fn new(broadcast: &Broadcast, ports: &Ports) -> Subscribed {
        let waiting = Rc::<Waiting>::default();
        let subscriber: Rc<dyn Subscriber> = waiting.clone();
        let subscription = broadcast.subscribe(ports, Rc::downgrade(&subscriber));
        Subscribed { waiting, _subscription: subscription }
    }
}

impl Subscriber for Waiting {
    fn deliver(&self, message: &Delivered, terms: Terms) {
        let mut state = self.state.borrow_mut();
        let Some(event) = message.event().filter(|_| !state.closed) else { return };
        if state.events.len() >= terms.backlog {
            match terms.slow {
                SlowSubscriber::DropNewest => return,
                SlowSubscriber::DropOldest => _ = state.events.pop_front(),
                SlowSubscriber::Close => {
                    state.closed = true;
                    state.events.clear();
                }
            }
        }
        if !state.closed {
            state.events.push_back(event.clone());
        }
        if let Some(sender) = state.sender.take() {
            sender.wake();
        }
    }
}

impl Source for Subscribed {
    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let mut state = self.waiting.state.borrow_mut();
        if let Some(event) = state.events.pop_front() {
            return Poll::Ready(Some(Ok(Frame::Data(event.into()))));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        state.events.shrink_to(0);
        state.sender = Some(context.waker().clone());
        Poll::Pending
    }
}
