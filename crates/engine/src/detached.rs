//! Connections that no engine has.

use std::os::fd::OwnedFd;

use crate::ListenerId;
#[cfg(feature = "simulator")]
use crate::sim::EndId;

/// A connection that no engine has: it was accepted and not taken in yet, or [released](crate::Backend::release). Any engine of the
/// kind of the one that gave it may [adopt](crate::Backend::adopt) it, on whatever thread: that is how a connection goes from a
/// worker that is busy to one that is not, and one to another server from a worker that has it to one that needs it.
///
/// Dropping it closes it, but for a simulated one, which stays open: what is not wanted is adopted and then closed.
#[derive(Debug)]
pub struct Detached {
    pub(crate) stream: Stream,
}

/// What it is to the backends.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Non-blocking.
    Socket(OwnedFd),
    /// An end on the simulated network.
    #[cfg(feature = "simulator")]
    Simulated(EndId),
}

/// A connection that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// By whom. Engines that listen on the same things in the same order give their listeners the same numbers.
    pub listener: ListenerId,
    /// To be adopted.
    pub connection: Detached,
}

impl Detached {
    pub(crate) fn socket(socket: OwnedFd) -> Detached {
        Detached { stream: Stream::Socket(socket) }
    }

    #[cfg(feature = "simulator")]
    pub(crate) fn simulated(end: EndId) -> Detached {
        Detached { stream: Stream::Simulated(end) }
    }
}

impl Accepted {
    pub(crate) fn socket(listener: ListenerId, socket: OwnedFd) -> Accepted {
        Accepted { listener, connection: Detached::socket(socket) }
    }
}
