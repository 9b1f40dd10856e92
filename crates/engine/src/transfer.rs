//! Plain system calls that both of the kernel's backends use: sending without waiting, and what their errors mean.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};

use crate::Output;
use crate::output::{Progress, VECTOR};

/// Bytes sent from one output in one go, so that a fast reader does not hold up the others.
const FAIR_BYTES: u64 = 512 * 1024;

/// Sends from the front of `output`, without waiting, until it is empty, the socket is full, or it is the others' turn.
pub(crate) fn write(socket: BorrowedFd<'_>, output: &mut Output) -> io::Result<Progress> {
    let mut total = 0;
    while !output.is_empty() && total < FAIR_BYTES {
        let sent = match output.front_file() {
            Some((file, range)) => write_file(socket, file.as_fd(), range.clone(), FAIR_BYTES - total),
            None => write_bytes(socket, output),
        };
        match sent {
            Ok((count, whole)) => {
                output.advance(count);
                total += count;
                if !whole {
                    return Ok(Progress::Full(total));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Progress::Full(total)),
            Err(error) => return Err(error),
        }
    }
    Ok(Progress::Some(total))
}

/// Sends the bytes at the front; says how many were taken and whether that was all of those offered.
fn write_bytes(socket: BorrowedFd<'_>, output: &Output) -> io::Result<(u64, bool)> {
    let mut slices = [IoSlice::new(&[]); VECTOR];
    let (count, more) = output.front(&mut slices);
    let slices = &slices[..count];
    // MSG_MORE holds a head back until the file behind it fills the segment (tcp(7), TCP_CORK).
    let flags = SendFlags::NOSIGNAL | if more { SendFlags::MORE } else { SendFlags::empty() };
    let offered: usize = slices.iter().map(|slice| slice.len()).sum();
    let sent = retried(|| match slices {
        [single] => send(socket, single, flags),
        _ => sendmsg(socket, slices, &mut SendAncillaryBuffer::default(), flags),
    })?;
    Ok((sent as u64, sent == offered))
}

fn write_file(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    range: Range<u64>,
    fair: u64,
) -> io::Result<(u64, bool)> {
    let wanted = usize::try_from((range.end - range.start).min(fair)).unwrap_or(usize::MAX);
    let mut offset = range.start;
    match retried(|| rustix::fs::sendfile(socket, file, Some(&mut offset), wanted))? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        // A short sendfile may also be the end of the file or of a page: the next call tells which.
        sent => Ok((sent as u64, true)),
    }
}

/// Makes close(2) break the connection (socket(7), `SO_LINGER`).
pub(crate) fn reset_on_close(socket: BorrowedFd<'_>) {
    // Fails only for what is no socket.
    let _ = rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO));
}

/// Whether accept(2) failed for want of something of ours, so that trying again at once is in vain.
pub(crate) fn is_exhaustion(error: Errno) -> bool {
    matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::NOSPC)
}

/// Repeats a system call that a signal interrupted.
pub(crate) fn retried<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
