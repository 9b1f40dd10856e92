//! Listening sockets, and the options that accepted ones inherit.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};

use crate::sys::system;
use crate::{Accepted, Address, ListenerId};

/// How many connections may wait to be accepted; the kernel caps it at `net.core.somaxconn` (listen(2)).
const BACKLOG: i32 = 4096;

/// After a minute of silence the peer's kernel is asked whether it is still there, four times (tcp(7), `TCP_KEEPIDLE` and its
/// kin): what has vanished is gone within two minutes.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(60))
    .with_interval(Duration::from_secs(15))
    .with_retries(4);

/// Where connections come from: a listening socket, or an address of the simulated network.
#[derive(Debug)]
pub enum Listener {
    /// A listening socket, non-blocking; of TCP, or a Unix socket.
    Socket(OwnedFd),
    /// An address of the simulated network.
    Simulated(SocketAddr),
}

impl Listener {
    /// Listens on `address`. An unspecified IPv6 address (`[::]`) takes IPv4 as well (ipv6(7), `IPV6_V6ONLY` off).
    ///
    /// With `shared` several listeners may be bound to the address, and the kernel spreads connections over them (socket(7),
    /// `SO_REUSEPORT`), except on macOS: see [`bind_each`](Listener::bind_each). It then no longer says that another program has the port: ask [`probe`](Listener::probe) first.
    ///
    /// # Errors
    /// What bind(2) or listen(2) say: the address is in use, is not ours, is privileged.
    pub fn bind(address: SocketAddr, shared: bool) -> io::Result<Listener> {
        let socket = bound(address, shared)?;
        socket.listen(BACKLOG)?;
        Ok(Listener::Socket(socket.into()))
    }

    /// Listens on `address` for so many workers, of which each gets a listener: a socket of its own where the kernel spreads
    /// connections over those of a port, and else the one that all have, whose connections go to the first to accept. With
    /// `shared` other processes may be bound to the address, too.
    ///
    /// # Errors
    /// As [`bind`](Listener::bind), and when descriptors are used up.
    pub fn bind_each(address: SocketAddr, workers: usize, shared: bool) -> io::Result<Vec<Listener>> {
        if !system::SPREADS_CONNECTIONS {
            let one = Listener::bind(address, shared)?;
            return (0..workers).map(|_| one.try_clone()).collect();
        }
        let mut address = address;
        let mut bound = Vec::new();
        for _ in 0..workers {
            let listener = Listener::bind(address, shared || workers > 1)?;
            // Of port 0 the first is given one that the others take, too.
            address = listener.local_address()?.internet().unwrap_or(address);
            bound.push(listener);
        }
        Ok(bound)
    }

    /// Finds out whether `address` can be bound by us alone, and which port the kernel gives for port 0.
    ///
    /// # Errors
    /// What bind(2) or listen(2) say.
    pub fn probe(address: SocketAddr) -> io::Result<SocketAddr> {
        let socket = bound(address, false)?;
        // Two sockets with SO_REUSEADDR may be bound to one port as long as none listens (socket(7)): so listen.
        socket.listen(1)?;
        local_address(&socket)?.internet().ok_or(io::ErrorKind::Unsupported.into())
    }

    /// Listens on a Unix socket that is made at `path`, for whom the umask lets write to it (unix(7)).
    ///
    /// # Errors
    /// What bind(2) or listen(2) say: there is something at the path already (`AddrInUse`), the folder is missing or not ours to
    /// write. [`InvalidInput`](io::ErrorKind::InvalidInput): the path has more than 107 bytes.
    pub fn bind_unix(path: &Path) -> io::Result<Listener> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        socket.listen(BACKLOG)?;
        Ok(Listener::Socket(socket.into()))
    }

    /// Accepts from a socket that somebody else made to listen.
    ///
    /// # Errors
    /// See [`Unfit`].
    pub fn adopt(descriptor: OwnedFd) -> Result<Listener, Unfit> {
        let socket = Socket::from(descriptor);
        match socket.r#type() {
            Ok(Type::STREAM) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => return Err(Unfit::NoSocket),
            other => return other.map_err(Unfit::Failed).and(Err(Unfit::NoStream)),
        }
        if !system::is_listener(&socket).map_err(Unfit::Failed)? {
            return Err(Unfit::NotListening);
        }
        match socket.local_addr().map_err(Unfit::Failed)?.domain() {
            Domain::UNIX => {}
            Domain::IPV4 | Domain::IPV6 => set_inherited_options(&socket).map_err(Unfit::Failed)?,
            _ => return Err(Unfit::Family),
        }
        system::prevent_sigpipe(&socket).map_err(Unfit::Failed)?;
        socket.set_nonblocking(true).map_err(Unfit::Failed)?;
        Ok(Listener::Socket(socket.into()))
    }

    /// The same socket once more, for another worker: each connection goes to the one that is first to accept it.
    ///
    /// # Errors
    /// When descriptors are used up.
    pub fn try_clone(&self) -> io::Result<Listener> {
        match self {
            Listener::Socket(fd) => fd.try_clone().map(Listener::Socket),
            Listener::Simulated(address) => Ok(Listener::Simulated(*address)),
        }
    }

    /// Accepts one connection at once, for whichever engine may adopt it: for when the engine that has the listener does not.
    /// `number` is its number there.
    ///
    /// # Errors
    /// What accept(2) says; [`WouldBlock`](io::ErrorKind::WouldBlock): none is waiting.
    pub fn accept(&self, number: ListenerId) -> io::Result<Accepted> {
        let Listener::Socket(fd) = self else { return Err(io::ErrorKind::Unsupported.into()) };
        Ok(Accepted::socket(number, system::accept(fd.as_fd())?))
    }

    /// The address listened on.
    ///
    /// # Errors
    /// When the socket is neither of an internet family nor a Unix socket.
    pub fn local_address(&self) -> io::Result<Address> {
        match self {
            Listener::Socket(fd) => local_address(&SockRef::from(fd)),
            Listener::Simulated(address) => Ok(Address::Internet(*address)),
        }
    }
}

/// Why nothing can be accepted from a descriptor.
#[derive(Debug)]
pub enum Unfit {
    /// It is no socket.
    NoSocket,
    /// It is a socket of datagrams, or the like.
    NoStream,
    /// It is a socket that does not listen: a connection, perhaps (`Accept=yes` in systemd.socket(5)).
    NotListening,
    /// It is neither of TCP nor a Unix socket.
    Family,
    /// It could not be asked, or prepared.
    Failed(io::Error),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::NoSocket => f.write_str("is no socket"),
            Unfit::NoStream => f.write_str("is no stream socket (ListenStream=)"),
            Unfit::NotListening => f.write_str("does not listen (Accept=no)"),
            Unfit::Family => f.write_str("is neither of TCP nor a Unix socket"),
            Unfit::Failed(error) => write!(f, "cannot be used: {error}"),
        }
    }
}

impl std::error::Error for Unfit {}

fn local_address(socket: &Socket) -> io::Result<Address> {
    let address = socket.local_addr()?;
    let name = address.as_abstract_namespace().map(|name| {
        let mut path = OsString::from("@");
        path.push(OsStr::from_bytes(name));
        path.into()
    });
    let path = || address.as_pathname().map(Path::to_owned).or(name).map(Address::Unix);
    address.as_socket().map(Address::Internet).or_else(path).ok_or(io::ErrorKind::Unsupported.into())
}

fn bound(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A restarted server need not wait for connections of its predecessor to leave TIME_WAIT.
    socket.set_reuse_address(true)?;
    if shared {
        system::share_port(&socket)?;
    }
    set_inherited_options(&socket)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// What accepted sockets inherit, and those that connect are given.
pub(crate) fn set_inherited_options(socket: &Socket) -> io::Result<()> {
    // An answer is written whole, so waiting to fill a segment only delays it.
    socket.set_tcp_nodelay(true)?;
    // A peer that vanished without a word is found out where no deadline runs: behind an upgrade.
    socket.set_tcp_keepalive(&KEEPALIVE)
}
