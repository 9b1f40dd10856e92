//! All workers at once: what they counted, and whether the server is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

use super::counters::WorkerCounters;
use super::histogram::Durations;
use super::tally::Tally;
use super::writer::LogCounters;

/// What the server is doing, as far as others should know.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    draining: AtomicBool,
    begun: AtomicUsize,
    ended: AtomicUsize,
}

/// What the admin listener tells of.
pub(crate) struct Overview {
    pub(crate) workers: Vec<Arc<WorkerCounters>>,
    /// The site's routes, by their numbers.
    pub(crate) routes: Vec<String>,
    pub(crate) log: Option<Arc<LogCounters>>,
    pub(crate) condition: Arc<Condition>,
    pub(crate) backend: &'static str,
    pub(crate) started: SystemTime,
}

impl Condition {
    /// The server finishes what runs, and begins nothing else.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// A worker begins; it has ended when what is returned is dropped, however that comes about.
    pub(crate) fn enter(self: &Arc<Condition>) -> impl Drop + Send + use<> {
        self.begun.fetch_add(1, Ordering::AcqRel);
        Working(self.clone())
    }

    /// Workers that run.
    pub(crate) fn workers(&self) -> usize {
        let ended = self.ended.load(Ordering::Acquire);
        self.begun.load(Ordering::Acquire).saturating_sub(ended)
    }

    /// Whether new connections are served as they should be; else the reason.
    pub(crate) fn ready(&self) -> Result<(), &'static str> {
        if self.draining.load(Ordering::Acquire) {
            Err("draining")
        } else if self.ended.load(Ordering::Acquire) > 0 {
            Err("a worker has ended")
        } else {
            Ok(())
        }
    }
}

struct Working(Arc<Condition>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

impl Overview {
    /// What all workers together counted of one thing.
    pub(crate) fn sum(&self, tally: impl Fn(&WorkerCounters) -> &Tally) -> u64 {
        self.total(|worker| tally(worker).get())
    }

    /// As [`sum`](Overview::sum), of what is no tally of its own.
    pub(crate) fn total(&self, count: impl Fn(&WorkerCounters) -> u64) -> u64 {
        self.sum_of(&count)
    }

    fn sum_of(&self, count: &dyn Fn(&WorkerCounters) -> u64) -> u64 {
        self.workers.iter().map(|worker| count(worker)).sum()
    }

    /// Each route's name and number; at last what requests without one are counted as.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (usize, &str)> {
        self.routes.iter().map(String::as_str).chain(["none"]).enumerate()
    }

    /// How long a route's exchanges took.
    pub(crate) fn durations(&self, route: usize) -> Durations {
        let mut durations = Durations::default();
        for worker in &self.workers {
            durations.add(&worker.routes()[route].durations);
        }
        durations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_until_it_drains_or_a_worker_has_ended() {
        let condition = Arc::<Condition>::default();
        let (one, other) = (condition.enter(), condition.enter());
        assert_eq!((condition.ready(), condition.workers()), (Ok(()), 2));
        drop(one);
        assert_eq!((condition.ready(), condition.workers()), (Err("a worker has ended"), 1));
        condition.drain();
        assert_eq!(condition.ready(), Err("draining"));
        drop(other);
    }
}
