//! One connection of the load: sends a batch of requests, then counts its responses as they come.

use std::{
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

use super::{LoadError, Received, progress::Progress, response::Verifier};

/// A connected socket and how far its responses have come.
#[derive(Debug)]
pub struct Connection {
    pub(super) socket: TcpStream,
    /// When the batch under way was sent: the start of its latency.
    pub(super) sent_at: Instant,
    /// Responses that the batch under way still lacks.
    pub(super) awaited: u32,
    progress: Progress,
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
        Ok(Connection { socket, sent_at, awaited: 0, progress: Progress::default() })
    }

    /// Sends a batch of `depth` requests in one call. The socket's buffer is empty then, so it takes them all.
    pub fn send(&mut self, batch: &[u8], depth: u32, now: Instant) -> Result<(), LoadError> {
        let sent = send(&self.socket, batch, SendFlags::NOSIGNAL)?;
        if sent < batch.len() {
            return Err(LoadError::Refused);
        }
        self.awaited = depth;
        self.sent_at = now;
        Ok(())
    }

    /// Sends one more request, whether or not there are answers outstanding. What the socket does not take would have to
    /// be kept, and means that the server has stopped to read.
    pub fn send_more(&mut self, request: &[u8]) -> Result<(), LoadError> {
        match send(&self.socket, request, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == request.len() => self.awaited += 1,
            Ok(_) | Err(Errno::AGAIN) => return Err(LoadError::Refused),
            Err(error) => return Err(error.into()),
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
        let mut completed = 0;
        loop {
            // Inside a long body nobody needs the bytes: MSG_TRUNC drops them without a copy (tcp(7)).
            let dropped = !books.copied && self.progress.body_left_bytes() >= buffer.len() as u64;
            let flags = if dropped { RecvFlags::TRUNC } else { RecvFlags::empty() };
            let received = match recv(&self.socket, &mut *buffer, flags) {
                Ok((_, 0)) => return Err(LoadError::Closed),
                Ok((_, received)) => received,
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            };
            books.calls += 1;
            books.bytes += received as u64;
            completed += if dropped {
                self.progress.drop_body(received as u64)
            } else {
                self.progress.count(&buffer[..received], verifier)?
            };
            if received < buffer.len() {
                break;
            }
        }
        self.awaited = self.awaited.checked_sub(completed).ok_or(LoadError::Unasked)?;
        Ok(completed)
    }
}
