//! What concerns the process as a whole, its limits and its signals: each test's server runs in a process of its own.

mod child;
#[path = "../common/mod.rs"]
mod common;
mod exhaustion;
mod held;
mod signals;
