//! Broadcast: one message to all who have subscribed, on whatever worker their connections are.
//!
//! | step | where | what it costs |
//! |---|---|---|
//! | a message is published | any thread: [`Broadcast::send`] | it is encoded once; one letter for each worker that has subscribers and none on its way |
//! | its letter is opened | each worker, in its next turn | one copy for the worker, whose subscribers share it; a place in a queue for each of them |
//! | it is sent | each connection, when the worker comes by it | all that came in the turn is one send |
//!
//! So a subscriber that keeps up gets every message of one [`Broadcast`] once, and in the same order as all others. One that does not is treated as
//! [`SlowSubscriber`] says.

mod inbox;
mod published;
mod topic;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use gannet_core::Ports;

use crate::websocket::Message;
use inbox::Inbox;
pub(crate) use published::Delivered;
use published::Published;
pub(crate) use topic::{Subscriber, Subscription};

/// Messages that wait for a subscriber, unless it is said otherwise.
const BACKLOG: usize = 256;

/// Messages that wait for a worker. One that takes none for so long is held up, and its subscribers are behind in any case.
pub(crate) const WORKER_BACKLOG: usize = 4096;

/// How many were made.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// A place where messages are published, and those who have subscribed get them. A clone is the same place. Made once, it is mostly a state of the application.
///
/// It may be used from any thread. Nothing is kept for those who subscribe later.
#[derive(Clone)]
pub struct Broadcast {
    shared: Arc<Shared>,
}

struct Shared {
    /// Which one, of all that this process has made.
    number: usize,
    /// Of workers that have subscribers, or had.
    inboxes: Mutex<Vec<Arc<Inbox>>>,
    subscribers: Arc<AtomicUsize>,
    terms: Terms,
}

/// What holds for each subscriber.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) backlog: usize,
    pub(crate) slow: SlowSubscriber,
}

/// What becomes of a subscriber for whom as many messages wait as may ([`Broadcast::bounded`]) when there is another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SlowSubscriber {
    /// It misses the oldest of those that wait: for what is out of date when the next one is there, as prices.
    #[default]
    DropOldest,
    /// It misses the new one.
    DropNewest,
    /// It is closed, with 1013, and may come again: for those who must miss nothing.
    Close,
}

impl Broadcast {
    /// A place without subscribers. For each of them 256 messages may wait, of which it misses the oldest when there are more.
    pub fn new() -> Broadcast {
        Broadcast::with(Terms { backlog: BACKLOG, slow: SlowSubscriber::default() })
    }

    /// How many messages may wait for one subscriber, and what becomes of one that is so slow. Those that wait are shared: each costs a subscriber some 50 bytes,
    /// and is in memory until all have it.
    ///
    /// # Panics
    /// At once, where `messages` is 0.
    pub fn bounded(messages: usize, slow: SlowSubscriber) -> Broadcast {
        assert!(messages > 0, "a subscriber for whom no message may wait gets none");
        Broadcast::with(Terms { backlog: messages, slow })
    }

    fn with(terms: Terms) -> Broadcast {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Broadcast {
            shared: Arc::new(Shared {
                number,
                inboxes: Mutex::default(),
                subscribers: Arc::default(),
                terms,
            }),
        }
    }

    /// Publishes a message: all who have subscribed get it, in the order in which messages were published. It waits for nobody.
    pub fn send(&self, message: impl Into<Message>) {
        let published = Arc::new(Published::new(message.into()));
        // The lock is what makes the order the same for all.
        self.inboxes().retain(|inbox| inbox.put(&published));
    }

    /// Publishes a value as a text message of JSON.
    ///
    /// # Errors
    /// The value is one that JSON cannot say.
    #[cfg(feature = "json")]
    pub fn send_json<T: serde_core::Serialize + ?Sized>(&self, value: &T) -> Result<(), serde_json::Error> {
        self.send(serde_json::to_string(value)?);
        Ok(())
    }

    /// How many have subscribed.
    pub fn subscribers(&self) -> usize {
        self.shared.subscribers.load(Ordering::Relaxed)
    }

    /// Subscribes, on the worker that has these ports: until the subscription is dropped.
    pub(crate) fn subscribe(&self, ports: &Ports, subscriber: std::rc::Weak<dyn Subscriber>) -> Subscription {
        let topics = ports.locals.get::<topic::Topics>();
        let topic = topics.topic(self.shared.number, || {
            let inbox = Arc::new(Inbox::new(self.shared.number, ports.letterbox.clone()));
            self.inboxes().push(inbox.clone());
            topic::Topic::new(inbox, self.shared.terms, self.shared.subscribers.clone(), &topics)
        });
        topic.subscribe(subscriber)
    }

    fn inboxes(&self) -> MutexGuard<'_, Vec<Arc<Inbox>>> {
        // Nothing panics while it is held.
        self.shared.inboxes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Whether it is the same place.
impl PartialEq for Broadcast {
    fn eq(&self, other: &Broadcast) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for Broadcast {}

impl Default for Broadcast {
    fn default() -> Broadcast {
        Broadcast::new()
    }
}

impl std::fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Broadcast({} subscribers)", self.subscribers())
    }
}
