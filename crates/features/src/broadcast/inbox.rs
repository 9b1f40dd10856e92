//! What is published and a worker has not taken yet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use gannet_core::{Letter, Letterbox, Ports};

use super::WORKER_BACKLOG;
use super::published::{Delivered, Published};
use super::topic::Topics;

/// One worker's, of one broadcast.
pub(super) struct Inbox {
    /// Which broadcast it is of.
    pub(super) number: usize,
    letterbox: Arc<dyn Letterbox>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Arc<Published>>,
    /// The worker has a letter, and has not opened it yet.
    is_posted: bool,
    /// Nobody there has subscribed any more.
    is_closed: bool,
}

impl Inbox {
    pub(super) fn new(number: usize, letterbox: Arc<dyn Letterbox>) -> Inbox {
        Inbox { number, letterbox, waiting: Mutex::default() }
    }

    /// Puts a message in, and tells the worker if it has not been told; says whether it is still there.
    pub(super) fn put(self: &Arc<Inbox>, message: &Arc<Published>) -> bool {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return false;
        }
        if waiting.messages.len() == WORKER_BACKLOG {
            waiting.messages.pop_front();
        }
        waiting.messages.push_back(message.clone());
        if std::mem::replace(&mut waiting.is_posted, true) {
            return true;
        }
        drop(waiting);
        self.letterbox.post(self.clone())
    }

    /// Takes nothing more.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        waiting.messages.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is held.
        self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Letter for Inbox {
    fn open(&self, ports: &Ports) {
        let messages = {
            let mut waiting = self.lock();
            waiting.is_posted = false;
            std::mem::take(&mut waiting.messages)
        };
        // Who subscribed after all before them had left is none of those that they were for.
        let topic = ports.locals.get::<Topics>().find(self.number).filter(|topic| topic.has(self));
        let Some(topic) = topic else { return };
        let delivered: Vec<Delivered> = messages.iter().map(|message| Delivered::new(message)).collect();
        topic.deliver(&delivered);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts letters, which nobody opens.
    #[derive(Default)]
    struct Unopened(AtomicUsize);

    impl Letterbox for Unopened {
        fn post(&self, _: Arc<dyn Letter>) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            true
        }
    }

    #[test]
    fn a_worker_that_takes_nothing_has_the_newest_messages_and_one_letter() {
        let letterbox = Arc::<Unopened>::default();
        let inbox = Arc::new(Inbox::new(0, letterbox.clone()));
        for number in 0..WORKER_BACKLOG + 10 {
            assert!(inbox.put(&Arc::new(Published::new(number.to_string().into()))));
        }
        let waiting = inbox.lock();
        assert_eq!((waiting.messages.len(), letterbox.0.load(Ordering::Relaxed)), (WORKER_BACKLOG, 1));
        assert_eq!(waiting.messages[0].frame(), &b"\x81\x0210"[..]);
        drop(waiting);
        inbox.close();
        assert!(!inbox.put(&Arc::new(Published::new("late".into()))), "nobody is left there");
    }
}
