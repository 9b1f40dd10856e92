//! One connection of the load: sends a batch of requests, then counts its responses as they come.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Instant,
};

use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send, socket_with,
    },
};

use super::{
    LoadError, Received,
    progress::Progress,
    response::Verifier,
    tls::{Session, Tls},
};

/// A connected socket and how far its responses have come.
pub struct Connection {
    pub(super) socket: TcpStream,
    /// When the batch under way was sent: the start of its latency.
    pub(super) sent_at: Instant,
    /// Responses that the batch under way still lacks.
    pub(super) awaited: u32,
    progress: Progress,
    session: Option<Box<Session>>,
}

impl Connection {
    /// Connects, and waits for nothing more than that.
    pub fn open(address: SocketAddr) -> Result<Connection, LoadError> {
        Connection::with(TcpStream::connect(address)?)
    }

    /// The same from an address of its own, for more connections than one address has ports.
    pub fn open_from(source: Ipv4Addr, address: SocketAddr) -> Result<Connection, LoadError> {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        setsockopt(&socket, IpBindAddressNoPort, &true).map_err(std::io::Error::from)?;
        bind(&socket, &SocketAddr::from((source, 0)))?;
        connect(&socket, &address)?;
        Connection::with(TcpStream::from(socket))
    }

    fn with(socket: TcpStream) -> Result<Connection, LoadError> {
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let sent_at = Instant::now();
        Ok(Connection { socket, sent_at, awaited: 0, progress: Progress::default(), session: None })
    }

    /// Makes it a TLS connection, and waits until it is one.
    pub fn secure(&mut self, tls: &Tls, buffer: &mut [u8]) -> Result<(), LoadError> {
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
            session.open(&mut buffer[..start + received], |_| Err(LoadError::Unasked))?;
        }
        self.socket.set_nonblocking(true)?;
        self.session = Some(Box::new(session));
        Ok(())
    }

    /// Sends a batch of `depth` requests in one call. The socket's buffer is empty then, so it takes them all.
    pub fn send(&mut self, batch: &[u8], depth: u32, now: Instant) -> Result<(), LoadError> {
        self.send_whole(batch)?;
        self.awaited = depth;
        self.sent_at = now;
        Ok(())
    }

    /// Sends one more request, whether or not there are answers outstanding. What the socket does not take would have to
    /// be kept, and means that the server has stopped to read.
    pub fn send_more(&mut self, request: &[u8]) -> Result<(), LoadError> {
        self.send_whole(request)?;
        self.awaited += 1;
        Ok(())
    }

    fn send_whole(&mut self, plaintext: &[u8]) -> Result<(), LoadError> {
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

    /// Takes what has arrived and returns how many responses that completed.
    ///
    /// A short read means that the socket is dry: the next edge will tell, no second read is spent on `EAGAIN`.
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        verifier: &mut Verifier,
        books: &mut Received,
    ) -> Result<u32, LoadError> {
        let Connection { socket, progress, session, .. } = self;
        let mut completed = 0;
        loop {
            let start = session.as_ref().map_or(0, |session| session.lay_out(buffer));
            // Inside a long body nobody needs the bytes: MSG_TRUNC drops them without a copy (tcp(7)).
            let dropped =
                !books.copied && progress.body_left_bytes() >= buffer.len() as u64 && session.is_none();
            let flags = if dropped { RecvFlags::TRUNC } else { RecvFlags::empty() };
            let received = match recv(&*socket, &mut buffer[start..], flags) {
                Ok((_, 0)) => return Err(LoadError::Closed),
                Ok((_, received)) => received,
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            };
            books.calls += 1;
            books.bytes += received as u64;
            let incoming = &mut buffer[..start + received];
            completed += match session {
                Some(session) => session.open(incoming, |plaintext| progress.count(plaintext, verifier))?,
                None if dropped => progress.drop_body(received as u64),
                None => progress.count(incoming, verifier)?,
            };
            if start + received < buffer.len() {
                break;
            }
        }
        self.awaited = self.awaited.checked_sub(completed).ok_or(LoadError::Unasked)?;
        Ok(completed)
    }
}
