//! Threads for what would hold a worker up: disks that have to be asked, computations that take long.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use gannet_core::{Cpu, Later};

use crate::computing::Pool;
use crate::threads;

pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Jobs that may wait for a thread. Beyond it a job is refused, and its request answered 503 or without what the job would have
/// been good for.
pub(crate) const WAITING_JOBS: usize = 1024;

/// Threads that read from disks. They wait more than they compute: a slow disk holds up so many readers, and then their queue.
const DISK_THREADS: usize = 16;

/// The threads of a server, for all its workers.
#[derive(Clone, Debug)]
pub struct Services {
    /// For what waits on a disk.
    pub disk: Offload,
    /// For what computes.
    pub cpu: Offload,
    /// How many files each worker may keep open between requests.
    pub spare_descriptors: usize,
}

/// Threads that take jobs off a worker's hands. Started when they are needed, and ended when this is dropped.
#[derive(Clone, Debug)]
pub struct Offload {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Jobs run where they are given: for simulations, where nothing runs beside the worker.
    Inline,
    Threads(Arc<Handle>),
    Stealing(Arc<Pool>),
}

/// Ends the threads when the last owner is gone.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    name: &'static str,
    most_threads: usize,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    ended: bool,
}

impl Services {
    /// As many threads for computations as there are cores, and some for disks.
    pub fn start(spare_descriptors: usize) -> Services {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Services {
            disk: Offload::threads("gannet-disk", DISK_THREADS),
            cpu: Offload::stealing("gannet-cpu", cores),
            spare_descriptors,
        }
    }

    /// No threads: everything happens in its turn.
    pub fn inline() -> Services {
        let inline = Offload { kind: Kind::Inline };
        Services { disk: inline.clone(), cpu: inline, spare_descriptors: 16 }
    }
}

impl Offload {
    /// Up to `most_threads` threads of a name that wait more than they compute: they share one queue.
    pub fn threads(name: &'static str, most_threads: usize) -> Offload {
        let (state, news) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { name, most_threads, state, news });
        Offload { kind: Kind::Threads(Arc::new(Handle { shared })) }
    }

    /// Up to `most_threads` threads of a name that compute: each has a queue, and takes from the others'.
    pub fn stealing(name: &'static str, most_threads: usize) -> Offload {
        Offload { kind: Kind::Stealing(Arc::new(Pool::new(name, most_threads))) }
    }

    /// What `work` gives; nothing when too much is waiting already, or it panicked.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Later<Option<T>> {
        if let Kind::Inline = self.kind {
            return Later::ready(catch_unwind(AssertUnwindSafe(work)).ok());
        }
        let computation = <dyn Cpu>::run(self, work);
        Later::waiting(async { computation.await.ok() })
    }
}

impl Cpu for Offload {
    fn spawn(&self, job: Job) -> bool {
        match &self.kind {
            Kind::Threads(handle) => Shared::spawn(&handle.shared, job),
            Kind::Stealing(pool) => pool.spawn(job),
            Kind::Inline => {
                contained(job);
                true
            }
        }
    }
}

impl Shared {
    fn spawn(shared: &Arc<Shared>, job: Job) -> bool {
        let mut state = shared.lock();
        if state.jobs.len() == WAITING_JOBS {
            return false;
        }
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() {
            shared.news.notify_one();
        } else if state.threads < shared.most_threads {
            state.threads += 1;
            let of_thread = shared.clone();
            if let Err(error) = threads::spawn(shared.name, move || of_thread.work()) {
                state.threads -= 1;
                tracing::warn!(%error, name = shared.name, "a thread could not be started");
                if state.threads == 0 {
                    state.jobs.pop_back();
                    return false;
                }
            }
        }
        true
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                contained(job);
                state = self.lock();
            } else if state.ended {
                return;
            } else {
                state.idle += 1;
                state = self.news.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
                state.idle -= 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Handle {
    /// The threads end by themselves: one may be waiting for a disk that never answers.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ended = true;
        state.jobs.clear();
        self.shared.news.notify_all();
    }
}

/// Runs a job; who waits for it learns of a panic from its end of the channel, and the log has the rest.
pub(crate) fn contained(job: Job) {
    let _ = catch_unwind(AssertUnwindSafe(job));
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} jobs, {} threads", self.jobs.len(), self.threads)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// The makers of both kinds of threads.
    const KINDS: [fn(&'static str, usize) -> Offload; 2] = [Offload::threads, Offload::stealing];

    #[test]
    fn jobs_run_beside_each_other_up_to_the_number_of_threads_and_the_others_wait() {
        for kind in KINDS {
            check_that_jobs_run_beside_each_other(&kind("test", 2));
        }
    }

    fn check_that_jobs_run_beside_each_other(offload: &Offload) {
        let (began, begun) = mpsc::channel();
        let gates: Vec<_> = (0..3)
            .map(|number| {
                let (open, gate) = mpsc::channel::<()>();
                let began = began.clone();
                assert!(offload.spawn(Box::new(move || {
                    began.send(number).unwrap();
                    let _ = gate.recv();
                })));
                open
            })
            .collect();
        let mut all = vec![begun.recv().unwrap(), begun.recv().unwrap()];
        assert!(begun.try_recv().is_err(), "the third waits for a thread");
        drop(gates);
        all.push(begun.recv().unwrap());
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
    }

    #[test]
    fn beyond_the_queue_a_job_is_refused_and_runs_not() {
        for kind in KINDS {
            check_that_beyond_the_queue_a_job_is_refused(&kind("test", 1));
        }
    }

    fn check_that_beyond_the_queue_a_job_is_refused(offload: &Offload) {
        let (open, gate) = mpsc::channel::<()>();
        let (began, begun) = mpsc::channel();
        assert!(offload.spawn(Box::new(move || {
            began.send(()).unwrap();
            let _ = gate.recv();
        })));
        begun.recv().unwrap();
        for _ in 0..WAITING_JOBS {
            assert!(offload.spawn(Box::new(|| {})));
        }
        assert!(!offload.spawn(Box::new(|| panic!("it does not run"))));
        drop(open);
    }

    #[test]
    fn jobs_that_wait_behind_a_long_one_are_stolen_by_a_thread_that_has_nothing_to_do() {
        let offload = Offload::stealing("test", 2);
        let (began, begun) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        // One thread is held up for as long as it takes the other to do all the rest, whoever's queue that is in.
        assert!(offload.spawn(Box::new(move || {
            let _ = gate.recv();
        })));
        for number in 0..500 {
            let began = began.clone();
            assert!(offload.spawn(Box::new(move || began.send(number).unwrap())));
        }
        let mut done: Vec<u32> = (0..500).map(|_| begun.recv().unwrap()).collect();
        done.sort_unstable();
        assert_eq!(done, Vec::from_iter(0..500));
        drop(open);
    }

    #[test]
    fn what_waits_when_the_threads_end_does_not_run() {
        for kind in KINDS {
            let offload = kind("test", 1);
            let (began, begun) = mpsc::channel();
            let (open, gate) = mpsc::channel::<()>();
            let first = began.clone();
            assert!(offload.spawn(Box::new(move || {
                first.send("first").unwrap();
                let _ = gate.recv();
            })));
            assert_eq!(begun.recv(), Ok("first"));
            assert!(offload.spawn(Box::new(move || began.send("second").unwrap())));
            drop(offload);
            drop(open);
            assert!(begun.recv().is_err(), "all that could say something is gone");
        }
    }

    #[test]
    fn a_job_that_panics_gives_nothing_and_its_thread_works_on() {
        let wait = |later: Later<Option<u32>>| {
            let mut later = std::pin::pin!(later);
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            // Bounded: the job is done in far less.
            for _ in 0..1_000_000 {
                if let std::task::Poll::Ready(value) = later.as_mut().poll(&mut context) {
                    return value;
                }
                std::thread::yield_now();
            }
            panic!("the job never ended");
        };
        for kind in KINDS {
            let offload = kind("test", 1);
            assert_eq!(wait(offload.run(|| panic!("out of order"))), None);
            assert_eq!(wait(offload.run(|| 7)), Some(7));
        }
    }
}
