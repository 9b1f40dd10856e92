//! Who has subscribed, on one worker.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::inbox::Inbox;
use super::{Delivered, Terms};

/// Who gets messages.
pub(crate) trait Subscriber {
    /// Takes a message, or does not, as the terms say.
    fn deliver(&self, message: &Delivered, terms: Terms);
}

/// One worker's part in all broadcasts that have subscribers there, by their numbers.
#[derive(Default)]
pub(super) struct Topics {
    topics: RefCell<HashMap<usize, Rc<Topic>>>,
}

/// One worker's part in one.
pub(super) struct Topic {
    subscribers: RefCell<Subscribers>,
    inbox: Arc<Inbox>,
    terms: Terms,
    /// How many there are on all workers.
    count: Arc<AtomicUsize>,
    topics: Weak<Topics>,
}

#[derive(Default)]
struct Subscribers {
    places: Vec<Option<Weak<dyn Subscriber>>>,
    free: Vec<u32>,
}

/// That somebody has subscribed: dropped, they have no more.
pub(crate) struct Subscription {
    topic: Rc<Topic>,
    place: u32,
}

impl Topics {
    /// The part in a broadcast, made when somebody is the first to subscribe.
    pub(super) fn topic(&self, number: usize, make: impl FnOnce() -> Topic) -> Rc<Topic> {
        let known = self.find(number);
        known.unwrap_or_else(|| {
            let topic = Rc::new(make());
            self.topics.borrow_mut().insert(number, topic.clone());
            topic
        })
    }

    pub(super) fn find(&self, number: usize) -> Option<Rc<Topic>> {
        self.topics.borrow().get(&number).cloned()
    }
}

impl Topic {
    pub(super) fn new(
        inbox: Arc<Inbox>,
        terms: Terms,
        count: Arc<AtomicUsize>,
        topics: &Rc<Topics>,
    ) -> Topic {
        Topic { subscribers: RefCell::default(), inbox, terms, count, topics: Rc::downgrade(topics) }
    }

    /// Whether that is where its messages come from.
    pub(super) fn has(&self, inbox: &Inbox) -> bool {
        std::ptr::eq(&raw const *self.inbox, inbox)
    }

    pub(super) fn subscribe(self: Rc<Topic>, subscriber: Weak<dyn Subscriber>) -> Subscription {
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut subscribers = self.subscribers.borrow_mut();
        let place = subscribers.free.pop().unwrap_or_else(|| {
            subscribers.places.push(None);
            subscribers.places.len() as u32 - 1 // as many as connections, which are fewer
        });
        subscribers.places[place as usize] = Some(subscriber);
        drop(subscribers);
        Subscription { topic: self, place }
    }

    /// Gives each subscriber all of them: so what comes in one turn is one send.
    pub(super) fn deliver(&self, messages: &[Delivered]) {
        let count = self.subscribers.borrow().places.len();
        for place in 0..count {
            // Looked up each time: who is closed for being slow unsubscribes meanwhile.
            let subscriber = self.subscribers.borrow().places[place].as_ref().and_then(Weak::upgrade);
            if let Some(subscriber) = subscriber {
                messages.iter().for_each(|message| subscriber.deliver(message, self.terms));
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.topic.count.fetch_sub(1, Ordering::Relaxed);
        let mut subscribers = self.topic.subscribers.borrow_mut();
        subscribers.places[self.place as usize] = None;
        subscribers.free.push(self.place);
        if subscribers.free.len() == subscribers.places.len() {
            // Nobody is left: a broadcast may be one of many, and be gone.
            self.topic.inbox.close();
            if let Some(topics) = self.topic.topics.upgrade() {
                topics.topics.borrow_mut().remove(&self.topic.inbox.number);
            }
        }
    }
}
