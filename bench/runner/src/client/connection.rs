//! One connection of the load: sends a batch of requests, then counts its responses as they come.

use std::{
    net::{SocketAddr, TcpStream},
    time::Instant,
};

use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};

use super::{LoadError, Received, response::Verifier};

/// A connected socket and how far its responses have come.
#[derive(Debug)]
pub struct Connection {
    pub(super) socket: TcpStream,
    /// When the batch under way was sent: the start of its latency.
    pub(super) sent_at: Instant,
    /// Responses that the batch under way still lacks.
    pub(super) awaited: u32,
    body_left_bytes: u64,
    /// A head that a receive cut in two.
    cut_head: Vec<u8>,
}

impl Connection {
    /// Connects, and waits for nothing more than that.
    pub fn open(address: SocketAddr) -> Result<Connection, LoadError> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let sent_at = Instant::now();
        Ok(Connection { socket, sent_at, awaited: 0, body_left_bytes: 0, cut_head: Vec::new() })
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
            let dropped = !books.copied && self.body_left_bytes >= buffer.len() as u64;
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
                self.drop_body(received as u64)
            } else {
                self.count(&buffer[..received], verifier)?
            };
            if received < buffer.len() {
                break;
            }
        }
        self.awaited = self.awaited.checked_sub(completed).ok_or(LoadError::Unasked)?;
        Ok(completed)
    }

    fn drop_body(&mut self, received: u64) -> u32 {
        self.body_left_bytes -= received;
        u32::from(self.body_left_bytes == 0)
    }

    /// Walks over heads and bodies, and returns how many responses end within `bytes`.
    fn count(&mut self, bytes: &[u8], verifier: &mut Verifier) -> Result<u32, LoadError> {
        if self.cut_head.is_empty() {
            return self.walk(bytes, verifier);
        }
        let mut joined = std::mem::take(&mut self.cut_head);
        joined.extend_from_slice(bytes);
        self.walk(&joined, verifier)
    }

    fn walk(&mut self, mut bytes: &[u8], verifier: &mut Verifier) -> Result<u32, LoadError> {
        let mut completed = 0;
        while !bytes.is_empty() {
            if self.body_left_bytes == 0 {
                let Some(head_bytes) = verifier.head_bytes(bytes)? else {
                    self.cut_head.extend_from_slice(bytes);
                    break;
                };
                bytes = &bytes[head_bytes..];
                self.body_left_bytes = verifier.body_bytes();
            }
            let taken = self.body_left_bytes.min(bytes.len() as u64);
            self.body_left_bytes -= taken;
            bytes = &bytes[taken as usize..];
            completed += u32::from(self.body_left_bytes == 0);
        }
        Ok(completed)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::client::Expected;

    fn connected() -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Connection::open(listener.local_addr().unwrap()).unwrap()
    }

    #[test]
    fn responses_cut_at_every_byte_count_the_same() {
        let one = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let three = one.repeat(3);
        for cut in 0..=three.len() {
            let (mut connection, mut verifier) = (connected(), Verifier::new(Expected::whole(5)));
            let first = connection.count(&three[..cut], &mut verifier).unwrap();
            let second = connection.count(&three[cut..], &mut verifier).unwrap();
            assert_eq!(first, (cut / one.len()) as u32, "cut at {cut}");
            assert_eq!(first + second, 3, "cut at {cut}");
        }
    }

    #[test]
    fn a_response_byte_by_byte_counts_once() {
        let (mut connection, mut verifier) = (connected(), Verifier::new(Expected::whole(2)));
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let counts: u32 = response.chunks(1).map(|byte| connection.count(byte, &mut verifier).unwrap()).sum();
        assert_eq!(counts, 1);
    }

    #[test]
    fn an_empty_body_completes_with_its_head() {
        let (mut connection, mut verifier) = (connected(), Verifier::new(Expected::whole(0)));
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(connection.count(&response.repeat(2), &mut verifier).unwrap(), 2);
    }
}
