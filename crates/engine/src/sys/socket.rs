//! Sockets: the system calls of the data path, with flags that the standard library and socket2 have no safe form for.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{c_int, ssize_t};
use rustix::io::Errno;

/// recv(2).
pub(crate) fn receive(socket: BorrowedFd<'_>, room: &mut [u8], flags: c_int) -> rustix::io::Result<usize> {
    // SAFETY: the kernel writes at most the room's length, and it is ours alone meanwhile.
    counted(unsafe { libc::recv(socket.as_raw_fd(), room.as_mut_ptr().cast(), room.len(), flags) })
}

/// send(2).
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8], flags: c_int) -> rustix::io::Result<usize> {
    // SAFETY: the kernel reads at most the length of the bytes, which are there meanwhile.
    counted(unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) })
}

/// sendmsg(2), of bytes in several places.
pub(crate) fn send_vectored(
    socket: BorrowedFd<'_>,
    slices: &[IoSlice<'_>],
    flags: c_int,
) -> rustix::io::Result<usize> {
    // SAFETY: all zeros is a message: to nobody in particular, of nothing.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = slices.as_ptr().cast_mut().cast();
    // Another type on each system; there are few slices.
    message.msg_iovlen = slices.len() as _;
    // SAFETY: a slice has the layout of an iovec, by its documentation; the kernel only reads those, and what they are of is there
    // meanwhile.
    counted(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags) })
}

/// A descriptor that a call returned, which is ours; or why there is none.
pub(super) fn owned(descriptor: c_int) -> rustix::io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(last_error());
    }
    // SAFETY: the kernel has just opened it for us, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// How many bytes a call returned; or why none.
pub(super) fn counted(count: ssize_t) -> rustix::io::Result<usize> {
    usize::try_from(count).map_err(|_| last_error())
}

pub(super) fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}
