//! Listening sockets, and the options that accepted ones inherit.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

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
    /// A listening socket, non-blocking.
    Socket(OwnedFd),
    /// An address of the simulated network.
    Simulated(SocketAddr),
}

impl Listener {
    /// Listens on `address`. An unspecified IPv6 address (`[::]`) takes IPv4 as well (ipv6(7), `IPV6_V6ONLY` off).
    ///
    /// With `shared` several listeners may be bound to the address, and the kernel spreads connections over them (socket(7),
    /// `SO_REUSEPORT`): one for each worker. It then no longer says that another program has the port: ask [`probe`](Listener::probe) first.
    ///
    /// # Errors
    /// What bind(2) or listen(2) say: the address is in use, is not ours, is privileged.
    pub fn bind(address: SocketAddr, shared: bool) -> io::Result<Listener> {
        let socket = bound(address, shared)?;
        socket.listen(BACKLOG)?;
        Ok(Listener::Socket(socket.into()))
    }

    /// Finds out whether `address` can be bound by us alone, and which port the kernel gives for port 0.
    ///
    /// # Errors
    /// What bind(2) or listen(2) say.
    pub fn probe(address: SocketAddr) -> io::Result<SocketAddr> {
        let socket = bound(address, false)?;
        // Two sockets with SO_REUSEADDR may be bound to one port as long as none listens (socket(7)): so listen.
        socket.listen(1)?;
        local_address(&socket)
    }

    /// The address listened on.
    ///
    /// # Errors
    /// When the socket is not of an internet family.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        match self {
            Listener::Socket(fd) => local_address(&socket2::SockRef::from(fd)),
            Listener::Simulated(address) => Ok(*address),
        }
    }
}

fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))
}

fn bound(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A restarted server need not wait for connections of its predecessor to leave TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    // Inherited by accepted sockets: an answer is written whole, so waiting to fill a segment only delays it.
    socket.set_tcp_nodelay(true)?;
    // Inherited too. A peer that vanished without a word is found out where no deadline runs: behind an upgrade.
    socket.set_tcp_keepalive(&KEEPALIVE)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
