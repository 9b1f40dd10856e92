//! Plain system calls that both of the kernel's backends use: sending without waiting, and what their errors mean.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::SockRef;

use crate::Output;
use crate::mappings::{Mappings, WINDOW_BYTES};
use crate::output::{FileRange, Progress, VECTOR, Way};
use crate::sys::socket::{receive, send, send_vectored};
use crate::sys::system::{send_flags, sendfile};

/// Bytes sent from one output in one go, so that a fast reader does not hold up the others. Of files: 128 KiB cost the same, 2 MiB
/// a sixth more (10 MiB and 100 MiB, sendfile).
const FAIR_BYTES: u64 = 512 * 1024;

/// Sends from the front of `output`, without waiting, until it is empty, the socket is full, or it is the others' turn.
pub(crate) fn write(
    socket: BorrowedFd<'_>,
    output: &mut Output,
    mappings: &mut Mappings,
) -> io::Result<Progress> {
    if let Some(bytes) = output.contiguous() {
        return match retried(|| send(socket, bytes, send_flags(false))) {
            Ok(sent) => {
                let whole = sent == bytes.len();
                output.advance(sent as u64);
                Ok(if whole { Progress::Some(sent as u64) } else { Progress::Full(sent as u64) })
            }
            Err(Errno::AGAIN) => Ok(Progress::Full(0)),
            Err(error) => Err(error.into()),
        };
    }
    let mut total = 0;
    while !output.is_empty() && total < FAIR_BYTES {
        let sent = match output.front_file() {
            Some((piece, more)) if piece.way == Way::Mapped => write_mapped(socket, piece, more, mappings),
            Some((piece, _)) => write_file(socket, piece, FAIR_BYTES - total),
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
    let flags = send_flags(more);
    let offered: usize = slices.iter().map(|slice| slice.len()).sum();
    let sent = retried(|| match slices {
        [single] => send(socket, single, flags),
        _ => send_vectored(socket, slices, flags),
    })?;
    Ok((sent as u64, sent == offered))
}

fn write_file(socket: BorrowedFd<'_>, piece: &FileRange, fair: u64) -> io::Result<(u64, bool)> {
    let wanted = usize::try_from((piece.range.end - piece.range.start).min(fair)).unwrap_or(usize::MAX);
    match retried(|| sendfile(socket, &piece.file, piece.range.start, wanted))? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        // A short sendfile may also be the end of the file or of a page: the next call tells which.
        sent => Ok((sent as u64, true)),
    }
}

/// Sends from a mapping.
///
/// What a truncated file loses within its last page reads as zeros, so its length is looked at before each send. Truncated in
/// the very instant between the two, up to a page of zeros can be sent in the place of what was there; sendfile(2), whose pages
/// are in the socket's buffer while they change, has the same race for as long as they are.
fn write_mapped(
    socket: BorrowedFd<'_>,
    piece: &mut FileRange,
    more: bool,
    mappings: &mut Mappings,
) -> io::Result<(u64, bool)> {
    let range = &piece.range;
    let length = piece.file.metadata()?.len();
    if length < range.end {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let window = range.start..range.end.min(range.start + WINDOW_BYTES);
    let more = more || window.end < range.end;
    let flags = send_flags(more);
    let sent = mappings.with(&piece.file, length, window.clone(), |mapping| {
        retried(|| mapping.send(&window, socket, flags))
    });
    let Ok(sent) = sent else {
        piece.way = Way::Sendfile;
        return Ok((0, true));
    };
    match sent {
        Ok(sent) => {
            let whole = sent as u64 == window.end - window.start;
            Ok((sent as u64, whole || takes_more(socket)?))
        }
        // The file was truncated just now, or cannot be read: sendfile(2) tells which.
        Err(Errno::FAULT) => {
            piece.way = Way::Sendfile;
            Ok((0, true))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a socket that took less than it was offered takes more all the same. It does when what was offered broke off: a file that
/// is truncated while the kernel copies from its mapping ends a send early, and not for want of room. No word of room comes
/// then (epoll(7), edge-triggered): who waited for it would wait for ever. Asking has the kernel send that word where there is no room.
fn takes_more(socket: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    let mut polled = [PollFd::from_borrowed_fd(socket, PollFlags::OUT)];
    retried(|| poll(&mut polled, Some(&Timespec::default())))?;
    Ok(!polled[0].revents().is_empty())
}

/// Who is at the other end of a TCP connection.
pub(crate) fn peer_address(socket: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let address = SockRef::from(&socket).peer_addr()?.as_socket().ok_or(io::ErrorKind::NotConnected)?;
    // A dual-stack socket shows a client of IPv4 as ::ffff:192.0.2.1 (ipv6(7)): it is the same client.
    Ok(match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::from((ip, address.port())),
        IpAddr::V6(_) => address,
    })
}

/// Whether the connection is alive and nothing has come: no bytes, no end, no error. None of it is taken (recv(2), `MSG_PEEK`).
pub(crate) fn is_quiet(socket: BorrowedFd<'_>) -> bool {
    let mut room = [0; 1];
    let peeked = retried(|| receive(socket, &mut room, libc::MSG_PEEK | libc::MSG_DONTWAIT));
    matches!(peeked, Err(Errno::AGAIN))
}

/// Makes close(2) break the connection (socket(7), `SO_LINGER`).
pub(crate) fn reset_on_close(socket: BorrowedFd<'_>) {
    // Fails only for what is no socket.
    let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
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
