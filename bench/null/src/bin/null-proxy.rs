//! The floor of a proxy: `null-proxy PORT UPSTREAM_PORT` carries bytes between a client's connection and one of its own to
//! the upstream, and looks at none of them. Registered once and edge-triggered, one receive and one send for what comes.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::{AsRawFd, OwnedFd},
    process::ExitCode,
};

use null_servers::{edges, token};
use rustix::{
    buffer::spare_capacity,
    event::epoll,
    io::{Errno, retry_on_intr},
    net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt},
};

/// What is carried at once; it stays in the processor's second cache.
const SCRATCH_BYTES: usize = 64 * 1024;

/// One end of a pair.
struct End {
    socket: OwnedFd,
    /// The descriptor of the other end.
    peer: usize,
    /// What came from the other end and this one's socket did not take. While there is any, the other end is not read.
    owed: Vec<u8>,
}

fn main() -> ExitCode {
    match ports().and_then(|[port, upstream]| serve(port, upstream).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("null-proxy: {line}");
            ExitCode::FAILURE
        }
    }
}

fn ports() -> Result<[u16; 2], String> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [port, upstream] = &given[..] else { return Err("expected PORT UPSTREAM_PORT".to_owned()) };
    let number = |text: &str| text.parse().map_err(|_| format!("not a port: {text}"));
    Ok([number(port)?, number(upstream)?])
}

/// The event loop; it ends only when the kernel refuses to go on.
fn serve(port: u16, upstream: u16) -> io::Result<()> {
    let listener = null_servers::listener(port, SocketFlags::NONBLOCK)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, token(&listener), epoll::EventFlags::IN)?;
    let mut events = Vec::with_capacity(1024);
    let mut scratch = vec![0; SCRATCH_BYTES];
    // Indexed by descriptor: descriptors are small and dense, so looking one up costs nothing.
    let mut ends: Vec<Option<End>> = Vec::new();
    loop {
        events.clear();
        // A tracer that attaches or leaves interrupts the wait (signal(7)).
        retry_on_intr(|| epoll::wait(&poll, spare_capacity(&mut events), None))?;
        for event in &events {
            let index = event.data.u64() as usize;
            if index == listener.as_raw_fd() as usize {
                while let Ok(client) = net::accept_with(&listener, SocketFlags::NONBLOCK) {
                    pair(&poll, client, connect(upstream)?, &mut ends)?;
                }
            } else if ready(&mut ends, index, event.flags, &mut scratch).is_err()
                && let Some(end) = ends[index].take()
            {
                ends[end.peer] = None;
            }
        }
    }
}

/// A connection to the upstream; on the loopback it is there at once.
fn connect(port: u16) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    match net::connect(&socket, &SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

fn pair(poll: &OwnedFd, client: OwnedFd, server: OwnedFd, ends: &mut Vec<Option<End>>) -> io::Result<()> {
    let (one, other) = (client.as_raw_fd() as usize, server.as_raw_fd() as usize);
    ends.resize_with(ends.len().max(one.max(other) + 1), || None);
    for (socket, peer) in [(client, other), (server, one)] {
        epoll::add(poll, &socket, token(&socket), edges())?;
        let index = socket.as_raw_fd() as usize;
        ends[index] = Some(End { socket, peer, owed: Vec::new() });
    }
    Ok(())
}

/// Sends what this end is owed, and carries over what it has received. An error means that the pair is over.
fn ready(
    ends: &mut [Option<End>],
    index: usize,
    flags: epoll::EventFlags,
    scratch: &mut [u8],
) -> Result<(), Errno> {
    // An event that came before its pair was closed.
    let Some(end) = &mut ends[index] else { return Ok(()) };
    let peer = end.peer;
    if flags.contains(epoll::EventFlags::OUT) && !end.owed.is_empty() {
        let sent = send(&end.socket, &end.owed)?;
        end.owed.drain(..sent);
        if end.owed.is_empty() {
            // It was not read while this end was owed something, and its edge is past.
            carry(ends, peer, index, scratch)?;
        }
    }
    if flags.contains(epoll::EventFlags::IN) { carry(ends, index, peer, scratch) } else { Ok(()) }
}

/// Receives from one end and sends to the other until the one is dry, which a short receive shows, or the other is full.
fn carry(ends: &mut [Option<End>], from: usize, to: usize, scratch: &mut [u8]) -> Result<(), Errno> {
    let Ok([Some(from), Some(to)]) = ends.get_disjoint_mut([from, to]) else { return Ok(()) };
    while to.owed.is_empty() {
        let received = match net::recv(&from.socket, &mut *scratch, RecvFlags::empty()) {
            Ok((0, _)) => return Err(Errno::CONNRESET),
            Ok((received, _)) => received,
            Err(Errno::AGAIN) => return Ok(()),
            Err(error) => return Err(error),
        };
        let sent = send(&to.socket, &scratch[..received])?;
        to.owed.extend_from_slice(&scratch[sent..received]);
        if received < scratch.len() {
            break;
        }
    }
    Ok(())
}

fn send(socket: &OwnedFd, bytes: &[u8]) -> Result<usize, Errno> {
    match net::send(socket, bytes, SendFlags::NOSIGNAL) {
        Ok(sent) => Ok(sent),
        // The socket is full, or its connection is not there yet: the edge will tell.
        Err(Errno::AGAIN) => Ok(0),
        Err(error) => Err(error),
    }
}
