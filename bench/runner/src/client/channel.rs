//! A connected socket, in clear text or secured: plaintext out, plaintext in.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
};

use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, retry_on_intr},
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send, socket_with,
    },
};

use super::{
    LoadError, Received, STALL,
    tls::{Session, Tls},
};

/// One connection, of whatever protocol.
pub struct Channel {
    socket: TcpStream,
    session: Option<Box<Session>>,
}

/// What one call has brought.
pub struct Taken {
    /// What was counted in it.
    pub count: u32,
    /// A short read means that the socket is dry: the next edge will tell, no second read is spent on `EAGAIN`.
    pub is_dry: bool,
}

impl Channel {
    /// Connects, and waits for nothing more than that.
    pub fn open(address: SocketAddr) -> Result<Channel, LoadError> {
        Channel::with(TcpStream::connect(address)?)
    }

    /// The same from an address of its own, for more connections than one address has ports.
    pub fn open_from(source: Ipv4Addr, address: SocketAddr) -> Result<Channel, LoadError> {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        setsockopt(&socket, IpBindAddressNoPort, &true).map_err(std::io::Error::from)?;
        bind(&socket, &SocketAddr::from((source, 0)))?;
        connect(&socket, &address)?;
        Channel::with(TcpStream::from(socket))
    }

    /// Of a socket that is connected.
    pub(super) fn with(socket: TcpStream) -> Result<Channel, LoadError> {
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(Channel { socket, session: None })
    }

    /// Makes it a TLS connection, and waits until it is one. `count` is told what comes with the end of the handshake.
    pub fn secure(
        &mut self,
        tls: &Tls,
        buffer: &mut [u8],
        mut count: impl FnMut(&[u8]) -> Result<u32, LoadError>,
    ) -> Result<(), LoadError> {
        let mut session = Session::new(tls)?;
        self.socket.set_nonblocking(false)?;
        loop {
            self.socket.write_all(session.outgoing())?;
            session.sent();
            if session.is_established() {
                break;
            }
            let start = session.lay_out(buffer);
            let received = match self.socket.read(&mut buffer[start..])? {
                0 => return Err(LoadError::Closed),
                received => received,
            };
            session.open(&mut buffer[..start + received], &mut count)?;
        }
        self.socket.set_nonblocking(true)?;
        self.session = Some(Box::new(session));
        Ok(())
    }

    /// Whether there is TLS between.
    pub fn is_secured(&self) -> bool {
        self.session.is_some()
    }

    /// What both sides have agreed to speak over TLS, if they have.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.session.as_ref()?.protocol()
    }

    /// Waits until something has come.
    pub fn wait(&self) -> Result<(), LoadError> {
        let mut awaited = [PollFd::new(&self.socket, PollFlags::IN)];
        let is_there = retry_on_intr(|| poll(&mut awaited, Some(&STALL)))?;
        if is_there == 0 { Err(LoadError::Stalled) } else { Ok(()) }
    }

    /// The socket alone, for a connection that is to stay open and do nothing more.
    pub fn into_socket(self) -> TcpStream {
        self.socket
    }

    /// Sends it in one call. The socket's buffer has room for it, or the server has stopped to read.
    pub fn send(&mut self, plaintext: &[u8]) -> Result<(), LoadError> {
        let bytes = match &mut self.session {
            None => plaintext,
            Some(session) => {
                session.seal(plaintext)?;
                session.outgoing()
            }
        };
        match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => {}
            Ok(_) | Err(Errno::AGAIN) => return Err(LoadError::Refused),
            Err(error) => return Err(error.into()),
        }
        if let Some(session) = &mut self.session {
            session.sent();
        }
        Ok(())
    }

    /// Takes what one call brings, and has its plaintext counted.
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        books: &mut Received,
        mut count: impl FnMut(&[u8]) -> Result<u32, LoadError>,
    ) -> Result<Taken, LoadError> {
        let start = self.session.as_ref().map_or(0, |session| session.lay_out(buffer));
        let received = self.receive_once(&mut buffer[start..], RecvFlags::empty(), books)?;
        let end = start + received;
        let count = match &mut self.session {
            _ if received == 0 => 0,
            Some(session) => session.open(&mut buffer[..end], count)?,
            None => count(&buffer[..end])?,
        };
        Ok(Taken { count, is_dry: end < buffer.len() })
    }

    /// Lets what one call brings fall, and says how much that is: `MSG_TRUNC` drops it without a copy (tcp(7)).
    pub fn skip(&mut self, buffer: &mut [u8], books: &mut Received) -> Result<usize, LoadError> {
        self.receive_once(buffer, RecvFlags::TRUNC, books)
    }

    /// Nothing where the socket is dry.
    fn receive_once(
        &self,
        buffer: &mut [u8],
        flags: RecvFlags,
        books: &mut Received,
    ) -> Result<usize, LoadError> {
        match recv(&self.socket, buffer, flags) {
            Ok((_, 0)) => Err(LoadError::Closed),
            Ok((_, received)) => {
                books.calls += 1;
                books.bytes += received as u64;
                Ok(received)
            }
            Err(Errno::AGAIN) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
