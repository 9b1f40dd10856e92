//! Connections that are begun here: how they begin, and how that went.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::io::{Errno, ioctl_fionbio};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::Address;
use crate::listener::set_inherited_options;

/// A connection that was begun.
pub(crate) struct Begun {
    /// Non-blocking.
    pub(crate) socket: OwnedFd,
    /// How it went; nothing while it goes on: [`outcome`] tells once the socket is writable.
    pub(crate) result: Option<io::Result<()>>,
}

/// Begins to connect, without waiting (connect(2), `EINPROGRESS`).
///
/// # Errors
/// There can be no socket for it: the descriptors are used up, the kernel does not have the family, the path is too long.
pub(crate) fn begin(target: &Address) -> io::Result<Begun> {
    let (socket, address) = match target {
        Address::Internet(address) => (internet_socket(*address)?, (*address).into()),
        Address::Unix(path) => (Socket::new(Domain::UNIX, Type::STREAM, None)?, unix_address(path)?),
    };
    ioctl_fionbio(&socket, true)?;
    let result = match socket.connect(&address) {
        // After a signal it goes on as well (connect(2), `EINTR` in POSIX).
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::INPROGRESS | Errno::INTR)) => None,
        result => Some(result),
    };
    Ok(Begun { socket: socket.into(), result })
}

/// How connecting went, of a socket that became writable (connect(2), `SO_ERROR`).
pub(crate) fn outcome(socket: BorrowedFd<'_>) -> io::Result<()> {
    SockRef::from(&socket).take_error()?.map_or(Ok(()), Err)
}

fn internet_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    set_inherited_options(&socket)?;
    Ok(socket)
}

/// The kernel's form of a path; of `@name` that of a name in the abstract namespace, which begins with a zero (unix(7)).
fn unix_address(path: &Path) -> io::Result<SockAddr> {
    match path.as_os_str().as_bytes() {
        [b'@', name @ ..] => SockAddr::unix(OsString::from_vec([b"\0", name].concat())),
        _ => SockAddr::unix(path),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use rustix::io::{FdFlags, fcntl_getfd};

    use super::*;
    use crate::Listener;

    #[test]
    fn a_connection_that_is_begun_has_the_options_of_one_that_is_accepted() {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).unwrap();
        let begun = begin(&listener.local_address().unwrap()).unwrap();
        let accepted = (0..1000).find_map(|_| listener.accept(crate::ListenerId(0)).ok()).unwrap();
        let crate::detached::Stream::Socket(accepted) = accepted.connection.stream else {
            panic!("a socket")
        };
        let (ours, theirs) = (SockRef::from(&begun.socket), SockRef::from(&accepted));
        assert!(ours.tcp_nodelay().unwrap() && theirs.tcp_nodelay().unwrap());
        assert!(ours.keepalive().unwrap() && theirs.keepalive().unwrap());
        let probes = |socket: &SockRef<'_>| {
            let [time, interval] = [socket.tcp_keepalive_time(), socket.tcp_keepalive_interval()];
            (time.unwrap(), interval.unwrap(), socket.tcp_keepalive_retries().unwrap())
        };
        assert_eq!(probes(&ours), probes(&theirs));
        for socket in [&begun.socket, &accepted] {
            assert!(fcntl_getfd(socket.as_fd()).unwrap().contains(FdFlags::CLOEXEC));
            assert!(SockRef::from(socket).nonblocking().unwrap());
        }
    }
}
