//! What FreeBSD does its own way; the files of the other systems have the same functions.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::null_mut;

use rustix::io::Errno;
use socket2::Socket;

use super::bsd::sent;
pub(crate) use super::bsd::{BACKENDS, open};
use super::socket::owned;

/// Whether the kernel spreads connections over the sockets that share a port.
pub(crate) const SPREADS_CONNECTIONS: bool = true;

/// A clock of seconds; the kernel keeps this one at hand.
pub(crate) const CALENDAR: libc::clockid_t = libc::CLOCK_REALTIME_FAST;

/// Lets other sockets of the same user be bound to the same port, and spreads connections over them (setsockopt(2),
/// `SO_REUSEPORT_LB`). Plain `SO_REUSEPORT` would give them all to one.
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port_lb(true)
}

/// Whether a socket listens (getsockopt(2), `SO_ACCEPTCONN`).
pub(crate) fn is_listener(socket: &Socket) -> io::Result<bool> {
    socket.is_listener()
}

/// Prepares a listener that somebody else made. There is nothing to do: each send says that it wants no `SIGPIPE`.
pub(crate) fn prevent_sigpipe(_: &Socket) -> io::Result<()> {
    Ok(())
}

/// Accepts a connection: non-blocking, close-on-exec (accept4(2)).
pub(crate) fn accept(listener: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: who connects is not asked for.
    owned(unsafe { libc::accept4(listener.as_raw_fd(), null_mut(), null_mut(), flags) })
}

/// How to send. There is no `MSG_MORE`: a head goes out in a segment of its own before its file.
pub(crate) fn send_flags(_more: bool) -> libc::c_int {
    libc::MSG_NOSIGNAL
}

/// Sends up to `count` bytes of a file from `offset` on (sendfile(2)); none at the file's end.
pub(crate) fn sendfile(
    socket: BorrowedFd<'_>,
    file: impl AsFd,
    offset: u64,
    count: usize,
) -> rustix::io::Result<usize> {
    let offset = libc::off_t::try_from(offset).map_err(|_| Errno::OVERFLOW)?;
    let mut taken = 0;
    let (file, socket) = (file.as_fd().as_raw_fd(), socket.as_raw_fd());
    // SAFETY: both descriptors are open during the call, there are no headers, and the count is written to a number of ours.
    let status = unsafe { libc::sendfile(file, socket, offset, count, null_mut(), &raw mut taken, 0) };
    sent(status, taken)
}
