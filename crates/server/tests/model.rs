//! A model of the protocols by which threads wake each other: every order in which their steps may come, and every value that a
//! load may see, is gone through (loom). The sources are those of the server; only the primitives below them are loom's.
//!
//! The queues in between (crossbeam's, of slots, jobs and connections) are taken for right: a mutex and a deque stand for them here. What is
//! checked is what is around them: that nobody sleeps while there is something for them.

mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

    pub(crate) use super::model as check;
    pub(crate) use super::stands_in::{ArrayQueue, AtomicWaker};
}

#[path = "../src/pulse.rs"]
mod pulse;
#[path = "../src/sleepers.rs"]
#[expect(dead_code, reason = "the model needs less of it than the server")]
mod sleepers;
#[path = "../src/wake.rs"]
#[expect(dead_code, reason = "the model needs less of it than the server")]
mod wake;

mod stands_in {
    use std::collections::VecDeque;
    use std::task::Waker;

    use loom::sync::Mutex;

    /// A queue that is known to be right.
    #[derive(Debug)]
    pub(crate) struct ArrayQueue<T> {
        things: Mutex<VecDeque<T>>,
        room: usize,
    }

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(room: usize) -> ArrayQueue<T> {
            ArrayQueue { things: Mutex::new(VecDeque::new()), room }
        }

        pub(crate) fn push(&self, thing: T) -> Result<(), T> {
            let mut things = self.things.lock().expect("nobody panics");
            if things.len() == self.room {
                return Err(thing);
            }
            things.push_back(thing);
            Ok(())
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.things.lock().expect("nobody panics").pop_front()
        }

        pub(crate) fn len(&self) -> usize {
            self.things.lock().expect("nobody panics").len()
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.len() == 0
        }
    }

    /// Loom's model of the crate's own.
    #[derive(Debug)]
    pub(crate) struct AtomicWaker(loom::future::AtomicWaker);

    impl AtomicWaker {
        pub(crate) fn new() -> AtomicWaker {
            AtomicWaker(loom::future::AtomicWaker::new())
        }

        pub(crate) fn register(&self, waker: &Waker) {
            self.0.register_by_ref(waker);
        }

        pub(crate) fn wake(&self) {
            self.0.wake();
        }
    }
}

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use loom::future::block_on;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use pulse::Pulse;
use sleepers::Sleepers;
use stands_in::ArrayQueue;
use wake::{Command, Mailbox, Wakers, Woken};

/// Goes through all orders in which at most three times a thread is interrupted that could go on: what goes wrong does so with fewer
/// (Musuvathi and Qadeer, PLDI 2007), and it is done within seconds. Threads that all wait for ever are a failure.
fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(check);
}

/// A worker's thread, as its host has it (`host.rs`, `turns`): attends to the mailbox, looks at all there is, and sleeps when
/// that was nothing; until it is done.
fn host(mailbox: &Mailbox, mut turn: impl FnMut(), is_done: impl Fn() -> bool) {
    block_on(poll_fn(|context| {
        mailbox.attend(context.waker());
        turn();
        if is_done() { Poll::Ready(()) } else { Poll::Pending }
    }));
}

/// Two threads wake slots of a worker, each after something that the worker must then see.
fn check_that_what_slots_are_woken_for_is_seen(slots: u32, room: usize) {
    model(move || {
        let mailbox = Arc::new(Mailbox::new(room));
        let mut wakers = Wakers::new(mailbox.clone());
        let news: Arc<[AtomicBool; 2]> = Arc::default();
        let threads = [0, 1].map(|number| {
            let (waker, news) = (wakers.waker(number % slots), news.clone());
            thread::spawn(move || {
                news[number as usize].store(true, Ordering::Relaxed);
                waker.wake();
            })
        });
        let seen = [Cell::new(false), Cell::new(false)];
        let look = |slot| {
            if wakers.take_woken(slot) {
                for number in (0..2).filter(|number| number % slots == slot) {
                    let number = number as usize;
                    seen[number].set(seen[number].get() || news[number].load(Ordering::Relaxed));
                }
            }
        };
        let turn = || {
            if wakers.take_overflow() {
                (0..slots).for_each(look);
            }
            while let Some(Woken::Slot(slot)) = wakers.next() {
                look(slot);
            }
        };
        host(&mailbox, turn, || seen.iter().all(Cell::get));
        threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    });
}

#[test]
fn two_slots_that_are_woken_at_once_are_both_looked_at() {
    check_that_what_slots_are_woken_for_is_seen(2, 2);
}

#[test]
fn a_slot_that_is_woken_while_it_is_looked_at_is_looked_at_again() {
    check_that_what_slots_are_woken_for_is_seen(1, 1);
}

#[test]
fn slots_that_the_mailbox_has_no_room_for_are_looked_at_all_the_same() {
    check_that_what_slots_are_woken_for_is_seen(2, 1);
}

#[test]
fn a_slot_that_is_woken_while_it_is_held_is_looked_at() {
    model(|| {
        let mailbox = Arc::new(Mailbox::new(1));
        let mut wakers = Wakers::new(mailbox.clone());
        let (waker, news) = (wakers.waker(0), Arc::new(AtomicBool::new(false)));
        let of_thread = news.clone();
        let thread = thread::spawn(move || {
            of_thread.store(true, Ordering::Relaxed);
            waker.wake();
        });
        let seen = Cell::new(false);
        let turn = || {
            // Whatever else the slot is taken on for,
            let held = wakers.hold(0);
            if wakers.take_woken(0) {
                seen.set(news.load(Ordering::Relaxed));
            }
            if held {
                wakers.let_go(0);
            }
            // and what it was woken for.
            while let Some(Woken::Slot(slot)) = wakers.next() {
                if wakers.take_woken(slot) {
                    seen.set(seen.get() || news.load(Ordering::Relaxed));
                }
            }
        };
        host(&mailbox, turn, || seen.get());
        thread.join().expect("it does not panic");
    });
}

#[test]
fn a_command_wakes_a_worker_that_is_about_to_sleep() {
    model(|| {
        let mailbox = Arc::new(Mailbox::new(1));
        let of_thread = mailbox.clone();
        let thread = thread::spawn(move || {
            of_thread.command(Command::Drain);
            of_thread.command(Command::Stop);
        });
        host(&mailbox, || (), || mailbox.commanded() == Command::Stop);
        thread.join().expect("it does not panic");
    });
}

#[test]
fn connections_that_are_offered_are_taken_whichever_workers_are_woken_for_them() {
    model(|| {
        let offered = Arc::new(ArrayQueue::new(2));
        let mailbox = Arc::new(Mailbox::new(1));
        let (give, of_thread) = (offered.clone(), mailbox.clone());
        let watchdog = thread::spawn(move || {
            for connection in 0..2 {
                give.push(connection).expect("there is room");
                of_thread.wake();
            }
        });
        let taken = Cell::new(0);
        let turn = || {
            while offered.pop().is_some() {
                taken.set(taken.get() + 1);
            }
        };
        host(&mailbox, turn, || taken.get() == 2);
        watchdog.join().expect("it does not panic");
    });
}

#[test]
fn each_job_has_a_thread_that_wakes_for_it() {
    model(|| {
        let jobs = Arc::new(ArrayQueue::new(2));
        let sleepers = Arc::<Sleepers>::default();
        let threads = [0, 1].map(|_| {
            let (jobs, sleepers) = (jobs.clone(), sleepers.clone());
            thread::spawn(move || {
                while jobs.pop().is_none() {
                    sleepers.sleep(|| !jobs.is_empty());
                }
            })
        });
        for job in 0..2 {
            jobs.push(job).expect("there is room");
            sleepers.wake_one();
        }
        threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    });
}

#[test]
fn all_threads_wake_to_end() {
    model(|| {
        let (ended, sleepers) = (Arc::new(AtomicBool::new(false)), Arc::<Sleepers>::default());
        let threads = [0, 1].map(|_| {
            let (ended, sleepers) = (ended.clone(), sleepers.clone());
            thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    sleepers.sleep(|| ended.load(Ordering::Relaxed));
                }
            })
        });
        ended.store(true, Ordering::Relaxed);
        sleepers.wake_all();
        threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    });
}

#[test]
fn a_watchdog_that_falls_asleep_is_woken_by_a_worker_that_wakes() {
    model(|| {
        let (pulse, sleepers) = (Arc::<Pulse>::default(), Arc::<Sleepers>::default());
        pulse.sleep();
        let (of_worker, its_watchdog) = (pulse.clone(), sleepers.clone());
        let worker = thread::spawn(move || {
            of_worker.wake();
            its_watchdog.wake_one();
        });
        while pulse.look().is_asleep() {
            sleepers.sleep(|| !pulse.look().is_asleep());
        }
        worker.join().expect("it does not panic");
    });
}
