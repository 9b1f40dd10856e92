//! Connections that no engine has yet.

use std::os::fd::OwnedFd;

use crate::ListenerId;

/// A connection that was accepted and that no engine has yet. Any engine of the listener's kind may [adopt](crate::Backend::adopt) it,
/// on whatever thread: that is how a connection goes from a worker that is busy to one that is not.
///
/// Dropping it closes it, but for a simulated one, which stays open: what is not wanted is adopted and then closed.
#[derive(Debug)]
pub struct Accepted {
    /// By whom. Engines that listen on the same things in the same order give their listeners the same numbers.
    pub listener: ListenerId,
    pub(crate) stream: Stream,
}

/// What it is to the backends.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Non-blocking.
    Socket(OwnedFd),
    /// The simulated network's number of the connection.
    Simulated(u64),
}

impl Accepted {
    pub(crate) fn socket(listener: ListenerId, socket: OwnedFd) -> Accepted {
        Accepted { listener, stream: Stream::Socket(socket) }
    }
}
