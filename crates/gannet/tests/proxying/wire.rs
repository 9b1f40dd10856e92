//! A client on a connection in clear text or of TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No wait is longer than this; a test that waits so long fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a client speaks over.
pub trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

/// A socket that is connected to `address`.
pub fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option of sockets");
    stream.set_write_timeout(Some(PATIENCE)).expect("an option of sockets");
    stream.set_nodelay(true).expect("an option of TCP");
    stream
}

/// A client that says exactly what it is told to.
pub struct Client {
    wire: Box<dyn Wire>,
    /// Received and not looked at yet.
    received: Vec<u8>,
}

/// A response as it was received.
#[derive(Debug, Default)]
pub struct Answer {
    /// Status line and fields as they came, without the empty line.
    pub head: String,
    pub body: Vec<u8>,
    /// The trailer section as it came.
    pub trailers: String,
}

impl Client {
    pub fn new(wire: impl Wire + 'static) -> Client {
        Client { wire: Box::new(wire), received: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.write_all(bytes.as_ref()).expect("the server takes what is sent");
        self.wire.flush().expect("the server takes what is sent");
    }

    /// One receive; false at the end, be it by a reset.
    fn receive(&mut self) -> bool {
        let mut room = [0; 16 * 1024];
        match self.wire.read(&mut room) {
            Ok(count) => {
                self.received.extend_from_slice(&room[..count]);
                count > 0
            }
            Err(error) if is_end(&error) => false,
            Err(error) => panic!("an answer or the end, in time: {error}; so far {:?}", self.shown()),
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.received[..self.received.len().min(300)]).into_owned()
    }

    /// Everything until the server ends the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.receive() {}
        std::mem::take(&mut self.received)
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        while self.received.len() < length {
            assert!(self.receive(), "the connection ended after {} of {length} bytes", self.received.len());
        }
        self.received.drain(..length).collect()
    }

    /// Everything up to `end`, and `end`; nothing where the connection ends before.
    fn find(&mut self, end: &[u8]) -> Option<String> {
        let mut looked = 0;
        loop {
            if let Some(found) = self.received[looked..].windows(end.len()).position(|window| window == end) {
                let taken = self.received.drain(..looked + found + end.len()).collect();
                return Some(String::from_utf8(taken).expect("heads are text"));
            }
            looked = self.received.len().saturating_sub(end.len() - 1);
            if !self.receive() {
                return None;
            }
        }
    }

    /// The next response's head, unless the connection ends before.
    pub fn head_unless_over(&mut self) -> Option<Answer> {
        let head = self.find(b"\r\n\r\n")?.trim_end_matches("\r\n").to_owned();
        assert!(head.starts_with("HTTP/1.1 "), "{head:?}");
        Some(Answer { head, ..Answer::default() })
    }

    /// The next response's head.
    pub fn head(&mut self) -> Answer {
        self.head_unless_over().unwrap_or_else(|| panic!("the connection ended: {:?}", self.shown()))
    }

    /// The next response, with its body.
    pub fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        self.body(&mut answer);
        answer
    }

    /// Receives the body that follows a head.
    pub fn body(&mut self, answer: &mut Answer) {
        if matches!(answer.status(), 100..200 | 204 | 304) {
        } else if let Some(length) = answer.field("content-length") {
            answer.body = self.take(length.parse().expect("a length"));
        } else if answer.field("transfer-encoding") == Some("chunked") {
            self.chunks(answer);
        } else {
            answer.body = self.rest();
        }
    }

    fn line(&mut self) -> String {
        self.find(b"\r\n").expect("the connection does not end within a response")
    }

    fn chunks(&mut self, answer: &mut Answer) {
        loop {
            let size = usize::from_str_radix(self.line().trim_end(), 16).expect("a chunk size");
            if size == 0 {
                break;
            }
            answer.body.extend(self.take(size));
            assert_eq!(self.take(2), b"\r\n");
        }
        loop {
            match self.line() {
                line if line == "\r\n" => break,
                line => answer.trailers += &line,
            }
        }
    }
}

/// Whether that is how a connection ends that the other side closed, however it did.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), ConnectionReset | BrokenPipe | UnexpectedEof)
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.get(9..12).and_then(|status| status.parse().ok()).expect("a status")
    }

    /// The first field of a name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}
