//! A connection for one request: opened, asked over, read to its end, closed.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::OwnedFd,
};

use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use rustix::{
    event::epoll,
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send, socket_with,
        sockopt,
    },
};

use super::{Load, LoadError, Received, progress::Progress, response::Verifier, tls::Session};

/// Addresses that connections come from, in turn. A closed connection keeps its pair of address and port for a minute
/// (TIME_WAIT) on the side that closed first; 250 addresses have seven million pairs.
const SOURCES: u32 = 250;

/// The address of a connection's own side: 127.0.`block`.1 to 250, so that those who connect at the same time can keep
/// apart.
pub fn source(block: u8, number: u32) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, block, (1 + number % SOURCES) as u8)
}

/// How far an exchange has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// It is not answered.
    Waits,
    /// The response is complete, and the server has not closed.
    Answered,
    /// The response is complete, and the server has closed.
    Closed,
}

/// One connection and its one request.
pub struct Exchange {
    socket: OwnedFd,
    progress: Progress,
    session: Option<Box<Session>>,
    /// Whether all has been sent that is to be sent now: the request, or what of the handshake comes before it.
    is_sent: bool,
    /// Whether the request is part of that.
    is_asked: bool,
    is_answered: bool,
}

impl Exchange {
    /// Begins to connect. On the loopback the connection is most often there at once, and so the request is sent, or what
    /// begins a handshake.
    pub fn open(
        poll: &OwnedFd,
        token: u64,
        source: Ipv4Addr,
        load: &Load,
        request: &[u8],
    ) -> Result<Exchange, LoadError> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        // The port is chosen when both ends are known: bind(2) alone would not use one twice (ip(7)).
        setsockopt(&socket, IpBindAddressNoPort, &true).map_err(std::io::Error::from)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        bind(&socket, &SocketAddr::V4(SocketAddrV4::new(source, 0)))?;
        match connect(&socket, &load.address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let edges =
            epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
        epoll::add(poll, &socket, epoll::EventData::new_u64(token), edges)?;
        let session = load.tls.as_ref().map(Session::new).transpose()?.map(Box::new);
        let mut exchange = Exchange {
            socket,
            progress: Progress::default(),
            is_sent: false,
            is_asked: session.is_none(),
            session,
            is_answered: false,
        };
        exchange.send(request)?;
        Ok(exchange)
    }

    /// Goes on as far as it can. Where the peer has closed its half, the socket is read to its end: a short read is then
    /// not the last.
    pub fn ready(
        &mut self,
        flags: epoll::EventFlags,
        request: &[u8],
        buffer: &mut [u8],
        verifier: &mut Verifier,
        books: &mut Received,
    ) -> Result<Stage, LoadError> {
        if !self.is_sent {
            self.send(request)?;
        }
        let ends =
            flags.intersects(epoll::EventFlags::RDHUP | epoll::EventFlags::HUP | epoll::EventFlags::ERR);
        while flags.contains(epoll::EventFlags::IN) || ends {
            let start = self.session.as_ref().map_or(0, |session| session.lay_out(buffer));
            let received = match recv(&self.socket, &mut buffer[start..], RecvFlags::empty()) {
                Ok((_, 0)) if self.is_answered => return Ok(Stage::Closed),
                Ok((_, 0)) => return Err(LoadError::Closed),
                Ok((_, received)) => received,
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            };
            books.calls += 1;
            books.bytes += received as u64;
            let incoming = &mut buffer[..start + received];
            self.take(incoming, request, verifier)?;
            if start + received < buffer.len() && !ends {
                break;
            }
        }
        Ok(if self.is_answered { Stage::Answered } else { Stage::Waits })
    }

    /// Whether the response is complete.
    pub fn is_answered(&self) -> bool {
        self.is_answered
    }

    fn take(
        &mut self,
        incoming: &mut [u8],
        request: &[u8],
        verifier: &mut Verifier,
    ) -> Result<(), LoadError> {
        let Exchange { progress, session, is_answered, .. } = self;
        // A response is the last that may come, but for what TLS itself says.
        let mut count = |plaintext: &[u8]| {
            let completed = progress.count(plaintext, verifier)?;
            if *is_answered || completed > 1 {
                return Err(LoadError::Unasked);
            }
            *is_answered = completed == 1;
            Ok(completed)
        };
        match session {
            None => count(incoming)?,
            Some(session) => session.open(incoming, count)?,
        };
        self.go_on(request)
    }

    /// Sends what the handshake wants sent. Where that is its end, the request goes with it.
    fn go_on(&mut self, request: &[u8]) -> Result<(), LoadError> {
        let Some(session) = &mut self.session else { return Ok(()) };
        if session.is_established() && !self.is_asked {
            session.seal(request)?;
            self.is_asked = true;
        }
        if session.outgoing().is_empty() { Ok(()) } else { self.send(request) }
    }

    fn send(&mut self, request: &[u8]) -> Result<(), LoadError> {
        let bytes = self.session.as_ref().map_or(request, |session| session.outgoing());
        match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => {
                self.is_sent = true;
                if let Some(session) = &mut self.session {
                    session.sent();
                }
            }
            Ok(_) => return Err(LoadError::Refused),
            // Not connected yet: the edge will tell.
            Err(Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
