//! Sends as the ring's operations. What they point to stays in the socket's slot until they have completed.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd};

use io_uring::{opcode, squeue, types::Fd};

use crate::output::VECTOR;

/// The kernel sends no more than this at once (send(2)).
const MOST_BYTES: usize = 0x7fff_f000;

/// A send of several slices: sendmsg(2)'s header, which points to the slices beside it.
pub(super) struct Message {
    header: libc::msghdr,
    slices: [libc::iovec; VECTOR],
}

impl Message {
    /// An empty message; recycled, so that a vectored send allocates nothing in the steady state.
    pub(super) fn new() -> Box<Message> {
        // SAFETY: both are plain numbers and pointers, for which all zeroes are valid.
        unsafe { Box::new(std::mem::zeroed()) }
    }

    /// The operation that sends `slices`.
    pub(super) fn entry(&mut self, socket: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> squeue::Entry {
        for (to, from) in self.slices.iter_mut().zip(slices) {
            *to = libc::iovec { iov_base: from.as_ptr().cast_mut().cast(), iov_len: from.len() };
        }
        self.header.msg_iov = self.slices.as_mut_ptr();
        self.header.msg_iovlen = slices.len() as _;
        opcode::SendMsg::new(Fd(socket.as_raw_fd()), &raw const self.header)
            .flags(libc::MSG_NOSIGNAL as u32)
            .build()
    }
}

/// The operation that sends one slice.
pub(super) fn single(socket: BorrowedFd<'_>, slice: &[u8]) -> squeue::Entry {
    opcode::Send::new(Fd(socket.as_raw_fd()), slice.as_ptr(), slice.len().min(MOST_BYTES) as u32)
        .flags(libc::MSG_NOSIGNAL)
        .build()
}
