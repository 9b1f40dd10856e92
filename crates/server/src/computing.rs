//! Threads that compute: work-stealing, and bounded.
//!
//! Jobs come into one queue. A thread takes some at a time into a queue of its own; whose own and the common one are empty takes from
//! the others'. Who finds nothing sleeps ([`Sleepers`]).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};

use crate::offload::{Job, WAITING_JOBS, contained};
use crate::sleepers::Sleepers;
use crate::threads;

/// The threads' owner: they end when it is dropped, and what waits does not run.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    jobs: Injector<Job>,
    stealers: Box<[Stealer<Job>]>,
    /// Jobs that no thread has begun.
    waiting: AtomicUsize,
    /// The queues of threads that were not needed yet.
    unstarted: Mutex<Vec<Deque<Job>>>,
    started: AtomicUsize,
    ended: AtomicBool,
    sleepers: Sleepers,
}

impl Pool {
    /// Up to `most_threads` threads of a name, each started when it is needed.
    pub(crate) fn new(name: &'static str, most_threads: usize) -> Pool {
        let deques: Vec<_> = (0..most_threads).map(|_| Deque::new_fifo()).collect();
        let stealers = deques.iter().map(Deque::stealer).collect();
        let shared = Shared {
            name,
            jobs: Injector::new(),
            stealers,
            waiting: AtomicUsize::new(0),
            unstarted: Mutex::new(deques),
            started: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            sleepers: Sleepers::default(),
        };
        Pool { shared: Arc::new(shared) }
    }

    /// Has a thread do the job; false: too many wait already, or no thread can be had, and it will not be done.
    pub(crate) fn spawn(&self, job: Job) -> bool {
        let shared = &self.shared;
        let before = shared.waiting.fetch_add(1, Ordering::AcqRel);
        if before >= WAITING_JOBS || !Shared::has_thread(shared, before + 1) {
            shared.waiting.fetch_sub(1, Ordering::AcqRel);
            return false;
        }
        shared.jobs.push(job);
        shared.sleepers.wake_one();
        true
    }
}

impl Drop for Pool {
    /// The threads end by themselves: one may be in the midst of a long computation.
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.shared.sleepers.wake_all();
    }
}

impl Shared {
    /// Starts a thread, if fewer sleep than jobs wait and there may be more; whether there is any. Who was woken for another job may
    /// still count as asleep.
    fn has_thread(shared: &Arc<Shared>, waiting: usize) -> bool {
        if shared.sleepers.count() < waiting && shared.started.load(Ordering::Acquire) < shared.stealers.len()
        {
            Shared::start(shared);
        }
        shared.started.load(Ordering::Acquire) > 0
    }

    fn start(shared: &Arc<Shared>) {
        let Some(own) = shared.unstarted.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return };
        let of_thread = shared.clone();
        match threads::spawn(shared.name, move || of_thread.work(&own)) {
            Ok(_) => {
                shared.started.fetch_add(1, Ordering::AcqRel);
            }
            // Its queue is gone: the next job is another's, or there is one thread less for good.
            Err(error) => tracing::warn!(%error, name = shared.name, "a thread could not be started"),
        }
    }

    fn work(&self, own: &Deque<Job>) {
        while !self.ended.load(Ordering::Acquire) {
            match self.find(own) {
                Some(job) => {
                    self.waiting.fetch_sub(1, Ordering::AcqRel);
                    if !own.is_empty() {
                        self.sleepers.wake_one(); // others may take these
                    }
                    contained(job);
                }
                None => self.sleepers.sleep(|| self.has_news()),
            }
        }
    }

    /// A job: of our own, else of the common queue, else another's.
    fn find(&self, own: &Deque<Job>) -> Option<Job> {
        own.pop().or_else(|| {
            loop {
                // As long as somebody else was faster it is not certain that there is none.
                match self.jobs.steal_batch_and_pop(own).or_else(|| self.steal()) {
                    Steal::Success(job) => return Some(job),
                    Steal::Empty => return None,
                    Steal::Retry => {}
                }
            }
        })
    }

    fn steal(&self) -> Steal<Job> {
        self.stealers.iter().map(Stealer::steal).collect()
    }

    fn has_news(&self) -> bool {
        let ended = self.ended.load(Ordering::SeqCst);
        ended || !self.jobs.is_empty() || self.stealers.iter().any(|stealer| !stealer.is_empty())
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (waiting, started) = (self.waiting.load(Ordering::Relaxed), self.started.load(Ordering::Relaxed));
        write!(f, "{waiting} jobs, {started} threads")
    }
}
