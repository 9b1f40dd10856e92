//! Threads that the server starts.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread of this name. What it does is in a box, so that the standard library's code for it is compiled once.
///
/// # Errors
/// No thread can be had.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    start(name, Box::new(work))
}

fn start(name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(work)
}
