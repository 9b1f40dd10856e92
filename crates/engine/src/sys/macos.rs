//! What macOS does its own way; the files of the other systems have the same functions.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::null_mut;

use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio};
use socket2::Socket;

use super::bsd::sent;
pub(crate) use super::bsd::{BACKENDS, open};
use super::socket::owned;

/// Whether the kernel spreads connections over the sockets that share a port. It gives them all to one.
pub(crate) const SPREADS_CONNECTIONS: bool = false;

/// A clock of seconds.
pub(crate) const CALENDAR: libc::clockid_t = libc::CLOCK_REALTIME;

/// Lets other sockets be bound to the same port (setsockopt(2), `SO_REUSEPORT`).
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// Whether a socket listens. It cannot be asked (`SO_ACCEPTCONN` has no answer); but it can be told to, which changes nothing
/// where it does, and is an error where it is connected.
pub(crate) fn is_listener(socket: &Socket) -> io::Result<bool> {
    Ok(socket.listen(libc::SOMAXCONN).is_ok())
}

/// Prepares a listener that somebody else made: a send knows no `MSG_NOSIGNAL`, but accepted sockets inherit `SO_NOSIGPIPE`. Those
/// that socket2 makes have it already.
pub(crate) fn prevent_sigpipe(socket: &Socket) -> io::Result<()> {
    socket.set_nosigpipe(true)
}

/// Accepts a connection: non-blocking, close-on-exec (accept(2)). There is no accept4(2): a child that another thread starts
/// between the two calls inherits the connection.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    // SAFETY: who connects is not asked for.
    let socket = owned(unsafe { libc::accept(listener.as_raw_fd(), null_mut(), null_mut()) })?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// How to send. There is no `MSG_MORE`: a head goes out in a segment of its own before its file.
pub(crate) fn send_flags(_more: bool) -> libc::c_int {
    0
}

/// Sends up to `count` bytes of a file from `offset` on (sendfile(2)); none at the file's end.
pub(crate) fn sendfile(
    socket: BorrowedFd<'_>,
    file: impl AsFd,
    offset: u64,
    count: usize,
) -> rustix::io::Result<usize> {
    let offset = libc::off_t::try_from(offset).map_err(|_| Errno::OVERFLOW)?;
    // Going in it is how many are wanted, and 0 would be all; coming out it is how many were sent.
    let mut taken = libc::off_t::try_from(count).unwrap_or(libc::off_t::MAX);
    let (file, socket) = (file.as_fd().as_raw_fd(), socket.as_raw_fd());
    // SAFETY: both descriptors are open during the call, there are no headers, and the count is a number of ours.
    let status = unsafe { libc::sendfile(file, socket, offset, &raw mut taken, null_mut(), 0) };
    sent(status, taken)
}
