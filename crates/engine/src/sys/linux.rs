//! What Linux does its own way; the files of the other systems have the same functions.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use gannet_block::Pool;
use rustix::net::{SendFlags, SocketFlags, accept_with};
use rustix::time::ClockId;
use socket2::Socket;

use super::uring::Uring;
use crate::epoll::Epoll;
use crate::{Backend, BackendKind};

/// The backends, the best first.
pub(crate) const BACKENDS: &[BackendKind] = &[BackendKind::Uring, BackendKind::Epoll];

/// Whether the kernel spreads connections over the sockets that share a port.
pub(crate) const SPREADS_CONNECTIONS: bool = true;

/// A clock of seconds; the kernel keeps this one at hand.
pub(crate) const CALENDAR: ClockId = ClockId::RealtimeCoarse;

/// Opens a backend, if it is one of this system's.
pub(crate) fn open(kind: BackendKind, pool: Pool) -> Option<io::Result<Box<dyn Backend>>> {
    match kind {
        BackendKind::Uring => Some(Uring::new(pool).map(boxed)),
        BackendKind::Epoll => Some(Epoll::new(pool).map(boxed)),
        BackendKind::Kqueue => None,
    }
}

fn boxed(backend: impl Backend + 'static) -> Box<dyn Backend> {
    Box::new(backend)
}

/// Lets other sockets be bound to the same port (socket(7), `SO_REUSEPORT`).
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// Whether a socket listens (socket(7), `SO_ACCEPTCONN`).
pub(crate) fn is_listener(socket: &Socket) -> io::Result<bool> {
    Ok(rustix::net::sockopt::socket_acceptconn(socket)?)
}

/// Prepares a listener that somebody else made. There is nothing to do: each send says that it wants no `SIGPIPE`.
pub(crate) fn prevent_sigpipe(_: &Socket) -> io::Result<()> {
    Ok(())
}

/// Accepts a connection: non-blocking, close-on-exec (accept(2)).
pub(crate) fn accept(listener: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
}

/// How to send; with `more` to follow. `MSG_MORE` holds a head back until the file behind it fills the segment (tcp(7), TCP_CORK).
pub(crate) fn send_flags(more: bool) -> SendFlags {
    SendFlags::NOSIGNAL | if more { SendFlags::MORE } else { SendFlags::empty() }
}

/// Sends up to `count` bytes of a file from `offset` on (sendfile(2)); none at the file's end.
pub(crate) fn sendfile(
    socket: BorrowedFd<'_>,
    file: impl AsFd,
    mut offset: u64,
    count: usize,
) -> rustix::io::Result<usize> {
    rustix::fs::sendfile(socket, file, Some(&mut offset), count)
}
