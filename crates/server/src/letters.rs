//! The port by which other threads reach what features have on a worker.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use gannet_core::{Letter, Letterbox, Ports};

use crate::wake::Mailbox;

/// One worker's letters.
pub(crate) struct Letters {
    /// None once the worker has ended.
    waiting: Mutex<Option<Vec<Arc<dyn Letter>>>>,
    /// Whether there may be some: a turn looks at no more than this.
    any: AtomicBool,
    mailbox: Arc<Mailbox>,
}

impl Letters {
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Letters {
        Letters { waiting: Mutex::new(Some(Vec::new())), any: AtomicBool::new(false), mailbox }
    }

    /// Opens those that are there; says whether there were any.
    #[inline]
    pub(crate) fn open(&self, ports: &Ports) -> bool {
        self.any.load(Ordering::Relaxed) && self.open_all(ports)
    }

    #[cold]
    fn open_all(&self, ports: &Ports) -> bool {
        // Before they are taken: what is posted behind that sets it anew.
        self.any.store(false, Ordering::Relaxed);
        let letters = self.lock().as_mut().map(std::mem::take).unwrap_or_default();
        for letter in &letters {
            letter.open(ports);
        }
        !letters.is_empty()
    }

    /// The worker has ended.
    pub(crate) fn close(&self) {
        self.lock().take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Arc<dyn Letter>>>> {
        // Nothing panics while it is held.
        self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Letterbox for Letters {
    fn post(&self, letter: Arc<dyn Letter>) -> bool {
        let mut waiting = self.lock();
        let Some(letters) = &mut *waiting else { return false };
        letters.push(letter);
        self.any.store(true, Ordering::Relaxed);
        drop(waiting);
        self.mailbox.wake();
        true
    }
}
