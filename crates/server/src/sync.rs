//! The primitives of this crate's lock-free protocols. The model in `tests/model.rs` compiles those against loom's instead.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

pub(crate) use atomic_waker::AtomicWaker;
pub(crate) use crossbeam_queue::ArrayQueue;

/// Runs a unit test of one of these protocols, which in the model has to be one of loom's executions.
#[cfg(test)]
pub(crate) fn check(test: impl Fn() + Sync + Send + 'static) {
    test();
}
