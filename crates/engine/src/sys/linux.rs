//! What Linux does its own way; the files of the other systems have the same functions.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::null_mut;

use gannet_block::Pool;
use rustix::io::Errno;
use socket2::Socket;

use super::socket::{counted, owned};
use super::uring::Uring;
use crate::epoll::Epoll;
use crate::{Backend, BackendKind};

/// The backends, the best first.
pub(crate) const BACKENDS: &[BackendKind] = &[BackendKind::Uring, BackendKind::Epoll];

/// Whether the kernel spreads connections over the sockets that share a port.
pub(crate) const SPREADS_CONNECTIONS: bool = true;

/// A clock of seconds; the kernel keeps this one at hand.
pub(crate) const CALENDAR: libc::clockid_t = libc::CLOCK_REALTIME_COARSE;

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
    socket.is_listener()
}

/// Prepares a listener that somebody else made. There is nothing to do: each send says that it wants no `SIGPIPE`.
pub(crate) fn prevent_sigpipe(_: &Socket) -> io::Result<()> {
    Ok(())
}

/// Accepts a connection: non-blocking, close-on-exec (accept(2)).
pub(crate) fn accept(listener: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: who connects is not asked for.
    owned(unsafe { libc::accept4(listener.as_raw_fd(), null_mut(), null_mut(), flags) })
}

/// How to send; with `more` to follow. `MSG_MORE` holds a head back until the file behind it fills the segment (tcp(7), TCP_CORK).
pub(crate) fn send_flags(more: bool) -> libc::c_int {
    libc::MSG_NOSIGNAL | if more { libc::MSG_MORE } else { 0 }
}

/// Sends up to `count` bytes of a file from `offset` on (sendfile(2)); none at the file's end.
pub(crate) fn sendfile(
    socket: BorrowedFd<'_>,
    file: impl AsFd,
    offset: u64,
    count: usize,
) -> rustix::io::Result<usize> {
    let mut offset = libc::off64_t::try_from(offset).map_err(|_| Errno::OVERFLOW)?;
    let (file, socket) = (file.as_fd().as_raw_fd(), socket.as_raw_fd());
    // SAFETY: both descriptors are open during the call, and the offset is a number of ours.
    counted(unsafe { libc::sendfile64(socket, file, &raw mut offset, count) })
}
